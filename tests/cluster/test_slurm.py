"""Studies on a real SLURM cluster: the tables of a local run, whatever befalls their jobs."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import accounts
import harness
import pytest
import slurm
import yaml
from slurm import Cluster, wait_for
from study import Study

REASON = slurm.missing()
pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
]

ACCOUNTING = os.environ.get("ACCT") == "1"
TABLES = "results/tiny/tables/performance.csv"
CONFIG = {
    "replicates": 3,
    "training": {"epochs": 4},
    "resources": {"prepare": {"threads": 1}, "train": {"gpu": 1}, "tables": {"mem_mb": 900}},
}
# The one with GPUs is so small that jobs without one would fill it best; their retries fit it too.
PARTITIONS = {
    "cpu": {},
    "gpu": {"max_runtime": "1d", "max_mem_mb": 6000, "max_threads": 1}
    | {"max_gpu": 3, "max_mpi_tasks": 0},
}
HOLD = {"at": 12, "kind": "hold", "until": "never"}  # a training, after two epochs
GROW = {
    "at": 1,
    "kind": "grow",
    "mb": 900,
}  # more than a first attempt may have, less than a second
# The executor asks after jobs ever more seldom, as long as none ends.
ASK_OFTEN = """
from snakemake_executor_plugin_slurm import Executor

Executor.next_seconds_between_status_checks = property(lambda self: 1, lambda self, seconds: None)
"""
NO_COMMAND = ("--output=/dev/null", "--wrap", "sleep 1")


class Done(NamedTuple):
    """A run that has ended.

    Attributes:
        study: with its results.
        jobs: of the cluster, as ``scontrol`` tells of them.
        struck: what befell a job that trained -> its number.
        said: all that Snakemake printed.
    """

    study: Study
    jobs: list[dict[str, str]]
    struck: dict[str, str]
    said: str

    def of(self, rule: str) -> list[dict[str, str]]:
        """Jobs of a rule, or of a group of them."""
        return [job for job in self.jobs if job.get("Comment", "").startswith(f"rule_{rule}")]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """The tiny study in three replicates, nothing of it run, made to wait but little."""
    study = harness.new_study(tmp_path_factory.mktemp("pristine") / "project", CONFIG)
    code = study.folder / "src/segue/models/train.py"
    often = code.read_text().replace("_SAVE_EVERY_S = 60.0", "_SAVE_EVERY_S = 0.0")
    assert often != code.read_text()
    code.write_text(often)
    with (study.folder / "Snakefile").open("a") as file:
        file.write(ASK_OFTEN)
    profile = study.folder / "profiles/slurm/config.yaml"
    settings = yaml.safe_load(profile.read_text()) | {"partitions": PARTITIONS}
    if ACCOUNTING:
        settings |= {
            "slurm-status-command": "sacct",
            "default-resources": {"slurm_account": "lab"},
        }
    profile.write_text(yaml.safe_dump(settings))
    return study


@pytest.fixture(scope="module")
def local(pristine, tmp_path_factory):
    """A run without a cluster, beside the other, which mostly waits."""
    study = pristine.copy(tmp_path_factory.mktemp("local") / "project")
    with said(study).open("w") as output:
        head = study.start(TABLES, "--cores", "1", output=output)
    yield study, head
    if head.poll() is None:
        os.killpg(head.pid, signal.SIGKILL)
        head.wait()


@pytest.fixture(scope="module")
def running():
    with slurm.cluster(gpus=3, accounting=accounts.keep if ACCOUNTING else None) as running:
        yield running


@pytest.fixture(scope="module")
def done(pristine, running, tmp_path_factory):
    """A run whose trainings are struck; whose head is killed; whose controller is restarted."""
    study = pristine.copy(tmp_path_factory.mktemp("cluster") / "project")
    head = start(study, running, train=[HOLD] * 3, sample=[HOLD])
    try:
        struck = strike_trainings(study, running)
        # The jobs that were cancelled and timed out are there a second time.
        wait_for(lambda: held(study, "sample") and len(running.jobs("rule_train")) == 5, 300)
        wait_for(lambda: running.job(struck["preempted"])["JobState"] == "COMPLETED", 120)
    finally:
        os.killpg(head.pid, signal.SIGKILL)
        head.wait()
    first = said(study).read_text()
    # As docs/cluster.md says.
    name = running.jobs("rule_train")[0]["JobName"]
    running.run("scancel", f"--name={name}")
    wait_for(lambda: not running.run("squeue", "--noheader"))
    study.run("--unlock")

    before = len(running.jobs())
    head = start(study, running, tables=[GROW] * 2)
    wait_for(lambda: len(running.jobs()) > before, 120)
    running.restart_controller()
    try:
        wait_for(lambda: head.poll() is not None, 600)
    finally:
        if head.poll() is None:
            os.killpg(head.pid, signal.SIGKILL)
        assert head.wait() == 0, said(study).read_text()
    return Done(study, running.jobs(), struck, first + said(study).read_text())


def start(study: Study, running: Cluster, **strikes: list[dict[str, Any]]) -> subprocess.Popen:
    """Begin a run on the cluster; stage -> strikes of its processes, as in ``harness.run``."""
    environment = harness.plan(study, strikes) | running.environment
    with said(study).open("w") as output:
        return study.start(
            *(TABLES, "--workflow-profile", "profiles/slurm"),
            environment=environment,
            output=output,
        )


def said(study: Study) -> Path:
    return study.folder / "said"


def strike_trainings(study: Study, running: Cluster) -> dict[str, str]:
    """Have the three jobs that train preempted, cancelled and timed out."""
    wait_for(lambda: held(study, "train") == 3, 240)
    assert len(list(harness.root(study).rglob("state.pt"))) == 3
    jobs = [job["JobId"] for job in running.jobs("rule_train")]
    # Five of eight CPUs are free.
    running.run("sbatch", "--partition=urgent", "--cpus-per-task=6", "--mem=100", *NO_COMMAND)
    wait_for(lambda: any(running.job(job)["Restarts"] == "1" for job in jobs))
    (preempted,) = (job for job in jobs if running.job(job)["Restarts"] == "1")
    cancelled, timed_out = (job for job in jobs if job != preempted)
    running.run("scontrol", "update", f"JobId={timed_out}", "TimeLimit=1")
    running.run("scancel", cancelled)
    # SLURM lets two minutes go by before it starts a preempted job again.
    running.run("scontrol", "update", f"JobId={preempted}", "StartTime=now")
    return {"preempted": preempted, "cancelled": cancelled, "timed out": timed_out}


def held(study: Study, stage: str) -> int:
    """Number of a stage's processes that have been struck."""
    ledger = (study.folder / "faults/ledger").read_text().splitlines()
    return sum(line.startswith("struck") and line.endswith(stage) for line in ledger)


def test_the_tables_are_those_of_a_local_run(local, done):
    study, head = local
    assert head.wait(600) == 0, said(study).read_text()
    assert done.study.files("tables") == study.files("tables")


def test_a_job_goes_to_the_partition_of_what_it_asks_for(done):
    training = done.of("train")
    for job in training:
        assert (job["Partition"], job["TresPerJob"]) == ("gpu", "gres:gpu:1")
    others = [job for job in done.jobs if "Comment" in job and job not in training]
    assert {job["Partition"] for job in others} == {"cpu"}
    assert not any("TresPerJob" in job for job in others)


def test_the_scores_of_all_cells_are_one_job(done):
    (job,) = done.of("scores")
    assert job["NumCPUs"] == "3"
    assert not any(job["Comment"].startswith("rule_score_") for job in done.of("score"))


def test_trainings_resume_however_their_jobs_ended(done):
    logs = list(done.study.results.glob("logs/train/**/*.log"))
    assert len(logs) == 3
    for log in logs:
        assert "resuming after 2 epochs" in log.read_text()
    ends = {
        name: [j["JobState"] for j in done.jobs if j["JobId"] == number]
        for name, number in done.struck.items()
    }
    assert ends == {
        "preempted": ["COMPLETED"],
        "cancelled": ["CANCELLED"],
        "timed out": ["TIMEOUT"],
    }


def test_a_job_that_took_too_much_memory_is_given_twice_as_much(done):
    first, second = done.of("tables")
    assert (first["MinMemoryNode"], second["MinMemoryNode"]) == ("900M", "1800M")
    assert (first["JobState"], second["JobState"]) == ("FAILED", "COMPLETED")


def test_what_is_said_of_a_failed_job_names_its_logs(done):
    log = (
        done.study.folder / f".snakemake/slurm_logs/rule_tables/{done.of('tables')[0]['JobId']}.log"
    )
    assert str(log) in done.said
    assert "exceeded memory limit" in log.read_text()
    assert "results/tiny/logs/tables.log" in done.said


@pytest.mark.skipif(not ACCOUNTING, reason="without ACCT=1 there are no accounts")
def test_jobs_are_of_the_account(done):
    assert {job["Account"] for job in done.jobs if "Comment" in job} == {"lab"}
