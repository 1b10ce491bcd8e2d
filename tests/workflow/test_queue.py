"""Jobs that wait in a queue keep to what their run began with, whatever is edited meanwhile."""

import os
import subprocess
import time
from pathlib import Path
from typing import IO

import pytest
from snakemake_executor_plugin_queue import OPEN
from study import Study
from test_anywhere import CUT

pytestmark = pytest.mark.workflow

TRAINING = "lidc_contours/softmax/dropout/rep0-member0"


def break_off(study: Study) -> None:
    """Somebody is in the middle of typing."""
    for name in ("config.yaml", "study.yaml"):
        (study.folder / name).write_text("a: [")


def begin_another(study: Study) -> None:
    """The next study: another name, a longer training, one more method."""
    defaults, config = study.folder / "config.yaml", study.folder / "study.yaml"
    entry = "{method: dropout, recipe: dropout, hypotheses: 3, options: {redraw: false}}"
    more = f"epistemic:\n  more: {entry}\n"
    defaults.write_text(defaults.read_text().replace("epistemic:\n", more))
    after = config.read_text().replace("study: cut", "study: next")
    config.write_text(after.replace("epochs: 1", "epochs: 2"))


def start(study: Study, *arguments: str, output: IO) -> subprocess.Popen:
    """Begin a run whose jobs wait in the queue."""
    folders = [str(study.folder / "src"), str(Path(__file__).parent)]
    return study.start(
        *("--executor", "queue", "--jobs", "1", "--seconds-between-status-checks", "1"),
        *("--until", "train"),
        *arguments,
        environment={"PYTHONPATH": os.pathsep.join(folders)},
        output=output,
    )


def models(study: Study) -> dict[str, bytes]:
    """The weights of each training, by its folder."""
    root = study.folder / "results/shared/models"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("model.pt")}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The weights of a run that nothing disturbed."""
    study = Study(tmp_path_factory.mktemp("queue") / "project", CUT)
    study.run("--cores", "1", "--until", "train")
    return models(study)


@pytest.mark.parametrize("edit", [break_off, begin_another])
def test_a_job_that_waits_reads_no_config_that_was_edited_meanwhile(edit, expected, tmp_path):
    study = Study(tmp_path / "project", CUT)
    kept = {name: (study.folder / name).read_text() for name in ("config.yaml", "study.yaml")}
    said = tmp_path / "said"
    with said.open("w") as output:
        head = start(study, output=output)
        while not any(study.folder.glob("results/*/settings/prepare")):
            assert head.poll() is None, said.read_text()
            time.sleep(0.1)
        edit(study)
        (study.folder / OPEN).touch()
        assert head.wait() == 0, said.read_text()
    assert models(study) == expected
    if edit is begin_another:
        assert study.plan().about("Train") == [TRAINING]
    for name, text in kept.items():
        (study.folder / name).write_text(text)
    assert not study.plan().about("Train")


def test_of_jobs_that_failed_as_a_group_each_is_named_with_its_log(tmp_path):
    collect = {"share": 1.0, "learning_rate": 0.001}
    recipes = {"dropout": {"snapshots": 20, "collect": collect}}  # in two steps
    study = Study(tmp_path / "project", {**CUT, "recipes": recipes})
    (study.folder / OPEN).touch()
    said = tmp_path / "said"
    with said.open("w") as output:
        head = start(study, "--groups", "train=all", output=output)
        assert head.wait() == 1
    (line,) = (line for line in said.read_text().splitlines() if line.startswith("Failed: "))
    assert line.startswith(f"Failed: train {TRAINING}")
    assert line.endswith(".log")
