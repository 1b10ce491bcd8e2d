"""A tiny study whose stages' processes are struck, and what Snakemake says and leaves after that.

What the workflow's rules decide - names, paths, the command - is written here and nowhere else.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from counted import others
from study import Study

INJECT = Path(__file__).parent / "inject"
SILENT_S = 120  # what has said nothing for so long hangs: no job of the tiny study takes a tenth


class Stage(NamedTuple):
    """One stage of the tiny study, in which it is one job; paths are patterns below ``results``.

    Attributes:
        name: word of the command line after COMMAND, and the rule of the workflow.
        outputs: what the rule declares.
        results: all that the job makes.
        log: of its job.
    """

    name: str
    outputs: str
    results: str
    log: str


COMMAND = "stage"  # words between `segue` and the stage
CELL = "shapes/softmax-dropout/rep0"
TRAINED = "shapes/softmax/dropout/rep0-member0"


def _stamped(name: str, folder: str, id: str) -> Stage:
    """A stage whose job leaves a stamp in the folder of all that it makes."""
    return Stage(name, f"{folder}/made.json", folder, f"tiny/logs/{name}/{id}.log")


STAGES = (
    _stamped("prepare", "shared/datasets/shapes-*", "shapes-*"),
    _stamped("train", f"shared/models/{TRAINED}-*", f"{TRAINED}-*"),
    _stamped("sample", f"shared/samples/{CELL}-*", f"{CELL}-*"),
    _stamped("maps", f"tiny/maps/{CELL}", CELL),
    _stamped("score", f"tiny/scores/{CELL}", CELL),
    Stage("tables", "tiny/tables/[!.]*", "tiny/tables/*", "tiny/logs/tables.log"),
    Stage("figure", "tiny/figures/[!.]*", "tiny/figures/*", "tiny/logs/figure/rank_scatter.log"),
)
TARGETS = ("tables/performance.csv", "figures/rank_scatter.svg")  # they need each of the stages
CONFIG = {
    "study": "tiny",
    "replicates": 1,
    "datasets": {
        **others("datasets"),
        "shapes": {
            "source": "folder",
            "options": {"path": "shapes.zarr", "classes": ["background", "disc"]},
        },
    },
    "network": {"channels": [4, 8], "attention": 1, "heads": 1, "group_channels": 4},
    "aleatoric": others("aleatoric", "softmax"),
    "epistemic": {
        **others("epistemic", "dropout"),
        "dropout": {"hypotheses": 2},
    },
    "recipes": others("recipes", "dropout"),
    "not_applicable": [],
    "training": {"epochs": 1},
    "figures": {"qualitative": {"cells": [], "images": 1}},
}
IMAGES = {"train": 8, "val": 2, "id": 6, "ood_noise": 6}


def stage(name: str) -> Stage:
    return next(each for each in STAGES if each.name == name)


def new_study(folder: Path, change: dict[str, Any] | None = None) -> Study:
    """A copy of the project with the tiny study and its data, nothing of it run.

    Args:
        folder: where the copy is put; must not exist.
        change: sections of its config to put in place of its own.
    """
    study = Study(folder, CONFIG | (change or {}))
    _write_shapes(study.folder / "shapes.zarr")
    return study


def _write_shapes(path: Path) -> None:
    """Noisy discs of 16 pixels, each outlined by three raters."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:16, :16]
    for split, number in IMAGES.items():
        away = np.hypot(y - rng.uniform(5, 10, (number, 1, 1)), x - 8)
        labels = away[:, None] < rng.uniform(3, 5, (number, 3, 1, 1))
        noise = rng.normal(0, 1 if split == "ood_noise" else 0.3, (number, 1, 16, 16))
        images = labels.mean(1, keepdims=True) + noise
        arrays = {
            "image": (("image", "channel", "y", "x"), images.astype("float32")),
            "labels": (("image", "rater", "y", "x"), labels.astype("uint8")),
        }
        xr.Dataset(arrays).to_zarr(path, group=split, consolidated=False, zarr_format=3)


class Run(NamedTuple):
    """A run of Snakemake that has ended.

    Attributes:
        status: its exit status, negative where a signal ended it.
        said: all that it printed.
        started: the stage of each process of ``segue`` that began, in that order.
        struck: the stage of each of them that was struck.
        changes: stage -> how many changes below the results it made, where it ended by itself.
    """

    status: int
    said: str
    started: list[str]
    struck: list[str]
    changes: dict[str, int]


class Finished(NamedTuple):
    """A study that was run to its end.

    Attributes:
        study: itself.
        tables: content of each of its tables, by name.
        changes: stage -> how many changes below the results it made.
    """

    study: Study
    tables: dict[str, bytes]
    changes: dict[str, int]

    def without(self, first: str, folder: Path) -> Study:
        """A copy in which a stage and all after it are still to be done."""
        study = self.study.copy(folder)
        forget(study, first)
        return study


def run(
    study: Study, *arguments: str, strikes: dict[str, Sequence[dict[str, Any]]] | None = None
) -> Run:
    """Run Snakemake on the tiny study until all stages are done, or fail.

    Args:
        study: of ``new_study``.
        arguments: further ones of Snakemake's.
        strikes: stage -> a strike for each of its processes, the first to start first; those after
            them are left alone. ``at``: the change below the results at which, from 1; ``kind``: a
            function of ``inject/sitecustomize.py``; all else: what that function takes.
    """
    begun = start(study, *arguments, strikes=strikes)
    return finish(study, begun)


def start(
    study: Study, *arguments: str, strikes: dict[str, Sequence[dict[str, Any]]] | None = None
) -> subprocess.Popen:
    """Begin what ``run`` does."""
    environment = plan(study, strikes or {})
    with (study.folder / "faults" / "said").open("w") as said:
        return study.start(*targets(study), *arguments, environment=environment, output=said)


def plan(study: Study, strikes: dict[str, Sequence[dict[str, Any]]]) -> dict[str, str]:
    """Plan the strikes of ``run``; returns what they need in the environment of Snakemake."""
    faults = study.folder / "faults"
    faults.mkdir(exist_ok=True)
    # As the process finds it on its command line.
    planned = {f"{COMMAND} {name}".strip(): list(each) for name, each in strikes.items()}
    text = json.dumps({"results": str(root(study)), "strikes": planned})
    (faults / "plan").write_text(text)
    (faults / "ledger").write_text("")
    paths = f"{INJECT}{os.pathsep}{study.folder / 'src'}"
    return {"PYTHONPATH": paths, "SEGUE_TEST_FAULTS": str(faults)}


def targets(study: Study) -> list[str]:
    """Arguments of Snakemake for a run of all stages."""
    folder = study.results.relative_to(study.folder)
    return [*(str(folder / target) for target in TARGETS), "--cores", "2"]


def until_struck(study: Study, begun: subprocess.Popen) -> None:
    """Wait until a process of a run that ``start`` began was struck."""
    ledger = study.folder / "faults" / "ledger"
    while "struck" not in ledger.read_text():
        assert begun.poll() is None, "it ended before it was struck"
        time.sleep(0.02)


def finish(study: Study, begun: subprocess.Popen) -> Run:
    """Wait for a run that ``start`` began; if it hangs, kill it and fail."""
    faults = study.folder / "faults"
    said = faults / "said"
    while (status := begun.poll()) is None:
        if time.time() - said.stat().st_mtime > SILENT_S:
            os.killpg(begun.pid, signal.SIGKILL)
            begun.wait()
            raise AssertionError(f"hung:\n{said.read_text()}")
        time.sleep(0.02)
    noted = {"started": [], "struck": [], "changed": []}
    for line in (faults / "ledger").read_text().splitlines():
        what, *about = line.split()
        noted[what].append(about)
    return Run(
        status,
        said.read_text(),
        [name for *_, name in noted["started"]],
        [name for *_, name in noted["struck"]],
        {name: int(number) for number, *_, name in noted["changed"]},
    )


def root(study: Study) -> Path:
    """Folder of all results, of the study and of what studies share."""
    return study.results.parent


def forget(study: Study, first: str) -> None:
    """Remove the results of a stage and of all after it, and what was to be resumed."""
    for each in STAGES[STAGES.index(stage(first)) :]:
        for path in root(study).glob(each.results):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def made(study: Study, of: Stage) -> list[Path]:
    """What is there of a stage's outputs."""
    return list(root(study).glob(of.outputs))


def log_of(study: Study, of: Stage) -> Path:
    """Log of a stage's job."""
    (path,) = root(study).glob(of.log)
    return path


def leftovers(study: Study) -> list[Path]:
    """What unfinished jobs have left behind: none when all are done."""
    patterns = ("*unfinished*", "*.tmp", "*.partial")
    return [path for pattern in patterns for path in root(study).rglob(pattern)]
