"""The studies that come with the package, laid over config.yaml: what each would run."""

import pytest
import yaml
from study import ROOT, Study

pytestmark = pytest.mark.workflow

STUDIES = sorted((ROOT / "workflow/studies").glob("*.yaml"))
CELLS = 19  # 4 aleatoric models x 5 epistemic methods, less softmax-none


def planned(folder, preset, change=None):
    study = Study(folder / "project", yaml.safe_load(preset.read_text()))
    return study.plan(change)


@pytest.mark.parametrize("preset", STUDIES, ids=lambda path: path.stem)
def test_a_study_has_every_cell_of_every_replicate(preset, tmp_path):
    replicates = yaml.safe_load(preset.read_text())["replicates"]
    members = 2 if preset.stem == "smoke" else 5
    jobs = planned(tmp_path, preset).stages()
    assert jobs["prepare"] == jobs["data_card"] == 1
    assert jobs["train"] == 4 * (members + 1) * replicates  # members, and one with dropout
    assert jobs["sample"] == jobs["uncertainty"] == jobs["score"] == CELLS * replicates


@pytest.mark.parametrize(
    ("name", "files"), [("lidc", ["data_lidc.pickle"]), ("chaksu", ["Train.zip", "Test.zip"])]
)
def test_a_paper_study_is_of_its_own_data_and_says_what_is_missing(name, files, tmp_path):
    plan = planned(tmp_path, ROOT / f"workflow/studies/paper_{name}.yaml")
    assert plan.about("Prepare") == [name]
    for file in files:
        assert f"datasets.{name}: no file data/{file}; where to get it: docs/data.md" in plan.text
    assert "GPU-hours of the whole study: about " in plan.text


def test_a_missing_file_stops_a_real_run(tmp_path):
    preset = ROOT / "workflow/studies/paper_lidc.yaml"
    study = Study(tmp_path / "project", yaml.safe_load(preset.read_text()))
    done = study.snakemake("--cores", "1", "--until", "prepare")
    assert done.returncode == 1
    assert "segue: error: lidc: path: no file or folder data/data_lidc.pickle" in done.stdout


def test_null_takes_an_entry_away(tmp_path):
    change = {"aleatoric": {"diffusion": None}, "epistemic": {"ensemble": None}}
    plan = planned(tmp_path, ROOT / "workflow/studies/smoke.yaml", change)
    # 3 models x 4 methods less softmax-none; 3 models x (plain and dropout)
    assert plan.stages()["sample"] == 11
    assert plan.stages()["train"] == 6
    assert "GPU-hours" not in plan.text
