"""A study runs from any folder, under any name, and as a part of another workflow."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from counted import grid, others
from study import NEEDED, ROOT, Plan

pytestmark = pytest.mark.workflow

CUT = {
    "study": "cut",
    "replicates": 1,
    "datasets": {
        **others("datasets", "lidc_contours"),
        "lidc_contours": {"options": {"crop": 16, "images": {"train": 8, "val": 4, "id": 6}}},
    },
    "network": {"channels": [4, 8], "attention": 1, "heads": 1, "group_channels": 4},
    "aleatoric": others("aleatoric", "softmax"),
    "epistemic": {
        **others("epistemic", "dropout"),
        "dropout": {"hypotheses": 2},
    },
    "training": {"epochs": 1},
}
ODD = "Ergebnisse für Müller/a b"
OUTER = """
configfile: "outer.yaml"


module segue:
    snakefile:
        {snakefile!r}
    config:
        config["segue"]


use rule * from segue as segue_*


rule mine:
    default_target: True
    input:
        {table!r},
    output:
        "mine.csv",
    shell:
        "cp {{input:q}} {{output:q}}"
"""


def checkout(folder: Path) -> Path:
    """What a checkout of the project holds, in a folder."""
    folder.mkdir(parents=True)
    for name in NEEDED:
        source, ignore = ROOT / name, shutil.ignore_patterns("__pycache__", "*.egg-info")
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy(source, folder / name)
    return folder


def snakemake(project: Path, folder: Path, *arguments: str, **environment: str):
    """Run Snakemake in a folder, with the code of a checkout."""
    env = os.environ | {"PYTHONPATH": str(project / "src"), **environment}
    command = [sys.executable, "-m", "snakemake", "--nocolor", *arguments]
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run(command, cwd=folder, env=env, check=False, **how)


def files(folder: Path) -> set[Path]:
    """What lies in a folder, but for what Python keeps of modules."""
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A checkout whose own path is odd, and which nobody may write to, where that binds."""
    folder = checkout(tmp_path_factory.mktemp("anywhere") / "Prüfung eins")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


@pytest.fixture
def outside(tmp_path):
    """A folder that is neither the checkout nor where the run is started."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "cut.yaml").write_text(yaml.safe_dump(CUT))
    return folder


def test_it_runs_in_a_folder_of_its_own_and_leaves_the_checkout_alone(project, outside, tmp_path):
    before = files(project)
    (outside / "elsewhere").mkdir()
    (outside / "results").symlink_to("elsewhere")
    where = ["-s", str(project / "Snakefile"), "--directory", str(outside)]
    study = ["--configfile", str(outside / "cut.yaml")]
    done = snakemake(project, tmp_path, *where, "--cores", "2", *study)
    assert done.returncode == 0, done.stdout
    assert (outside / "elsewhere/cut/tables/performance.csv").exists()
    assert files(project) == before
    again = snakemake(project, tmp_path, *where, "--cores", "2", *study)
    assert "Nothing to be done" in again.stdout


def test_a_config_in_that_folder_is_the_one_that_counts(project, outside, tmp_path):
    own = yaml.safe_load((project / "config.yaml").read_text()) | {"study": "own"}
    (outside / "config.yaml").write_text(yaml.safe_dump(own))
    where = ["-s", str(project / "Snakefile"), "--directory", str(outside)]
    done = snakemake(project, tmp_path, *where, "-n")
    assert done.returncode == 0, done.stdout
    assert "Study own: 114 cells" in done.stdout
    assert "config read from: config.yaml" in done.stdout


def test_another_workflow_has_it_as_a_module_with_odd_paths(project, outside):
    table = f"{ODD}/cut/tables/performance.csv"
    snakefile = OUTER.format(snakefile=str(project / "Snakefile"), table=table)
    (outside / "Snakefile").write_text(snakefile)
    (outside / "outer.yaml").write_text(yaml.safe_dump({"segue": CUT | {"results": ODD}}))
    done = snakemake(project, outside, "--cores", "2")
    assert done.returncode == 0, done.stdout
    assert (outside / "mine.csv").read_bytes() == (outside / table).read_bytes()
    assert "segue_train" in done.stdout


def test_the_presets_are_found_from_anywhere(project, outside, tmp_path):
    where = ["-s", str(project / "Snakefile"), "--directory", str(outside)]
    preset = str(project / "workflow/studies/paper_lidc.yaml")
    done = snakemake(project, tmp_path, *where, "-n", "--configfile", preset)
    assert done.returncode == 0, done.stdout
    of_each = 5 * len(grid("paper_lidc").datasets)  # replicates
    assert Plan(done.stdout).jobs["train"] == of_each * len(grid("paper_lidc").trainings)


def test_the_cache_of_snakemake_may_lie_elsewhere(project, outside, tmp_path):
    where = ["-s", str(project / "Snakefile"), "--directory", str(outside)]
    nowhere = {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": ""}
    assert snakemake(project, tmp_path, *where, "-n", **nowhere).returncode != 0
    nowhere["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    assert snakemake(project, tmp_path, *where, "-n", **nowhere).returncode == 0
