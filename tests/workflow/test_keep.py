"""What stays of the samples: `samples.keep`."""

import json
from pathlib import Path

import pytest
import xarray as xr
from counted import others
from study import JOB, Study

from segue import stamp

pytestmark = pytest.mark.workflow

CONFIG = {
    "study": "tiny",
    "replicates": 1,
    "datasets": {
        **others("datasets", "phantom"),
        "phantom": {
            "source": "phantom",
            "options": {"side": 16, "images": {"train": 8, "val": 4, "id": 5}},
        },
    },
    "network": {"channels": [4, 8], "attention": 0, "heads": 1, "group_channels": 4},
    "aleatoric": {
        **others("aleatoric", "softmax", "ssn"),
        "ssn": {"options": {"rank": 2, "loss_samples": 2, "diagonal_epochs": 0}},
    },
    "epistemic": {
        **others("epistemic", "dropout"),
        "dropout": {"hypotheses": 2},
    },
    "recipes": others("recipes", "dropout"),
    "not_applicable": [],
    "training": {"epochs": 1, "batch": 4},
    "sampling": {"au_samples": 3},
    "tables": {"tasks": {"ood": "mean"}},
    "figures": {"qualitative": {"cells": ["ssn-dropout"], "images": 2}},
}
CELLS = ("softmax-dropout", "ssn-dropout")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study that keeps all samples."""
    study = Study(tmp_path_factory.mktemp("keep") / "whole", CONFIG)
    study.run("--cores", "2")
    return study


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The same study with no samples but those to show."""
    config = CONFIG | {"samples": {"keep": "shown"}}
    study = Study(tmp_path_factory.mktemp("keep") / "shown", config)
    study.said = study.run("--cores", "1")
    return study


def samples(study) -> list[Path]:
    return [path for path in study.folder.rglob("samples.zarr") if not path.is_symlink()]


def test_samples_go_and_the_numbers_are_the_same(whole, shown):
    assert len(samples(whole)) == len(CELLS)
    assert not samples(shown)
    assert not list((shown.results.parent / "shared/samples").rglob(f"*{stamp.NAME}"))
    for name in ("tables/scores.csv", "tables/performance.csv"):
        assert (shown.results / name).read_bytes() == (whole.results / name).read_bytes()
    picture = "figures/qualitative-phantom.png"
    assert (shown.results / picture).read_bytes() == (whole.results / picture).read_bytes()


def test_the_samples_to_show_are_in_the_maps(shown):
    for cell in CELLS:
        maps = shown.results / f"maps/phantom/{cell}/rep0/maps.zarr"
        opened = xr.open_zarr(maps, group="id", consolidated=False)
        assert opened["shown_probs"].sizes["shown"] == 3
        assert abs(opened["shown_probs"].sum("class") - 1).max() < 1e-6


def test_samples_are_mapped_and_removed_before_more_are_drawn(shown):
    verbs = [message.split()[0] for message in JOB.findall(shown.said)]
    assert [verb for verb in verbs if verb in ("Sample", "Map")] == ["Sample", "Map"] * len(CELLS)


def test_only_what_reads_samples_draws_them_again(shown):
    assert "Nothing to be done" in shown.plan().text
    plan = shown.plan({"scores": {"calibration": {"ace_bins": 10}}})
    assert plan.jobs == {
        "score": 2,
        "tables": 1,
        "figure": 8 + 2,
        "page": 1,
    }  # and reliability, pictures
    plan = shown.plan({"uncertainty": {"none_roles": "strict"}})
    assert (plan.jobs["sample"], plan.jobs["maps"]) == (2, 2)
    assert "train" not in plan.jobs
    plan = shown.plan({"figures": {"qualitative": {"images": 1}}})
    assert plan.jobs == {"figure": 1, "page": 1}


def test_what_another_study_keeps_stays(whole, tmp_path):
    mine = whole.copy(tmp_path / "mine")
    change = {"study": "other", "samples": {"keep": "none"}}
    plan = mine.plan(change)
    assert plan.jobs == {"maps": 2, "score": 2, "card": 1, "tables": 1, "figure": 8 + 3, "page": 1}
    assert "qualitative-phantom" not in plan.text
    done = mine.snakemake("--cores", "2", change=change)
    assert done.returncode == 0, done.stdout
    assert len(samples(mine)) == len(CELLS)
    assert "Nothing to be done" in mine.plan().text
    opened = xr.open_zarr(
        mine.results.parent / "other/maps/phantom/ssn-dropout/rep0/maps.zarr",
        group="id",
        consolidated=False,
    )
    assert "shown_probs" not in opened


def test_a_study_that_keeps_samples_takes_over_those_that_were_to_go(shown, tmp_path):
    mine = shown.copy(tmp_path / "mine")
    # A run of `shown` that ends before its maps leaves samples that are to go.
    change = {"uncertainty": {"none_roles": "strict"}}
    done = mine.snakemake("--cores", "2", "--until", "sample", change=change)
    assert done.returncode == 0, done.stdout
    assert len(samples(mine)) == len(CELLS)
    keeper = {"study": "keeper", "samples": {"keep": "all"}}
    assert mine.snakemake("--cores", "2", "--until", "maps", change=keeper).returncode == 0
    assert mine.snakemake("--cores", "2", change=change).returncode == 0
    assert len(samples(mine)) == len(CELLS)


def test_a_picture_needs_the_samples_that_it_shows(whole):
    done = whole.snakemake("-n", change={"figures": {"qualitative": {"images": 4}}})
    assert done.returncode != 0
    assert "figures.qualitative.images: expected at most 3" in done.stdout
    settings = json.loads(
        next(whole.results.glob("settings/maps/phantom/ssn-dropout/rep0-*.json")).read_text()
    )
    assert (settings["shown"], settings["keep"]) == (3, True)
