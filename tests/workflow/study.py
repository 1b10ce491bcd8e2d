"""A copy of the project in which a test runs studies, and what it reads off Snakemake's words."""

import copy
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import yaml

ROOT = Path(__file__).parent.parent.parent
NEEDED = ("Snakefile", "config.yaml", "workflow", "profiles", "envs", "src")
JOB = re.compile(r"^Job \d+: (.*)$", re.MULTILINE)
KEY = re.compile(r"-[0-9a-f]{8}$")
SAID = {
    "prepare": "datasets to prepare",
    "train": "trainings to do",
    "sample": "cells to sample",
    "given": "stores of predictions to check",
    "maps": "cells to map",
    "score": "cells to score",
}
STATS = re.compile(r"^Job stats:\njob .*\n[- ]+\n((?:\w+ +\d+\n)+)", re.MULTILINE)


class Study:
    """A copy of the project.

    Args:
        folder: where the copy is put; must not exist.
        config: laid over config.yaml.
    """

    def __init__(self, folder: Path, config: dict) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for name in NEEDED:
            source = ROOT / name
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=ignore)
            else:
                shutil.copy(source, folder / name)
        (folder / "study.yaml").write_text(yaml.safe_dump(config))

    def at(self, folder: Path) -> "Study":
        """The same study in a copy of its folder."""
        other = copy.copy(self)
        other.folder = folder
        return other

    @property
    def results(self) -> Path:
        """Folder of the study's results."""
        config = yaml.safe_load((self.folder / "study.yaml").read_text())
        return self.folder / "results" / config["study"]

    def snakemake(self, *arguments: str, change: dict | None = None) -> subprocess.CompletedProcess:
        """Run Snakemake on the study to its end; ``change`` is laid over its config."""
        return subprocess.run(self._command(arguments, change), **self._how(), check=False)

    def run(self, *arguments: str) -> str:
        """Run Snakemake, which must succeed, and return what it said."""
        done = self.snakemake(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def plan(self, change: dict | None = None) -> "Plan":
        """What would run, after a change of the config."""
        done = self.snakemake("-n", change=change)
        assert done.returncode == 0, done.stdout
        plan = Plan(done.stdout)
        # What the summary says is what Snakemake will do.
        assert plan.said() == {rule: n for rule, n in plan.jobs.items() if rule in SAID}
        return plan

    def run_and_kill(self, when: Callable[[], bool], *arguments: str) -> None:
        """Run Snakemake and kill it and its jobs (SIGKILL) as soon as ``when`` says so."""
        running = self.start(*arguments)
        while not when():
            assert running.poll() is None, "it ended before it could be killed"
            time.sleep(0.005)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()

    def start(
        self,
        *arguments: str,
        environment: dict | None = None,
        output: int | IO = subprocess.DEVNULL,
    ) -> subprocess.Popen:
        """Begin to run Snakemake in a process group of its own, with what it says in ``output``."""
        how = self._how() | {"stdout": output, "start_new_session": True}
        how["env"] |= environment or {}
        return subprocess.Popen(self._command(arguments, None), **how)

    def copy(self, folder: Path) -> "Study":
        """The same study with all its results, and Snakemake's memory of them, in a new folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return self.at(folder)

    def files(self, folder: str) -> dict[str, bytes]:
        """Content of each file below a folder of the results."""
        root = self.results / folder
        paths = [path for path in sorted(root.rglob("*")) if path.is_file()]
        return {str(path.relative_to(root)): path.read_bytes() for path in paths}

    def _command(self, arguments: tuple[str, ...], change: dict | None) -> list[str]:
        configs = ["study.yaml"]
        if change is not None:
            (self.folder / "change.yaml").write_text(yaml.safe_dump(change))
            configs.append("change.yaml")
        command = [sys.executable, "-m", "snakemake", *arguments, "--nocolor"]
        return [*command, "--configfile", *configs]

    def _how(self) -> dict:
        """Arguments of subprocess: in the copy's folder, with the copy's code."""
        environment = os.environ | {"PYTHONPATH": str(self.folder / "src")}
        return {
            "cwd": self.folder,
            "env": environment,
            "text": True,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
        }


class Plan:
    """What a dry run says.

    Attributes:
        text: all of it.
        jobs: number of jobs by rule, but for ``all``.
        messages: one a job, sorted, such as ``Train lidc/ssn/plain/rep0-member0-1a2b3c4d``.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        found = STATS.search(text)
        rows = [line.split() for line in found[1].splitlines()] if found else []
        self.jobs = {rule: int(count) for rule, count in rows if rule not in ("all", "total")}
        self.messages = sorted(JOB.findall(text))

    def about(self, verb: str) -> list[str]:
        """Ids of the jobs whose messages begin with ``verb``, without keys of their settings."""
        ids = [m.removeprefix(verb).strip() for m in self.messages if m.startswith(f"{verb} ")]
        return [KEY.sub("", id) for id in ids]

    def said(self) -> dict[str, int]:
        """Number of jobs by rule, as the summary says it, of the rules it speaks of."""
        numbers = {
            rule: re.search(f"{text}: ([0-9]+) of", self.text) for rule, text in SAID.items()
        }
        return {rule: int(found[1]) for rule, found in numbers.items() if found and int(found[1])}
