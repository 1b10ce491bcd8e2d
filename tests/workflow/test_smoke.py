"""The smoke study end to end, and what runs again after a change."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from study import ROOT, Study

from segue import store

pytestmark = pytest.mark.workflow

AFTER_SCORES = {"tables": 1, "figure": 4}
ALEATORIC = ["softmax", "ssn", "prob_unet", "diffusion"]
EPISTEMIC = ["none", "dropout", "swag_diag", "swag", "ensemble"]
CELLS = {f"{a}-{e}" for a in ALEATORIC for e in EPISTEMIC} - {"softmax-none"}


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


def splits(smoke, pattern):
    """Every split of every store of a kind."""
    stores = sorted(smoke.results.glob(pattern))
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
            assert text.count("N/A") == 1
            assert "real masks, simulated CT" in text


def test_tables_follow_the_order_of_the_config(smoke):
    table = pd.read_csv(smoke.results / "tables/performance.csv", keep_default_na=False)
    assert list(dict.fromkeys(table["epistemic"])) == EPISTEMIC
    assert list(dict.fromkeys(table["aleatoric"])) in (ALEATORIC, [*ALEATORIC[1:], "softmax"])


def test_nothing_is_trained_twice(smoke):
    found = {str(p.parent.relative_to(smoke.results)) for p in smoke.results.glob("models/**/*.pt")}
    recipes = [f"models/lidc_contours/{a}/{r}" for a in ALEATORIC for r in ("plain", "dropout")]
    assert found == set(recipes)
    for recipe in recipes:  # the ensemble's two members, which all but dropout share
        seeds = {path.stem for path in (smoke.results / recipe).glob("*.pt")}
        assert seeds == ({"seed0", "seed1"} if recipe.endswith("plain") else {"seed0"})


def test_figures_are_drawn(smoke):
    names = {path.name for path in (smoke.results / "figures").iterdir()}
    stems = ["scatter_grid", "rank_scatter", "ged_ncc", "critical_difference"]
    stems.append("qualitative-lidc_contours")
    assert names == {f"{stem}.{ending}" for stem in stems for ending in ("svg", "png")}


def test_every_dataset_has_a_card(smoke):
    names = {path.name for path in (smoke.results / "cards").iterdir()}
    assert names == {f"lidc_contours.{ending}" for ending in ("md", "png", "svg")}


def test_stores_open_with_labelled_dimensions(smoke):
    dims = {
        "image": ("image", "channel", "y", "x"),
        "labels": ("image", "rater", "y", "x"),
        "probs": ("image", "eu_sample", "au_sample", "class", "y", "x"),
        "uncertainty": ("image", "measure", "y", "x"),
        "prediction": ("image", "class", "y", "x"),
    }
    seen = set()
    for pattern in ("datasets/*/*.zarr", "samples/*/*/*/*.zarr", "maps/*/*/*/*.zarr"):
        for path, split in splits(smoke, pattern):
            opened = xr.open_zarr(path, group=split, consolidated=False)
            # xarray takes the array `image` for a coordinate: it is named as a dimension is.
            for name in opened.variables.keys() & dims.keys():
                assert opened[name].dims == dims[name]
                seen.add(name)
            if "measure" in opened.dims:
                assert list(opened["measure"].values) == ["TU", "AU", "EU"]
    assert seen == dims.keys()


def test_probabilities_sum_to_one(smoke):
    for path, split in splits(smoke, "samples/*/*/*/*.zarr"):
        probs = xr.open_zarr(path, group=split, consolidated=False)["probs"]
        assert probs.dtype == "float16"
        assert abs(probs.astype("float32").sum("class") - 1).max() <= 2e-3


def test_one_job_leaves_a_log_and_a_benchmark(smoke):
    for cell in CELLS:
        for stage in ("sample", "uncertainty", "score"):
            job = f"{stage}/lidc_contours/{cell}/rep0"
            assert (smoke.results / f"logs/{job}.log").exists()
            assert (smoke.results / f"benchmarks/{job}.tsv").exists()


def test_nothing_is_left_to_resume(smoke):
    assert not [path for path in smoke.results.glob("work/**/*") if path.is_file()]


def test_a_second_run_does_nothing_and_says_so(smoke):
    before = smoke.files("tables")
    said = smoke.run("--cores", "2")
    assert "Nothing to be done" in said
    assert "Job stats" not in said
    assert smoke.files("tables") == before


def test_a_dry_run_says_what_is_coming(smoke):
    assert "trainings to do: 0 of 12" in smoke.plan().text
    text = smoke.plan({"replicates": 2}).text
    assert "trainings to do: 12 of 24" in text
    assert "sample stores to do: 19 of 38" in text
    assert "GB" in text


def test_a_key_of_the_scores_reruns_scores_tables_and_figures(smoke):
    plan = smoke.plan({"scores": {"calibration": {"ace_bins": 10}}})
    assert plan.stages() == {"score": 19, **AFTER_SCORES}


def test_a_key_of_the_tables_reruns_tables_and_figures(smoke):
    plan = smoke.plan({"tables": {"tasks": {"ood": "mean"}}})
    assert plan.stages() == AFTER_SCORES


def test_the_diffusion_sampler_reruns_the_cells_of_diffusion_from_sampling_on(smoke):
    plan = smoke.plan({"aleatoric": {"diffusion": {"sampling": {"steps": 4}}}})
    later = {"sample": 5, "uncertainty": 5, "score": 5, "qualitative": 1}
    assert plan.stages() == {**later, **AFTER_SCORES}
    cells = {f"diffusion-{e}, replicate 0, on lidc_contours" for e in EPISTEMIC}
    for verb in ("Sample", "Map", "Score"):
        assert set(plan.about(verb)) == cells


def test_the_scale_of_swag_trains_nothing(smoke):
    plan = smoke.plan({"epistemic": {"swag": {"options": {"scale": 0.7}}}})
    assert "train" not in plan.stages()
    assert {job.split(",")[0] for job in plan.about("Sample")} == {f"{a}-swag" for a in ALEATORIC}


def test_one_more_replicate_trains_only_its_own_runs(smoke):
    plan = smoke.plan({"replicates": 2})
    runs = {f"({recipe}) on lidc_contours" for recipe in ("plain, seed 2", "plain, seed 3")}
    runs.add("(dropout, seed 1) on lidc_contours")
    assert set(plan.about("Train")) == {f"{a} {run}" for a in ALEATORIC for run in runs}
    assert "prepare" not in plan.stages()
    for verb in ("Sample", "Map", "Score"):
        assert set(plan.about(verb)) == {f"{c}, replicate 1, on lidc_contours" for c in CELLS}


def test_training_of_one_model_leaves_the_others(smoke):
    plan = smoke.plan({"aleatoric": {"ssn": {"training": {"epochs": 4}}}})
    assert {run.split(" ")[0] for run in plan.about("Train")} == {"ssn"}
    assert {cell.split("-")[0] for cell in plan.about("Sample")} == {"ssn"}


def test_resources_rerun_nothing(smoke):
    change = {"resources": {"train": {"mem_mb": 4000}, "sample": {"threads": 2, "runtime": 9}}}
    assert "Nothing to be done" in smoke.plan(change).text


def test_changed_code_of_a_cheap_stage_reruns_it(smoke, edited):
    edited("metrics/ncc.py", "\ndef ", "\nUNUSED = 1\n\n\ndef ")
    assert smoke.plan().stages() == {"score": 19, **AFTER_SCORES}


def test_changed_code_of_one_figure_redraws_it_alone(smoke, edited):
    edited("figures/ged_ncc.py", "\ndef ", "\nUNUSED = 1\n\n\ndef ")
    assert smoke.plan().stages() == {"figure": 1}


def test_changed_code_of_training_and_sampling_keeps_what_is_there(smoke, edited):
    edited("training.py", "\ndef ", "\nUNUSED = 1\n\n\ndef ")
    edited("sampling.py", "\ndef ", "\nUNUSED = 1\n\n\ndef ")
    assert "Nothing to be done" in smoke.plan().text


def test_comments_and_docstrings_rerun_nothing(smoke, edited):
    edited("metrics/ncc.py", '"""', '"""Other words. ')
    edited("uncertainty.py", "\ndef ", "\n# Words.\ndef ")
    assert "Nothing to be done" in smoke.plan().text


def test_touching_the_sources_reruns_nothing(smoke):
    for path in [*smoke.folder.glob("src/**/*.py"), *smoke.folder.glob("workflow/**/*.smk")]:
        path.touch()
    assert "Nothing to be done" in smoke.plan().text
