"""One seed, one result: whatever the number of cores, and however often the run was killed."""

import pytest
import yaml
from study import ROOT, Study

pytestmark = pytest.mark.workflow

KEPT = {"aleatoric": ("softmax", "ssn"), "epistemic": ("dropout", "swag")}


@pytest.fixture(scope="module")
def config():
    """The smoke study of four cells only."""
    preset = yaml.safe_load((ROOT / "workflow/studies/smoke.yaml").read_text())
    whole = yaml.safe_load((ROOT / "config.yaml").read_text())
    left_out = [
        f"{a}-{e}"
        for a in whole["aleatoric"]
        for e in whole["epistemic"]
        if not (a in KEPT["aleatoric"] and e in KEPT["epistemic"])
    ]
    return {**preset, "study": "tiny", "not_applicable": left_out}


@pytest.fixture(scope="module")
def tables(config, tmp_path_factory):
    """The tables of a run on one core that nothing disturbed."""
    study = Study(tmp_path_factory.mktemp("one") / "project", config)
    study.run("--cores", "1", "--until", "tables")
    assert {"performance.csv", "entanglement.csv"} <= study.files("tables").keys()
    return study.files("tables")


def test_two_cores_make_the_tables_of_one(config, tables, tmp_path):
    study = Study(tmp_path / "project", config)
    study.run("--cores", "2", "--until", "tables")
    assert study.files("tables") == tables


def test_a_run_that_was_killed_in_each_stage_ends_with_the_same_tables(config, tables, tmp_path):
    study = Study(tmp_path / "project", config)
    unfinished = {
        "prepare": "datasets/*/unfinished/.dataset.zarr.*.tmp",
        "train": "models/**/.model.pt.unfinished/lock",
        "sample": "samples/**/.samples.zarr.unfinished/samples.zarr",
    }
    for stage, pattern in unfinished.items():

        def begun(pattern=pattern):
            return any((study.results.parent / "shared").glob(pattern))

        study.run_and_kill(begun, "--cores", "2", "--until", "tables")
        assert begun(), f"{stage} was done before it could be killed"
        assert study.snakemake("--cores", "2").returncode != 0  # the lock is still there
        study.run("--unlock")
    study.run("--cores", "2", "--until", "tables")
    assert study.files("tables") == tables
