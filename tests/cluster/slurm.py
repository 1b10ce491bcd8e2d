"""A SLURM cluster of one node on this machine, with GPUs that are none, while a test needs it.

Its configuration, munge's key and socket, and all state lie in one folder, and its ports are free
ones: a cluster that this machine may be part of is not touched.
"""

import contextlib
import os
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
CPUS = 8  # whatever the machine has: jobs of a test wait more than they compute
WAIT_S = 60

CONFIG = """\
ClusterName=segue
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=2
MinJobAge=3600
ReturnToService=2
GresTypes=gpu
{accounting}
SlurmdParameters=config_overrides
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=16000 Gres=gpu:{gpus}
PartitionName=cpu Nodes=node Default=YES
PartitionName=gpu Nodes=node
PartitionName=urgent Nodes=node PriorityTier=10
"""


Accounting = Callable[["Cluster", str], str]
"""Function of a cluster and the name of its host."""


def missing() -> str | None:
    """Why no cluster can be started here; None where one can."""
    if absent := [name for name in DAEMONS if not _program(name)]:
        return f"SLURM is not installed: no {', '.join(absent)} (CONTRIBUTING.md)"
    if find_spec("snakemake_executor_plugin_slurm") is None:
        return "the extra `slurm` is not installed"
    return None if os.geteuid() == 0 else "slurmd needs root"


class Cluster:
    """A running cluster.

    Attributes:
        environment: variables with which SLURM's commands, and Snakemake, find it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
        self._daemons: dict[str, subprocess.Popen] = {}

    def run(self, *command: str) -> str:
        """Run one of SLURM's commands, which must succeed, and return what it prints."""
        environment = os.environ | self.environment
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def jobs(self, comment: str = "") -> list[dict[str, str]]:
        """Jobs whose comment begins so, as ``scontrol`` tells of them, the first one first."""
        lines = self.run("scontrol", "-o", "show", "jobs").splitlines()
        jobs = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines if "=" in line]
        found = [job for job in jobs if job.get("Comment", "").startswith(comment)]
        return sorted(found, key=lambda job: int(job["JobId"]))

    def job(self, number: str) -> dict[str, str]:
        """What ``scontrol`` tells of one job."""
        return next(job for job in self.jobs() if job["JobId"] == number)

    def restart_controller(self) -> None:
        """Stop the controller and start it with the state that it saved."""
        self.stop("slurmctld")
        self.start("slurmctld", "-D")
        wait_for(self._answers)

    def start(self, name: str, *arguments: str) -> None:
        """Start a daemon, which ends with this process at the latest; its words go to a log."""
        command = ["setpriv", "--pdeathsig", "TERM", _program(name), *arguments]
        environment = os.environ | self.environment
        with (self.folder / f"{name}.log").open("a") as log:
            self._daemons[name] = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def stop(self, name: str) -> None:
        """End a daemon."""
        daemon = self._daemons.pop(name)
        daemon.terminate()
        try:
            daemon.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def close(self) -> None:
        """End all jobs and daemons."""
        with contextlib.suppress(AssertionError):  # the controller may be what has failed
            self.run("scancel", "--user=root")
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: not self.run("squeue", "--noheader"))
        for name in reversed(list(self._daemons)):
            self.stop(name)

    def begin(self, gpus: int, accounting: Accounting | None) -> None:
        """Write the configuration, start the daemons and wait until the node takes jobs."""
        folder = self.folder
        for name in ("state", "spool", "bin"):
            (folder / name).mkdir()
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        files = {"key-file": key, "socket": folder / "munge.socket"}
        files |= {f"{name}-file": folder / f"munged.{name}" for name in ("pid", "log", "seed")}
        self.start("munged", "-F", *(f"--{name}={path}" for name, path in files.items()))
        wait_for((folder / "munge.socket").exists)
        host = socket.gethostname().split(".")[0]
        account = accounting(self, host) if accounting else ""
        controller, node = free_ports(2)
        config = CONFIG.format(
            **{"host": host, "folder": folder, "cpus": CPUS, "gpus": gpus},
            **{"controller": controller, "node": node, "accounting": account},
        )
        (folder / "slurm.conf").write_text(config)
        for number in range(gpus):
            os.mknod(folder / f"gpu{number}", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        (folder / "gres.conf").write_text(
            f"NodeName=node Name=gpu File={folder}/gpu[0-{gpus - 1}]\n"
        )
        (folder / "cgroup.conf").write_text("ConstrainCores=no\nConstrainRAMSpace=no\n")
        # The plugin's job steps start srun without SLURM_CONF.
        srun = folder / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {_program("srun")} "$@"\n')
        srun.chmod(0o755)
        self.start("slurmctld", "-D")
        self.start("slurmd", "-D", "-N", "node")
        wait_for(lambda: "idle" in self.run("sinfo", "--noheader", "--format=%T"))

    def _answers(self) -> bool:
        return "UP" in self.run("scontrol", "ping")


@contextlib.contextmanager
def cluster(gpus: int, accounting: Accounting | None = None) -> Iterator[Cluster]:
    """Start a cluster, and end it and all its jobs.

    Args:
        gpus: of its node, at least one; jobs are given numbers of them, and nothing else.
        accounting: starts what keeps accounts, and returns the lines of slurm.conf that name it.

    Raises:
        TimeoutError: a daemon does not come up; its log is in the message.
    """
    # Paths of sockets have to be short.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    running = Cluster(folder)
    try:
        try:
            running.begin(gpus, accounting)
        except TimeoutError as error:
            logs = [f"{log}:\n{log.read_text()[-2000:]}" for log in folder.glob("*.log")]
            raise TimeoutError("\n".join([str(error), *logs])) from None
        yield running
    finally:
        running.close()
        shutil.rmtree(folder)


def wait_for(holds: Callable[[], object], seconds: float = WAIT_S) -> None:
    """Wait until something holds; as long as it fails, it does not.

    Raises:
        TimeoutError: it does not come to hold.
    """
    end = time.monotonic() + seconds
    while True:
        problem: object = "it is not so"
        try:
            if holds():
                return
        except AssertionError as error:
            problem = error
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s: {problem}")
        time.sleep(0.2)


def free_ports(number: int) -> list[int]:
    """Ports of the loopback that nobody listens to."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
