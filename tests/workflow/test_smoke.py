"""The smoke study end to end, and what runs again after a change."""

import html
import json
import os
import re
import shutil
import time
import zipfile
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from counted import grid
from study import ROOT, Study

import segue
from segue import plugins, seeds, store

pytestmark = pytest.mark.workflow

AFTER_TABLES = {"tables": 1, "figure": 8, "page": 1}
OF_TABLES = (
    *("scatter_grid", "rank_scatter", "ged_ncc", "ace_ece", "au_eu_map"),
    *("critical_difference", "leakage", "metric_by_draws"),
)
OF_DATASETS = ("qualitative", "reliability", "risk_coverage", "roc")
GRID = grid("smoke")
CELLS, TRAININGS = set(GRID.cells), len(GRID.trainings)


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """The finished smoke study."""
    preset = yaml.safe_load((ROOT / "workflow/studies/smoke.yaml").read_text())
    study = Study(tmp_path_factory.mktemp("smoke") / "project", preset)
    study.run("--cores", "2")
    return study


@pytest.fixture
def edited(smoke):
    """Edit a file of the copy's code, for one test."""
    before = {}

    def edit(name, old, new):
        path = smoke.folder / "src/segue" / name
        before[path] = path.read_text()
        assert old in before[path]
        path.write_text(before[path].replace(old, new, 1))

    yield edit
    for path, text in before.items():
        path.write_text(text)


def splits(smoke, name):
    """Every split of every store of that name."""
    stores = sorted(smoke.results.parent.glob(f"**/{name}"))
    assert stores
    return [(path, split) for path in stores for split in store.splits(path)]


def test_the_tables_hold_every_cell(smoke):
    for name in ("performance", "entanglement"):
        table = pd.read_csv(smoke.results / f"tables/{name}.csv", keep_default_na=False)
        assert set(table["aleatoric"] + "-" + table["epistemic"]) == CELLS
        assert len(table) == len(CELLS)
        assert np.isfinite(table["mean_rank"].astype(float)).all()
        for ending in ("md", "tex"):
            text = (smoke.results / f"tables/{name}.{ending}").read_text()
            assert text.count("N/A") == len(GRID.missing)
            assert "real masks, simulated CT" in text


def test_tables_follow_the_order_of_the_config(smoke):
    table = pd.read_csv(smoke.results / "tables/performance.csv", keep_default_na=False)
    assert list(dict.fromkeys(table["epistemic"])) == GRID.epistemic
    first = [cell.split("-")[0] for cell in GRID.of(GRID.epistemic[0])]  # softmax has no `none`
    rotated = list(dict.fromkeys([*first, *GRID.aleatoric]))
    assert list(dict.fromkeys(table["aleatoric"])) in (GRID.aleatoric, rotated)


def test_nothing_is_trained_twice(smoke):
    models = smoke.results.parent / "shared/models/lidc_contours"
    members = Counter((aleatoric, recipe) for aleatoric, recipe, _ in GRID.trainings)
    for (aleatoric, recipe), number in members.items():  # the ensemble's, which most methods share
        assert len(list((models / aleatoric / recipe).glob("*/*/model.pt"))) == number
        for member in range(number):
            link = smoke.results / f"models/lidc_contours/{aleatoric}/{recipe}/rep0-member{member}"
            assert (link / "model.pt").is_file()


def test_figures_are_drawn(smoke):
    names = {path.name for path in (smoke.results / "figures").iterdir()}
    stems = [*OF_TABLES, *(f"{figure}-lidc_contours" for figure in OF_DATASETS)]
    assert names == {f"{stem}.{ending}" for stem in stems for ending in ("svg", "png", "pdf")}


@pytest.fixture(scope="session", params=["html", "zip"])
def reported(smoke, request):
    """What ``snakemake --report`` made of the study: its page."""
    smoke.run("--report", f"report.{request.param}")
    file = smoke.folder / f"report.{request.param}"
    if request.param == "html":
        return file.read_text()
    with zipfile.ZipFile(file) as archive:
        (page,) = (name for name in archive.namelist() if name.endswith("report.html"))
        assert sum(name.endswith(".html") for name in archive.namelist()) > 10
        return archive.read(page).decode()


def data(page, name):
    """What the report's page has in a variable of its script."""
    script = re.search(rf'<script id="[a-z-]+">\s*var {name} = ', page)
    return json.JSONDecoder().raw_decode(page, script.end())[0]


def test_the_report_begins_with_what_the_study_is_and_where_to_look(reported):
    start = data(reported, "workflow_desc")
    assert "Aleatoric or epistemic?" in start
    assert "<strong>smoke</strong>" in start
    assert all(name in start for name in (*GRID.aleatoric, *GRID.epistemic, "lidc_contours"))
    assert "system-message" not in start  # what is wrong with the text, or a link to nothing
    links = set(re.findall(r"showResultInfo\('([^']+)'\)", start))
    assert {"results/smoke/tables/performance.html", "results/smoke/figures/au_eu_map.svg"} <= links
    assert links <= data(reported, "results").keys()


def test_the_report_lists_figures_tables_and_data_under_their_titles(reported):
    groups = {kind: {*each} for kind, each in data(reported, "categories").items()}
    assert groups["Figures"] == {"Overview", "Images", "Curves"}
    assert groups["Tables"] == {"Ranks", "Findings"}
    assert groups.keys() == {"Figures", "Tables", "Data"}
    results = data(reported, "results")
    assert len(results) == 8 + 4 + 6 + 8 + 1
    for path, result in results.items():
        assert path.endswith((".svg", ".html"))
        assert result["labels"]
        assert "system-message" not in result["caption"]
    labels = [tuple(each["labels"].values()) for each in results.values()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("name", OF_TABLES + OF_DATASETS)
def test_a_figure_has_its_own_caption_in_the_report(reported, name):
    stem = name if name in OF_TABLES else f"{name}-lidc_contours"
    caption = data(reported, "results")[f"results/smoke/figures/{stem}.svg"]["caption"]
    words = re.sub("<[^>]+>", "", caption).split()
    expected = plugins.literal(plugins.module("figures", name), "CAPTION", "").replace("`", "")
    assert html.unescape(" ".join(words)) == expected


def test_a_table_of_the_report_is_a_table(smoke, reported):
    for name in ("performance", "conclusions"):
        assert f"results/smoke/tables/{name}.html" in data(reported, "results")
        page = (smoke.results / f"tables/{name}.html").read_text()
        rows = len(pd.read_csv(smoke.results / f"tables/{name}.csv"))
        # A header, and a row for each epistemic method; or for each conclusion, of three variants.
        assert page.count("<tr>") == 1 + (5 if name == "performance" else rows // 3)


def test_the_page_shows_every_cell_its_images_and_the_config(smoke):
    page = (smoke.results / "report.html").read_text()
    assert len(page) < 15e6
    data = json.loads(re.search(r'id="json">(.*?)</script>', page, re.DOTALL)[1])
    cells = {cell.replace("-", " × ") for cell in CELLS}
    assert set(re.findall(r'data-cell="([^"]+)"', page)) == cells
    assert data["images"]["lidc_contours"]["cells"].keys() == cells
    assert "Config of the study" in page
    assert "study: smoke" in page


def test_every_dataset_has_a_card(smoke):
    names = {path.name for path in (smoke.results / "cards").iterdir()}
    endings = ("md", "html", "png", "svg", "pdf")
    assert names == {f"lidc_contours.{ending}" for ending in endings}


def test_stores_open_with_labelled_dimensions(smoke):
    dims = {
        "image": ("image", "channel", "y", "x"),
        "labels": ("image", "rater", "y", "x"),
        "probs": ("image", "eu_sample", "au_sample", "class", "y", "x"),
        "uncertainty": ("image", "measure", "y", "x"),
        "prediction": ("image", "class", "y", "x"),
    }
    seen = set()
    for kind in ("dataset.zarr", "samples.zarr", "maps.zarr"):
        for path, split in splits(smoke, kind):
            opened = xr.open_zarr(path, group=split, consolidated=False)
            # xarray takes the array `image` for a coordinate: it is named as a dimension is.
            for name in opened.variables.keys() & dims.keys():
                assert opened[name].dims == dims[name]
                seen.add(name)
            if "measure" in opened.dims:
                assert list(opened["measure"].values) == ["TU", "AU", "EU"]
    assert seen == dims.keys()


def test_probabilities_sum_to_one(smoke):
    for path, split in splits(smoke, "samples.zarr"):
        probs = xr.open_zarr(path, group=split, consolidated=False)["probs"]
        assert probs.dtype == "float32"
        assert abs(probs.sum("class") - 1).max() <= 1e-6


def test_one_job_leaves_its_settings_a_log_and_a_benchmark(smoke):
    shared = smoke.results.parent / "shared"
    for cell in CELLS:
        for stage in ("sample", "maps", "score"):
            for kind, ending in (("settings", "json"), ("logs", "log"), ("benchmarks", "tsv")):
                root = shared if (stage, kind) == ("sample", "settings") else smoke.results
                found = (root / kind / stage).glob(f"lidc_contours/{cell}/rep0*.{ending}")
                assert len(list(found)) == 1


def test_what_is_on_record_is_what_a_job_read(smoke):
    shared = smoke.results.parent / "shared"
    paths = list(shared.glob("settings/train/**/*.json"))
    assert len(paths) == TRAININGS
    for path in paths:
        settings = json.loads(path.read_text())
        name = path.relative_to(shared / "settings/train").with_suffix("")
        made = json.loads((shared / "models" / name / "made.json").read_text())
        record = shared / "models" / name / made["folder"] / "provenance.json"
        expected = {key: value for key, value in settings.items() if key != "dataset"}
        assert json.loads(record.read_text())["settings"] == expected


def test_a_study_opens_as_a_tree(smoke):
    tree = segue.open_study(smoke.results)
    assert set(tree["lidc_contours"].children) == {"data", *CELLS}
    assert tree["lidc_contours/ssn-ensemble/rep0/id"]["probs"].sizes["eu_sample"] == 2


def test_nothing_is_left_of_unfinished_work(smoke):
    left = [path.name for path in smoke.results.parent.rglob("*") if "unfinished" in path.name]
    assert not left
    assert not list(smoke.results.parent.rglob("*.tmp"))


def test_a_second_run_does_nothing_and_says_so(smoke):
    before = smoke.files("tables")
    said = smoke.run("--cores", "2")
    assert "Nothing to be done" in said
    assert "Job stats" not in said
    assert smoke.files("tables") == before


def test_a_dry_run_says_what_is_coming(smoke):
    text = smoke.plan({"replicates": 2}).text
    assert f"trainings to do: {TRAININGS} of {2 * TRAININGS}" in text
    assert f"cells to sample: {len(CELLS)} of {2 * len(CELLS)}" in text
    assert re.search(r"config read from: config.yaml, \S+/study.yaml, \S+/change.yaml", text)
    assert "GB" in text


def nothing(plan):
    """Whether a plan runs nothing."""
    return "Nothing to be done" in plan.text


def test_a_key_of_the_scores_reruns_scores_tables_and_figures(smoke):
    plan = smoke.plan({"scores": {"calibration": {"ace_bins": 10}}})
    after = {**AFTER_TABLES, "figure": 8 + 2}  # and reliability, pictures
    assert plan.jobs == {"score": len(CELLS), **after}


def test_a_key_of_the_tables_reruns_tables_and_figures(smoke):
    plan = smoke.plan({"tables": {"tasks": {"ood": "area"}}})
    assert plan.jobs == {**AFTER_TABLES, "figure": 8 + 1}  # and ROC, which is of that aggregation


def test_a_label_makes_tables_and_figures_again_and_nothing_else(smoke):
    change = {
        "datasets": {"lidc_contours": {"label": "Lung"}},
        "aleatoric": {"ssn": {"label": "S"}},
    }
    assert smoke.plan(change).jobs == {"tables": 1, "figure": 8 + 4, "page": 1}


def test_the_diffusion_sampler_reruns_the_cells_of_diffusion_from_sampling_on(smoke):
    plan = smoke.plan({"aleatoric": {"diffusion": {"sampling": {"steps": 4}}}})
    later = dict.fromkeys(("sample", "maps", "score"), len(GRID.of("diffusion")))
    assert plan.jobs == {**later, "tables": 1, "figure": 8 + 4, "page": 1}
    cells = {f"lidc_contours/{cell}/rep0" for cell in GRID.of("diffusion")}
    for verb in ("Sample", "Map", "Score"):
        assert set(plan.about(verb)) == cells


def test_the_scale_of_swag_trains_nothing(smoke):
    plan = smoke.plan({"epistemic": {"swag": {"options": {"scale": 0.7}}}})
    assert "train" not in plan.jobs
    assert set(plan.about("Sample")) == {f"lidc_contours/{c}/rep0" for c in GRID.of("swag")}


def test_one_more_replicate_trains_only_its_own_runs(smoke):
    plan = smoke.plan({"replicates": 2})
    assert set(plan.about("Train")) == {
        f"lidc_contours/{a}/{recipe}/rep1-member{m}" for a, recipe, m in GRID.trainings
    }
    assert "prepare" not in plan.jobs
    for verb in ("Sample", "Map", "Score"):
        assert set(plan.about(verb)) == {f"lidc_contours/{cell}/rep1" for cell in CELLS}


def test_one_more_member_and_hypothesis_run_what_is_new(smoke):
    ensemble = {"members": 3, "hypotheses": 3}
    plan = smoke.plan({"epistemic": {"ensemble": ensemble, "swag": {"hypotheses": 4}}})
    with_one = [cell.split("-")[0] for cell in GRID.of("ensemble")]
    runs = {f"lidc_contours/{a}/plain/rep0-member2" for a in with_one}
    assert set(plan.about("Train")) == runs
    cells = {f"lidc_contours/{cell}/rep0" for cell in GRID.of("ensemble", "swag")}
    assert set(plan.about("Sample")) == set(plan.about("Score")) == cells


@pytest.mark.parametrize("section", ["aleatoric", "epistemic"])
def test_a_method_taken_away_runs_tables_and_figures_only(smoke, section):
    taken = {"aleatoric": "ssn", "epistemic": "swag"}[section]
    assert smoke.plan({section: {taken: None}}).jobs.keys() == AFTER_TABLES.keys()


def test_a_second_study_finds_the_runs_of_the_first(smoke):
    plan = smoke.plan({"study": "second", "uncertainty": {"none_roles": "strict"}})
    of_each = dict.fromkeys(("maps", "score"), len(CELLS))
    after = {"card": 1, "tables": 1, "figure": 8 + 4, "page": 1}
    assert plan.jobs == {**of_each, **after}


def test_training_of_one_model_leaves_the_others(smoke):
    plan = smoke.plan({"aleatoric": {"ssn": {"training": {"epochs": 4}}}})
    assert {run.split("/")[1] for run in plan.about("Train")} == {"ssn"}
    assert {cell.split("/")[1].split("-")[0] for cell in plan.about("Sample")} == {"ssn"}


def test_resources_rerun_nothing(smoke):
    change = {"resources": {"train": {"mem_mb": 4000}, "sample": {"threads": 2, "runtime": 9}}}
    assert nothing(smoke.plan(change | {"sampling": {"batch": 5}}))


def test_changed_code_of_a_cheap_stage_reruns_it(smoke, edited):
    edited("evaluation/metrics/auroc.py", "\ndef ", "\nUNUSED = 1\n\n\ndef ")
    after = {**AFTER_TABLES, "figure": 8 + 2}  # and ROC, pictures
    assert smoke.plan().jobs == {"score": len(CELLS), **after}


def test_changed_code_of_one_figure_redraws_it_alone(smoke, edited):
    edited("report/figures/ged_ncc.py", "\ndef ", "\nUNUSED = 1\n\n\ndef ")
    assert smoke.plan().jobs == {"figure": 1, "page": 1}


def test_changed_code_of_training_and_sampling_keeps_what_is_there_and_says_so(smoke, edited):
    assert "made by other code" not in smoke.plan().text
    edited("models/aleatoric/ssn.py", "\nclass ", "\nUNUSED = 1\n\n\nclass ")
    plan = smoke.plan()
    assert nothing(plan)
    ssn = len([training for training in GRID.trainings if training[0] == "ssn"])
    trainings, cells = f"{ssn} of {TRAININGS}", f"{len(GRID.of('ssn'))} of {len(CELLS)}"
    kept = f"made by other code than there is now, and kept: {trainings} of stage train, {cells}"
    assert kept in plan.text
    edited("models/train.py", "\n_log =", "\nUNUSED = 1\n_log =")
    assert f"{TRAININGS} of {TRAININGS} of stage train" in smoke.plan().text


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("models/train.py", '"""', '"""Other words. '),
        ("models/train.py", "the loss became {loss}", "loss: {loss}"),
        ("evaluation/score.py", "is no finite number", "is none"),
        ("evaluation/metrics/ncc.py", "\ndef ", "\n# Words.\ndef "),
        (
            "evaluation/maps.py",
            "def identities(split: xr.Dataset) -> dict[str, list[str]]:",
            "def identities(split):",
        ),
        ("store.py", "\ndef splits", "\nUNUSED = 1\n\n\ndef splits"),
        ("evaluation/check.py", "\ndef link", "\nUNUSED = 1\n\n\ndef link"),
        ("data/contours/database.py", "\nclass Outline", "\nUNUSED = 1\n\n\nclass Outline"),
        ("schema.py", "expected {expected}", "wanted {expected}"),
    ],
)
def test_words_readers_and_checkers_rerun_nothing(smoke, edited, name, old, new):
    edited(name, old, new)
    assert nothing(smoke.plan())


def test_times_of_files_rerun_nothing(smoke):
    """All times of results and sources new, in an order that means nothing."""
    random = seeds.rng(0, "times")
    paths = [p for root in ("results", "src", "workflow") for p in (smoke.folder / root).rglob("*")]
    for path in random.permutation(paths):
        if not path.is_symlink():
            now = time.time() - random.uniform(0, 1e6)
            os.utime(path, (now, now))
    assert nothing(smoke.plan())


@pytest.mark.parametrize("times", [True, False])
def test_copied_results_are_the_results(smoke, tmp_path, times):
    copy = tmp_path / "elsewhere"
    function = shutil.copy2 if times else shutil.copyfile
    shutil.copytree(smoke.folder, copy, symlinks=True, copy_function=function)
    moved = smoke.at(copy)
    assert nothing(moved.plan())
    shutil.rmtree(copy / ".snakemake")
    before = moved.files("../shared/models")
    moved.run("--cores", "1", "--touch")
    assert nothing(moved.plan())
    assert moved.files("../shared/models") == before
