"""A stage that is killed, starved or raises fails the run, which says so; the next one mends it."""

import re

import pytest
from harness import STAGES, forget, leftovers, log_of, made, run

pytestmark = pytest.mark.workflow

# How a process is struck; what its log says then, where it could say anything.
FAULTS = {
    "memory": ({}, "MemoryError|allocate memory|bad_alloc"),
    "disk": ({"size": 512}, r"segue: error: results/\S+: File too large"),
    "exception": ({}, "RuntimeError: struck"),
    "kill": ({}, None),
}
LAST = 40  # lines of what Snakemake says


def strike(finished, name, kind, **options):
    """A strike at a third of what the stage does."""
    return {"at": 1 + finished.changes[name] // 3, "kind": kind, **options}


@pytest.fixture(scope="module", params=STAGES, ids=[stage.name for stage in STAGES])
def stage(request):
    return request.param


@pytest.fixture(scope="module")
def study(stage, finished, tmp_path_factory):
    """The study as it is before the stage."""
    return finished.without(stage.name, tmp_path_factory.mktemp(stage.name) / "project")


@pytest.mark.parametrize("kind", FAULTS)
def test_a_struck_stage_fails_the_run_and_says_where(kind, stage, study, finished, record_property):
    options, reason = FAULTS[kind]
    forget(study, stage.name)
    done = run(study, strikes={stage.name: [strike(finished, stage.name, kind, **options)]})
    record_property("fault", kind)
    assert done.struck == done.started == [stage.name]  # nothing that comes later
    assert done.status == 1
    assert made(study, stage) == []
    end = "\n".join(done.said.splitlines()[-LAST:])
    assert f"Error in rule {stage.name}:" in end
    log = log_of(study, stage)
    assert f"log: {log.relative_to(study.folder)}" in end
    failed = [line for line in done.said.splitlines()[-8:] if line.startswith("Failed: ")]
    assert [str(log.relative_to(study.folder)) in line for line in failed] == [True]
    if reason:
        assert re.search(reason, log.read_text())


def test_the_next_run_ends_as_if_nothing_had_been(study, finished):
    done = run(study)
    assert done.status == 0, done.said
    assert study.files("tables") == finished.tables
    assert leftovers(study) == []


def test_a_job_that_is_killed_once_succeeds_when_retried(finished, tmp_path, record_property):
    study = finished.without(STAGES[0].name, tmp_path / "project")
    once = {stage.name: [strike(finished, stage.name, "kill")] for stage in STAGES}
    done = run(study, "--retries", "1", strikes=once)
    for _ in STAGES:
        record_property("fault", "kill with a retry")
    assert done.status == 0, done.said
    assert done.struck == [stage.name for stage in STAGES]
    assert done.started == [stage.name for stage in STAGES for _ in range(2)]
    assert study.files("tables") == finished.tables
    assert leftovers(study) == []
