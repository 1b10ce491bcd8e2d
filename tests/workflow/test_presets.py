"""The studies that come with the package, laid over config.yaml: what each would run."""

import re

import pytest
import yaml
from counted import grid
from study import ROOT, Plan, Study

pytestmark = pytest.mark.workflow

STUDIES = {path.stem: path for path in sorted((ROOT / "workflow/studies").glob("*.yaml"))}
ONE = ("smoke", "paper_lidc", "paper_chaksu")  # studies of one dataset
FILES = {
    "paper_lidc": ["data/data_lidc.pickle"],
    "paper_chaksu": ["data/Train.zip", "data/Test.zip"],
}


def copy(name, folder):
    return Study(folder / "project", yaml.safe_load(STUDIES[name].read_text()))


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    """What each study would run, with the commands."""
    found = {}
    for name in STUDIES:
        done = copy(name, tmp_path_factory.mktemp(name)).snakemake("-n", "-p")
        assert done.returncode == 0, done.stdout
        found[name] = Plan(done.stdout)
    return found


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_has_every_cell_of_every_replicate(name, plans):
    counted, jobs = grid(name), plans[name].jobs
    of_each = len(counted.datasets) * yaml.safe_load(STUDIES[name].read_text())["replicates"]
    assert jobs["prepare"] == jobs["card"] == len(counted.datasets)
    assert len(counted.datasets) == 1 or name not in ONE
    assert jobs["train"] == len(counted.trainings) * of_each
    assert jobs["sample"] == jobs["maps"] == jobs["score"] == len(counted.cells) * of_each


@pytest.mark.parametrize("name", FILES)
def test_a_dry_run_needs_no_data_and_says_what_is_missing_and_what_it_takes(name, plans):
    dataset = name.removeprefix("paper_")
    assert plans[name].about("Prepare") == [dataset]
    for file in FILES[name]:
        warning = f"datasets.{dataset}: no file {file}; where to get it: docs/data.md"
        assert warning in plans[name].text
    assert re.search(r"GPU-hours to do: about [\d,]+ of training, \d+ of", plans[name].text)
    assert re.search(r"samples in all: [\d,]+\n", plans[name].text)
    for kept in ("all", "shown", "none"):
        assert re.search(rf"\b{kept} [\d,.]+ GB in [\d,]+ files", plans[name].text)


def test_hours_are_told_only_where_a_gpu_is_asked_for(plans):
    assert "GPU-hours" not in plans["standard"].text


@pytest.mark.parametrize("name", STUDIES)
def test_a_job_is_told_whether_it_asked_for_a_gpu(name, plans):
    told = re.findall(r"segue stage (?:train|sample) .* --gpu (\d) ", plans[name].text)
    jobs = plans[name].jobs
    assert told == [str(int(name in FILES))] * (jobs["train"] + jobs["sample"])


@pytest.mark.parametrize("name", FILES)
def test_a_run_that_lacks_data_stops_before_its_first_job(name, tmp_path):
    study = copy(name, tmp_path)
    done = study.snakemake("--cores", "1")
    assert done.returncode == 1
    missing = f"datasets.{name.removeprefix('paper_')}: no file {', '.join(FILES[name])}; "
    assert missing in done.stdout
    assert not study.results.exists()
    assert not (study.results.parent / "shared").exists()
