"""Which figures a study has, and what each is told."""

from pathlib import Path

import yaml

from segue import plugins
from segue.study import settings as of
from segue.study.config import overlay
from segue.study.study import Study

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
SMOKE = yaml.safe_load((ROOT / "workflow/studies/smoke.yaml").read_text())
CURVES = {"roc", "risk_coverage", "reliability"}


def study(**change) -> Study:
    return Study.parse(overlay(SMOKE, change), CONFIG)


def ids(study: Study) -> set[str]:
    return {job.id for job in study.of("figure")}


def test_a_study_has_every_figure_on_disk_but_axes_without_axes():
    names = {*plugins.available("figures")} - {"axes"}
    of_dataset = {"qualitative", *CURVES}
    expected = (names - of_dataset) | {f"{name}-lidc_contours" for name in of_dataset}
    assert ids(study()) == expected


def test_without_kept_samples_there_are_no_pictures():
    assert ids(study()) - ids(study(samples={"keep": "none"})) == {"qualitative-lidc_contours"}


def test_without_a_task_its_figures_are_not_there():
    left_out = ("calibration", "failure", "leakage")
    scores = {k: v for k, v in CONFIG["scores"].items() if k not in left_out}
    ranked = {"ood": "border", "ambiguity": ""}
    found = Study.parse(SMOKE, {**CONFIG, "scores": scores, "tables": {"tasks": ranked}})
    gone = {"ace_ece", "reliability-lidc_contours", "risk_coverage-lidc_contours"}
    gone |= {"leakage", "metric_by_draws"}
    assert ids(study()) - ids(found) == gone


def test_curves_are_of_all_replicates_of_the_cells_shown_and_pictures_of_the_first():
    found = study(replicates=2, figures={"qualitative": {"cells": ["ssn-swag", "ssn-none"]}})
    curves = found.job("figure", "roc-lidc_contours").settings
    cells = [(cell.epistemic, cell.replicate) for cell in curves.cells]
    assert sorted(cells) == [("none", 0), ("none", 1), ("swag", 0), ("swag", 1)]
    assert (curves.aggregation, curves.options) == ("mean", {"patch": 10})
    pictures = found.job("figure", "qualitative-lidc_contours")
    assert [cell.replicate for cell in pictures.settings.cells] == [0, 0]
    assert len(pictures.settings.scores) == 2
    assert {*pictures.settings.scores} <= {*pictures.inputs}


def test_labels_go_to_figures_and_tables_alone():
    plain = study()
    change = {"label": "Named"}
    named = study(
        datasets={"lidc_contours": change},
        aleatoric={"ssn": change},
        epistemic={"swag": change},
    )
    for job in named.jobs.values():
        same = plain.job(job.stage, job.id)  # so trainings and samples have the same keys
        assert (same.trigger == job.trigger) == (job.stage not in ("figure", "tables")), job
    names = named.job("figure", "scatter_grid").settings.names
    assert names == named.job("tables", "tables").settings.names
    assert names.model_dump() == {
        "captions": {"lidc_contours": "real masks, simulated CT"},
        "datasets": {"lidc_contours": "Named"},
        "aleatoric": {"ssn": "Named"},
        "epistemic": {"swag": "Named"},
    }


def test_a_figure_of_the_tables_knows_what_ranks():
    settings = study().job("figure", "scatter_grid").settings
    assert isinstance(settings, of.Figure)
    assert settings.tasks == {"ood": "mean", "ambiguity": "", "calibration": "pooled"}
