"""Values of labels and samples, block by block: the first that is wrong, and what is to be said."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr

from segue import dims
from segue.errors import InputError

OFF = 5e-3
"""How far a sum over ``class``, or a value above 1, may be off: bfloat16 rounds by 2^-8 = 0.004."""

BELOW = 1e-3
"""How far below 0 a value may be: one minus a probability that half precision rounded up."""

_EXACT = 1e-4  # sums that are off by less are not worth a word


class Found(NamedTuple):
    """What the values of some images are.

    Attributes:
        off: largest distance of a sum over ``class`` from 1.
        least, most: of the probabilities.
        readings: images times raters; ``missing``: those without any label.
        pixels: of the other readings; ``unlabelled``: those of them without a label.
        foreground: pixels of a class above 0.
    """

    off: float = 0.0
    least: float = 0.0
    most: float = 0.0
    readings: int = 0
    missing: int = 0
    pixels: int = 0
    unlabelled: int = 0
    foreground: int = 0

    def joined(self, other: "Found") -> "Found":
        """What the values of these images and of others are."""
        extremes = (max(self.off, other.off), min(self.least, other.least))
        most = max(self.most, other.most)
        counts = map(sum, zip(self[3:], other[3:], strict=True))
        return Found(*extremes, most, *counts)


class Offence(NamedTuple):
    """An element that may not be there.

    Attributes:
        place: its index along each dimension, by name, ``image`` first.
        what: what was expected there, what was found, and the remedy.
    """

    place: dict[str, int]
    what: str


def values(block: xr.Dataset, where: str, start: int) -> Found:
    """What the values of a loaded block are.

    Args:
        block: ``probs`` and ``labels`` as they are stored.
        where: what messages begin with.
        start: index of its first image in the split.

    Raises:
        InputError: for the first image, in order, that has an offence.
    """
    probs = block["probs"].values
    with np.errstate(over="ignore", invalid="ignore"):  # of what is no probability
        probs = probs.astype(np.float32, copy=False)
        total, least, most = (
            probs.sum(axis=3, dtype=np.float32),
            probs.min(axis=3),
            probs.max(axis=3),
        )
        good = (most <= 1 + OFF) & (least >= -BELOW) & (abs(total - 1) <= OFF)  # false for NaN
    offences = [("probs", each) for each in _probs_offences(block["probs"], probs, good)]
    offences += [("labels", each) for each in _labels_offences(block["labels"], probs.shape[3])]
    if offences:
        name, offence = min(offences, key=lambda each: each[1].place["image"])
        place = offence.place | {"image": start + offence.place["image"]}
        at = ", ".join(f"{dim} {index}" for dim, index in place.items())
        raise InputError(f"{where}/{name}: {at}: {offence.what}")
    extremes = float(abs(total - 1).max()), float(least.min()), float(most.max())
    return Found(*extremes, *_counts(block["labels"].values))


def remarks(found: dict[str, Found], where: str) -> list[str]:
    """Lines on what is right but worth knowing.

    Args:
        found: of each split, by its name.
        where: what the error begins with.

    Raises:
        InputError: labels of 0 and 255 alone: masks of a picture, not classes with gaps.
    """
    every = Found()
    for each in found.values():
        every = every.joined(each)
    if every.unlabelled and not every.foreground:
        raise InputError(
            f"{where}: labels are 0 or {dims.UNLABELLED} (no label), and no class above 0 is "
            f"anywhere; if {dims.UNLABELLED} is the foreground of masks, write labels // 255"
        )
    lines = []
    if every.off > _EXACT or every.least < 0 or every.most > 1:
        lines.append(
            f"probs are normalised: sums over 'class' are off by up to {every.off:.2g}, values "
            f"run from {every.least:.4g} to {every.most:.8g}"
        )
    for name, each in found.items():
        if each.missing:
            lines.append(
                f"{name}/labels: {each.missing} of {each.readings} readings (an image by a rater) "
                "are missing"
            )
        if each.unlabelled:
            lines.append(
                f"{name}/labels: {each.unlabelled} of {each.pixels} pixels of the readings have no "
                "label"
            )
    return lines


def _counts(labels: np.ndarray) -> tuple[int, ...]:
    """The counts of ``Found``, of labels (image, rater, y, x)."""
    size = labels.shape[2] * labels.shape[3]
    each = dims.unlabelled(labels).sum(axis=(2, 3))
    missing = int((each == size).sum())
    foreground = int(np.count_nonzero(labels)) - int(each.sum())  # markers are not 0 either
    return (
        each.size,
        missing,
        (each.size - missing) * size,
        int(each.sum()) - missing * size,
        foreground,
    )


def _probs_offences(probs: xr.DataArray, values: np.ndarray, good: np.ndarray) -> Iterator[Offence]:
    def what(at: tuple[int, ...]) -> str:
        given = values[(*at[:3], slice(None), *at[3:])]
        listed = probs.values[(*at[:3], slice(None), *at[3:])].tolist()
        if np.isnan(given).any():
            return f"expected probabilities, found NaN in {listed}; write what the model gave there"
        if given.min() < -BELOW or given.max() > 1 + OFF:
            remedy = _remedy(given, float(np.nanmin(values)), float(np.nanmax(values)))
            return f"expected probabilities in [0, 1], found {listed}; {remedy}"
        return (
            f"expected a sum of 1 over 'class', found {given.sum():.6g} of {listed}; write "
            "probabilities of all classes that exclude each other, background first"
        )

    yield from _first(good, [str(dim) for dim in probs.dims if dim != "class"], what)


def _remedy(given: np.ndarray, low: float, high: float) -> str:
    """What to do about values outside [0, 1].

    Args:
        given: those of the classes of a pixel.
        low, high: of the values around it.
    """
    with np.errstate(over="ignore"):
        logarithms = high <= 0 and abs(np.exp(given).sum() - 1) <= OFF
    if logarithms:
        return "these are logarithms of probabilities: write np.exp of them"
    if low >= 0:
        return f"they reach {high:.4g}: divide them by their sum over 'class'"
    return f"they run from {low:.4g} to {high:.4g} as logits do: write their softmax over 'class'"


def _labels_offences(labels: xr.DataArray, classes: int) -> Iterator[Offence]:
    stored = labels.values
    good = ((stored >= 0) & (stored < classes)) | dims.unlabelled(stored)
    if stored.dtype.kind == "f":
        good &= (stored == np.floor(stored)) | np.isnan(stored)
    yield from _first(
        good,
        list(map(str, labels.dims)),
        lambda at: (
            f"expected a class, 0 to {classes - 1}, found {stored[at]}; write "
            f"{dims.UNLABELLED} (uint8) where a rater gives none"
        ),
    )


def _first(
    good: np.ndarray, names: list[str], what: Callable[[tuple[int, ...]], str]
) -> Iterator[Offence]:
    """The first element, in the order of the dimensions, that is not good; or nothing."""
    if good.all():
        return
    at = tuple(int(i) for i in np.unravel_index(np.argmin(good), good.shape))
    yield Offence(dict(zip(names, at, strict=True)), what(at))
