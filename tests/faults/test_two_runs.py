"""Two runs in one folder, and a run beside the orphans of a killed one."""

import os
import signal
import time

import pytest
from harness import (
    SILENT_S,
    finish,
    leftovers,
    root,
    run,
    stage,
    start,
    targets,
    until_struck,
)

pytestmark = pytest.mark.workflow

HELD_UP = ("prepare", "train", "sample", "score")
REFUSED = "another process is writing this result"


def held(gate, finished, name):
    """A strike that holds a stage up, at a third of what it does, until ``gate`` is there."""
    at = 1 + finished.changes[name] // 3
    return {name: [{"kind": "hold", "at": at, "until": str(gate)}]}


def state(folder):
    """Content and time of each file of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def until_ended(group):
    """Wait until no process is left of a group."""
    deadline = time.monotonic() + SILENT_S
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    raise AssertionError(f"process group {group} has not ended")


def test_a_second_run_is_refused_and_changes_nothing(finished, tmp_path):
    study, gate = finished.without("train", tmp_path / "project"), tmp_path / "gate"
    first = start(study, strikes=held(gate, finished, "train"))
    until_struck(study, first)
    before = state(root(study))
    second = study.snakemake(*targets(study))
    assert second.returncode == 1
    assert "Directory cannot be locked" in second.stdout
    assert state(root(study)) == before
    gate.touch()
    assert finish(study, first).status == 0
    assert study.files("tables") == finished.tables


@pytest.mark.parametrize("stage", [stage(name) for name in HELD_UP], ids=HELD_UP)
def test_an_orphan_of_a_killed_run_and_a_new_job_never_write_one_result_both(
    stage, finished, tmp_path, record_property
):
    study, gate = finished.without(stage.name, tmp_path / "project"), tmp_path / "gate"
    first = start(study, strikes=held(gate, finished, stage.name))
    until_struck(study, first)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    record_property("fault", "orphan")
    assert study.snakemake(*targets(study)).returncode == 1
    study.run("--unlock")
    second = run(study)
    assert second.started[0] == stage.name
    assert second.status == 1
    assert second.started == [stage.name]
    assert REFUSED in second.said
    gate.touch()
    until_ended(first.pid)
    third = run(study)
    assert third.status == 0, third.said
    assert study.files("tables") == finished.tables
    assert leftovers(study) == []
