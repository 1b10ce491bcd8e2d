"""The predictions of one image, or of the slices of one volume, out of one or several files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segue.errors import InputError
from segue.interop.arrays import stored
from segue.interop.axes import PLANE, Volume, cut_of, volume
from segue.interop.patterns import Files

KEYS = ("member", "draw", "class")
"""What a file of predictions may be of, beside an image."""

_LEAD = "eac"
_AXES = {"member": "e", "draw": "a", "class": "c"}

Check = Callable[[tuple[str, ...], int, np.ndarray], None]
"""Sees whether class probabilities (class, y, x) of a file, by its key and an image, may be so."""


@dataclass(frozen=True)
class Case:
    """Predictions in files.

    Attributes:
        name: of the image or volume; empty where a file has all images.
        files: all of them.
        volumes: those of this case, by the values of ``files.keys``.
        cut: the axis along which they are cut into images; None of single images.
        affine: from voxels to space; None where nothing says it.
        check: of each file's probabilities; None for none.
    """

    name: str
    files: Files
    volumes: Mapping[tuple[str, ...], Volume]
    cut: str | None
    affine: np.ndarray | None = None
    check: Check | None = None

    @property
    def first(self) -> Volume:
        """Any of the volumes: all have the same axes and sizes."""
        return next(iter(self.volumes.values()))

    @property
    def sizes(self) -> tuple[int, int, int]:
        """How many images, rows and columns there are."""
        rows, columns = (self.first.size(each) for each in PLANE if each != _space(self.cut))
        return self.first.size(self.cut) if self.cut else 1, rows, columns

    @property
    def foreground(self) -> bool:
        """Whether the files have the probability of the foreground alone."""
        return self.first.size("c") * len(self.files.values.get("class", [None])) == 1

    @property
    def classes(self) -> int:
        """How many classes there are, background included."""
        return max(2, self.first.size("c") * len(self.files.values.get("class", [None])))

    def probs(self, index: int) -> np.ndarray:
        """Class probabilities (eu_sample, au_sample, class, y, x) of an image.

        The probability of a foreground alone is completed by that of the background.
        """
        members, draws, classes = (self.files.values.get(key, [None]) for key in KEYS)
        rows = []
        for member in members:
            row = [self._joined((member, draw), classes, index) for draw in draws]
            rows.append(np.concatenate(row, axis=1))
        return np.concatenate(rows, axis=0)

    def _joined(
        self, of: tuple[str | None, ...], classes: Sequence[str | None], index: int
    ) -> np.ndarray:
        """The classes of one member and draw, as ``probs``."""
        parts = []
        for each in classes:
            key = tuple(value for value in (*of, each) if value is not None)
            found = self.volumes[key]
            part = found.plane(self.cut, index, _LEAD)
            lacking = [i for i, letter in enumerate(_LEAD) if letter not in found.letters]
            parts.append(np.expand_dims(part, lacking))
        joined = np.concatenate(parts, axis=2) if parts[1:] else parts[0]
        if self.foreground:
            joined = np.concatenate([1 - joined, joined], axis=2)
        if self.check:
            self.check(key, index, joined[0, 0])
        return joined


def open_case(files: Files, name: str, *, axes: str | None, cut: str | None) -> Case:
    """Open the files of a case; no more than their headers are read.

    Args:
        files: all of them.
        name: of the case.
        axes: letters of the axes of each file (``segue.interop.axes``); None: as is usual.
        cut: the axis along which volumes are cut into images.

    Raises:
        InputError: a file that cannot be read, or files that do not fit together.
    """
    opened = {key: volume(stored(path), "c", cut, axes) for key, path in files.images[name].items()}
    first = next(iter(opened.values()))
    for key in files.keys:
        if _AXES[key] in first.letters:
            raise InputError(
                f"{first.stored.path}: has an axis {_AXES[key]} ({first.letters}, of the shape "
                f"{first.stored.shape}), and {files.pattern} has {{{key}}}: one of them is "
                "something else; correct the pattern or --axes"
            )
    for other in opened.values():
        if (other.letters, other.stored.shape) != (first.letters, first.stored.shape):
            raise InputError(
                f"{other.stored.path}: expected the axes {first.letters} and the shape "
                f"{first.stored.shape} as {first.stored.path} has, found {other.letters} and "
                f"{other.stored.shape}"
            )
    return Case(name, files, opened, cut_of(first, cut), first.stored.affine)


def check_classes(files: Files) -> None:
    """See that files of a class each are of 0, 1, ... to the last, or of the foreground, 1, alone.

    Raises:
        InputError: they are others.
    """
    classes = files.values.get("class", ["1"])
    if classes != ["1"] and classes != list(map(str, range(len(classes)))):
        raise InputError(
            f"{files.pattern}: expected the classes 0 (background), 1, 2, ..., or 1 alone, found "
            f"{', '.join(classes)}; put the index that a class has in the labels into the names"
        )


def _space(cut: str | None) -> str:
    """The axis of space that images do not have; it is ``z`` of those that are no slices."""
    return cut if cut and cut in PLANE else "z"
