"""The studies that come with the package, laid over config.yaml: what each would run."""

import json
import re
import shlex

import pytest
import yaml
from study import ROOT, Plan, Study

pytestmark = pytest.mark.workflow

STUDIES = {path.stem: path for path in sorted((ROOT / "workflow/studies").glob("*.yaml"))}
CELLS = 19  # 4 aleatoric models x 5 epistemic methods, less softmax-none
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


def settings(plan, stage):
    """Settings that the jobs of a stage would read, by the end of their path."""
    lines = re.findall(rf"(printf .*) > \S+/settings/{stage}/(\S+)\.json", plan.text)
    return {path: json.loads(shlex.split(command)[-1]) for command, path in lines}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_has_every_cell_of_every_replicate(name, plans):
    replicates = yaml.safe_load(STUDIES[name].read_text())["replicates"]
    members = 2 if name == "smoke" else 5
    jobs = plans[name].stages()
    assert jobs["prepare"] == jobs["data_card"] == 1
    assert jobs["train"] == 4 * (members + 1) * replicates  # members, and one with dropout
    assert jobs["sample"] == jobs["uncertainty"] == jobs["score"] == CELLS * replicates


@pytest.mark.parametrize("name", FILES)
def test_a_paper_study_trains_as_the_paper_did_whatever_config_yaml_has(name, plans):
    found = settings(plans[name], "train")
    assert len(found) == 120
    for path, job in found.items():
        _, aleatoric, recipe, _ = path.split("/")
        lidc_epochs = 500 if aleatoric == "prob_unet" else 1000
        assert job["training"] == {
            "epochs": lidc_epochs if name == "paper_lidc" else 500,
            "batch": 32,
            "learning_rate": 1e-4,
            "weight_decay": 0.0,
            "clip": 0.5,
            "ema": 0.999,
        }
        channels = {"channels": [32, 64, 128, 256], "blocks": 2, "attention": 2}
        assert job["network"] == channels | {"head_channels": 32}
        first = path.endswith(tuple(f"/seed{5 * replicate}" for replicate in range(5)))
        assert job["recipe"]["snapshots"] == (30 if recipe == "plain" and first else 0)
        assert job["recipe"]["dropout"] == (0.2 if recipe == "dropout" else 0.0)


@pytest.mark.parametrize("name", FILES)
def test_a_paper_study_samples_as_the_paper_did(name, plans):
    for path, job in settings(plans[name], "sample").items():
        _, aleatoric, epistemic = re.split("[/-]", path)[:3]
        hypotheses = {"none": 1, "ensemble": 5}.get(epistemic, 10)
        assert job["epistemic"]["hypotheses"] == hypotheses
        assert len(job["checkpoints"]) == (5 if epistemic == "ensemble" else 1)
        assert job["sampler"] == ({"steps": 10} if aleatoric == "diffusion" else {})
        assert (job["au_samples"], job["batch"]) == (10, 8)


@pytest.mark.parametrize("name", FILES)
def test_a_dry_run_needs_no_data_and_says_what_is_missing_and_what_it_takes(name, plans):
    dataset = name.removeprefix("paper_")
    assert plans[name].about("Prepare") == [dataset]
    for file in FILES[name]:
        warning = f"datasets.{dataset}: no file {file}; where to get it: docs/data.md"
        assert warning in plans[name].text
    assert re.search(r"GPU-hours to do: about [\d,]+ of training, \d+ of", plans[name].text)
    assert re.search(r"samples in all: [\d,]+, [\d,.]+ GB", plans[name].text)


def test_hours_are_told_only_where_a_gpu_is_asked_for(plans):
    assert "GPU-hours" not in plans["standard"].text


@pytest.mark.parametrize("name", FILES)
def test_a_run_that_lacks_data_stops_before_its_first_job(name, tmp_path):
    study = copy(name, tmp_path)
    done = study.snakemake("--cores", "1")
    assert done.returncode == 1
    missing = f"datasets.{name.removeprefix('paper_')}: no file {', '.join(FILES[name])}; "
    assert missing in done.stdout
    assert not study.results.exists()


def test_data_that_are_prepared_already_may_be_gone(tmp_path):
    study = copy("paper_lidc", tmp_path)
    (study.results / "datasets/lidc").mkdir(parents=True)
    done = study.snakemake("--cores", "1", "results/paper_lidc/settings/card/lidc.json")
    assert done.returncode == 0, done.stdout
    assert "no file" not in done.stdout


def test_null_takes_an_entry_away(tmp_path):
    change = {"aleatoric": {"diffusion": None}, "epistemic": {"ensemble": None}}
    plan = copy("smoke", tmp_path).plan(change)
    # 3 models x 4 methods less softmax-none; 3 models x (plain and dropout)
    assert plan.stages()["sample"] == 11
    assert plan.stages()["train"] == 6
    assert "qualitative" not in plan.stages()  # it shows ensembles, of which there is none
