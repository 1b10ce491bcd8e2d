"""A small study's files, made by the stages themselves, and the stage that reads each of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from segue import files, plugins, store
from segue.data.prepare import prepare
from segue.evaluation.maps import write_maps
from segue.evaluation.score import intervals_beside, score
from segue.keys import CELL
from segue.models import train
from segue.models.sample import sample
from segue.report.figure_data import read_table
from segue.report.score_files import read_intervals, read_means
from segue.report.tables import tables

METHODS = ("dropout", "ensemble")
LABELS = ["contours", "softmax", "dropout", "seed0"]
CELLS = [["contours", "softmax", method, 0] for method in METHODS]
SCORES = {"ambiguity": {}, "segmentation": {}}
TRAINING = {
    "aleatoric": {"method": "softmax"},
    "network": {"channels": [4, 8], "blocks": 1, "attention": 1, "heads": 1, "group_channels": 4},
    "recipe": {"dropout": 0.2, "snapshots": 2},
    "training": {
        "epochs": 2,
        "batch": 8,
        "learning_rate": 0.01,
        "weight_decay": 0.0,
        "clip": 0.5,
        "ema": 0.9,
    },
}


class Artefacts:
    """Paths of the files in a folder, and how each is read.

    Args:
        folder: where they are; each store in a folder of its own, as in a study.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dataset, self.samples, self.maps = (
            folder / name / f"{name}.zarr" for name in ("dataset", "samples", "maps")
        )
        self.checkpoint, self.work = folder / "model" / "a.pt", folder / "work"
        self.scores = [folder / "scores" / f"{method}.csv" for method in METHODS]
        self.intervals = [intervals_beside(path) for path in self.scores]
        self.tables = folder / "tables"

    def make(self) -> None:
        """Run every stage once, and leave the state of an interrupted training in ``work``."""
        images = {"train": 16, "val": 4, "id": 4}
        prepare(
            self.dataset,
            source="lidc_contours",
            options={"crop": 16, "images": images},
            seed=0,
            threads=1,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(train, "_SAVE_EVERY_S", 0)
            patch.setattr(train, "save", _killed)
            with pytest.raises(KeyboardInterrupt):
                self.train(self.work)
        self.train(self.folder / "again")
        self.sample(self.samples)
        self.maps_of_samples(self.maps)
        for path, method in zip(self.scores, METHODS, strict=True):
            self.score(path, method)
        ranked = {"tasks": {"ambiguity": ""}}
        paths = [str(path) for path in self.scores]
        tables(self.tables, scores=paths, options=ranked, cells=CELLS, not_applicable=[], seed=0)

    def train(self, work: Path) -> None:
        train.train(
            self.checkpoint,
            dataset=str(self.dataset),
            **TRAINING,
            labels=LABELS,
            seed=0,
            work=str(work),
            threads=1,
        )

    def sample(self, out: Path) -> None:
        sample(
            out,
            dataset=str(self.dataset),
            checkpoints=[str(self.checkpoint)],
            aleatoric="softmax",
            sampler={},
            epistemic={"method": "dropout", "hypotheses": 2, "options": {"redraw": False}},
            au_samples=1,
            noise="common",
            batch=2,
            labels=LABELS,
            seed=0,
            work=str(self.folder / "sampling"),
            threads=1,
        )

    def maps_of_samples(self, out: Path) -> None:
        write_maps(
            out,
            dataset=str(self.dataset),
            samples=str(self.samples),
            none_roles="strict",
            options=plugins.taken(plugins.SUMMARISE, SCORES),
        )

    def score(self, out: Path, method: str = METHODS[0]) -> None:
        key = {"study": "faults", "dataset": "contours", "aleatoric": "softmax", "replicate": 0}
        score(
            out,
            dataset=str(self.dataset),
            maps=str(self.maps),
            key={**key, "epistemic": method},
            variants=["corrected", "jackknife"],  # which read all maps
            options=plugins.taken(plugins.SCORE, SCORES),
            seed=0,
        )

    def reader(self, file: Path) -> Callable[[], object]:
        """A call of the stage that reads ``file``, to its end or to its error."""
        out = self.folder / "out"
        if file == self.checkpoint or self.samples in file.parents or self.maps in file.parents:
            stage = self.sample if file == self.checkpoint else self.score
            if self.samples in file.parents:
                stage = self.maps_of_samples
            return lambda: self._run(stage, out / "a")
        if self.work in file.parents:
            return self._resume
        if file in self.scores:
            return lambda: read_means(self.scores, CELLS)
        if file in self.intervals:
            return lambda: read_intervals(self.scores, CELLS, read_means(self.scores, CELLS))
        if file.parent == self.tables:
            return lambda: read_table(self.tables, file.stem, CELL, ["delta"])
        return self._reader_of_dataset(file)

    def _reader_of_dataset(self, file: Path) -> Callable[[], object]:
        split, array, *_ = (*file.relative_to(self.dataset).parts, "")
        if (split == "train" and array in ("image", "labels")) or file.parent == self.dataset:
            return lambda: self.train(self.folder / "again")
        if array == "image":
            return lambda: self._run(self.sample, self.folder / "out" / "a")
        if split != "train" and array in ("labels", "patient"):
            return lambda: self._run(self.score, self.folder / "out" / "a")
        return lambda: [
            store.open_split(self.dataset, s).load() for s in store.splits(self.dataset)
        ]

    def _run(self, stage: Callable[[Path], None], out: Path) -> None:
        try:
            stage(out)
        finally:
            for left in (out.parent, self.folder / "sampling"):
                files.remove(left)

    def _resume(self) -> None:
        """Go on training from a copy of the state."""
        copy = self.folder / "again"
        shutil.copytree(self.work, copy)
        self.train(copy)


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
