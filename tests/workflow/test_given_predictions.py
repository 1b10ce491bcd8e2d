"""A study of given predictions alone: from maps to report, and nothing is trained."""

import re

import pandas as pd
import pytest
import xarray as xr
import yaml
from counted import grid
from handmade import SPLITS, random_split
from study import ROOT, Study

from segue.evaluation.predictions import score_predictions

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("predictions")]

ENTRIES = {
    name: {"store": f"{name}.zarr", "dataset": "discs", "aleatoric": "mine", "epistemic": method}
    for name, method in [("ours", "ensemble"), ("theirs", "none")]
}


def write(path, seed):
    """Samples of a cell: those of another seed than the labels; theirs with foreign types."""
    for name in SPLITS:
        split = random_split(name)
        split["probs"] = random_split(name, seed)["probs"]
        if seed == "theirs":
            split["labels"] = split["labels"].astype("float32")
            split["probs"] = xr.where(split["probs"] < 1e-3, -6e-8, split["probs"].astype("f4"))
        how = {"mode": "a", "zarr_format": 3, "consolidated": False}
        split[["labels", "probs"]].to_zarr(path, group=name, **how)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The finished study of two cells."""
    config = {"study": "given", "datasets": None, "predictions": ENTRIES}
    study = Study(tmp_path_factory.mktemp("given") / "project", config)
    for name in ENTRIES:
        write(study.folder / f"{name}.zarr", name)
    (study.folder / "said.txt").write_text(study.run("--cores", "2", "--verbose"))
    return study


def test_the_scheduler_wakes_up_when_a_job_ends_and_not_in_between(study):
    said = (study.folder / "said.txt").read_text()
    ended = said.count("Finished jobid: ")
    assert ended >= 10
    assert said.count("Ready jobs: ") <= ended + 1


def test_nothing_is_trained_or_sampled(study):
    assert {path.name for path in study.results.iterdir()} == {
        *("samples", "maps", "scores", "tables", "figures", "settings", "logs", "benchmarks"),
        "report.html",
    }
    assert not (study.results.parent / "shared").exists()


def test_every_entry_is_a_cell_of_the_tables(study):
    for name in ("performance", "entanglement"):
        table = pd.read_csv(study.results / f"tables/{name}.csv", keep_default_na=False)
        assert set(table["dataset"]) == {"discs"}
        assert list(table["epistemic"]) == ["ensemble", "none"]
        assert table["mean_rank"].sum() == 3  # ranks of two cells


def test_figures_are_drawn_but_for_those_of_images(study):
    names = {path.stem for path in (study.results / "figures").iterdir()}
    assert names == {
        *("scatter_grid", "rank_scatter", "ged_ncc", "ace_ece", "au_eu_map"),
        *("critical_difference", "leakage", "metric_by_draws"),
    }


def lines(path):
    """Of a file, sorted: the order of the tasks says nothing."""
    return sorted(path.read_text().splitlines())


def test_the_command_gives_the_same_scores(study, tmp_path):
    for name, entry in ENTRIES.items():
        methods = {key: entry[key] for key in ("dataset", "aleatoric", "epistemic")}
        score_predictions(study.folder / entry["store"], tmp_path / name, **methods)
        cell = study.results / f"scores/discs/mine-{entry['epistemic']}"
        for file in ("scores.csv", "scores-intervals.csv"):
            assert lines(tmp_path / name / file) == sorted(
                re.sub("^given,", "predictions,", row) for row in lines(cell / "rep0" / file)
            )


def test_a_second_run_does_nothing(study):
    assert "Nothing to be done" in study.plan().text


def test_another_option_of_the_scores_does_not_check_or_map_again(study):
    plan = study.plan({"scores": {"calibration": {"ace_bins": 10}}})
    assert plan.jobs == {"score": 2, "tables": 1, "figure": 8, "page": 1}


def test_a_store_that_was_changed_is_not_used_until_it_was_checked_again(study):
    """The message does not tell the user to remove what is his own."""
    file = study.folder / "theirs.zarr/id/labels/zarr.json"
    before = file.read_bytes()
    file.write_bytes(before + b" ")
    done = study.snakemake("--cores", "1", "--forcerun", "maps")
    assert done.returncode == 1
    assert "was changed after it was made; put it back, or remove" in done.stdout
    assert "remove the folder" not in done.stdout
    file.write_bytes(before)
    study.run("--cores", "1")


def test_the_page_holds_them_without_images_of_data_that_it_has_not(study):
    page = (study.results / "report.html").read_text()
    assert {"mine × none", "mine × ensemble"} == set(re.findall(r'data-cell="([^"]+)"', page))
    assert '<section id="images"' in page
    assert '<section id="data"' not in page


def test_the_report_holds_them(study):
    study.run("--report", "report.html")
    assert "scatter_grid" in (study.folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ours": {"store": "no.zarr"}}, "ours.store: no Zarr store (format 3) at 'no.zarr'"),
        (
            {"ours": {"epistemic": "none"}},
            "theirs: the same cell and replicate as predictions.ours",
        ),
        ({"ours": {"stores": "a"}}, "ours: unknown key stores; there are: store, dataset, "),
    ],
)
def test_entries_that_cannot_be_are_refused(study, change, message):
    done = study.snakemake("-n", change={"predictions": change})
    assert done.returncode == 1
    assert f"Error in the config: predictions.{message}" in done.stdout


def test_predictions_are_no_trained_dataset(study):
    dataset = yaml.safe_load((ROOT / "config.yaml").read_text())["datasets"]
    change = {"datasets": dataset, "predictions": {"ours": {"dataset": next(iter(dataset))}}}
    done = study.snakemake("-n", change=change)
    assert done.returncode == 1
    assert "is one of `datasets`" in done.stdout


def test_they_stand_beside_a_dataset_that_is_trained(study):
    dataset = yaml.safe_load((ROOT / "config.yaml").read_text())["datasets"]
    plan = study.plan({"datasets": dataset, "replicates": 1})
    assert "Nothing to be done" not in plan.text
    assert len(plan.about("Sample")) == len(plan.about("Score"))
    assert len(plan.about("Score")) == len(grid().cells) * len(dataset)
    assert "given" not in plan.jobs


def test_a_study_needs_all_kinds_of_splits(study):
    write(study.folder / "half.zarr", "half")
    for name in ("ood_blur", "ood_noise"):
        (study.folder / "half.zarr" / name).rename(study.folder / f"lost_{name}")
    half = {"half": ENTRIES["ours"] | {"store": "half.zarr", "epistemic": "swag"}}
    done = study.snakemake("--cores", "1", "--until", "given", change={"predictions": half})
    assert done.returncode == 1
    assert "half.zarr: a study needs a split 'ood_<shift>', found id, val; add " in done.stdout


def test_a_store_that_is_wrong_stops_its_cell(study):
    write(study.folder / "bad.zarr", "bad")
    (study.folder / "bad.zarr/id/probs/c").rename(study.folder / "lost")
    bad = {"bad": ENTRIES["ours"] | {"store": "bad.zarr", "epistemic": "swag"}}
    done = study.snakemake("--cores", "1", "--until", "given", change={"predictions": bad})
    assert done.returncode == 1
    assert "bad.zarr/id/probs: 1 of 1 chunks are missing (c/0/0/0/0/0/0): lost" in done.stdout
    assert not list((study.results / "samples/discs/mine-swag").rglob("made.json"))
