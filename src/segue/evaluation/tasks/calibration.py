"""Calibration: does total uncertainty say how often the prediction is wrong?

A sample is a pixel that a rater labelled; what has no label does not count.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import expit

from segue import dims
from segue.blocks import blocks
from segue.evaluation.metrics import refit
from segue.evaluation.metrics.calibration import (
    Curve,
    Histogram,
    ace,
    bin_of,
    curve,
    ece,
    histogram,
    in_bins,
    platt,
)
from segue.evaluation.metrics.masks import argmax
from segue.evaluation.readings import labelled
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant

TASK = Task(
    metric="ace",
    higher_is_better=False,
    correct="TU",
    wrong=("AU", "EU"),
    references=("val",),
    aggregations=("pooled", "image"),
)

UNREAD = "no image that a rater read"
UNFITTED = "no image of val that a rater read, so no confidence"

_VARIABLES = ("labels", "uncertainty", "prediction")

Key = tuple[str, str]
"""Names of a variant and a measure."""

Weights = Mapping[str, np.ndarray]
"""Of each split's images, (draw, image)."""


def score(
    splits: Mapping[str, xr.Dataset],
    variants: Sequence[Variant],
    *,
    ace_bins: int,
    platt_bins: int,
) -> Iterator[Score]:
    """Average and expected calibration error (``ace``, ``ece``) of each measure, of every split.

    Each measure becomes a confidence by Platt scaling fitted on ``val``. Aggregation ``pooled`` has
    one value over the pixels of all images, ``image`` one for each image. In a bootstrap draw the
    pooled errors are those of a sigmoid fitted anew on the draw's images of ``val`` (see
    ``segue.evaluation.metrics.refit``); those of single images keep that of all images.

    Args:
        splits, variants: see ``segue.evaluation.task``; faults 1, 2 and 4 take effect here.
        ace_bins: uniform bins of confidence.
        platt_bins: logarithmic bins of uncertainty in the fit.
    """
    samples = _samples(splits["val"], variants, platt_bins)
    pooled = _pooled(samples)
    if not next(iter(pooled.values())).total.any():
        yield from _undefined(splits, variants)
        return
    fitted = {key: platt(each) for key, each in pooled.items()}
    drawn = {
        key: _once(partial(_refitted, images=samples[key], start=fitted[key])) for key in samples
    }
    for name, split in splits.items():
        found = _binned(split, variants, fitted, platt_bins, ace_bins)
        for variant, measure in product(variants, dims.MEASURES):
            key = (variant.name, measure)
            images, parted = found[key]
            of_split = {"split": name, "images": parted, "start": fitted[key], "bins": ace_bins}
            again = _once(partial(_drawn, fit=drawn[key], **of_split))
            yield from _errors(name, measure, variant, images, again)


def reliability(
    splits: Mapping[str, xr.Dataset], variant: Variant, *, ace_bins: int, platt_bins: int
) -> dict[tuple[str, str], Curve]:
    """The curve (bin,) of all pixels of each split and measure, of which the errors are the gaps.

    Args: see ``score``. Empty where no image of ``val`` was read.
    """
    pooled = _pooled(_samples(splits["val"], [variant], platt_bins))
    if not next(iter(pooled.values())).total.any():
        return {}
    fitted = {key: platt(each) for key, each in pooled.items()}
    return {
        (name, measure): Curve(*(sums.sum(axis=0) for sums in images))
        for name, split in splits.items()
        for (_, measure), (images, _) in _binned(
            split, [variant], fitted, platt_bins, ace_bins
        ).items()
    }


def _errors(
    split: str,
    measure: str,
    variant: Variant,
    images: Curve,
    drawn: Callable[[Weights], Curve],
) -> Iterator[Score]:
    """Scores from the curve of each image, (image, bin), and the pooled one of each draw."""
    defined = images.total.any(axis=-1)
    key = {"variant": variant.name, "defined": defined, "reason": "" if defined.any() else UNREAD}
    by_image = images
    if variant.one_class_wrong:
        all_right = (images.right.sum(-1) == images.total.sum(-1))[..., None]
        by_image = images._replace(right=np.where(all_right, 0, images.right))
    pooled = Curve(*(sums.sum(axis=0) for sums in images))
    for metric, error in (("ace", ace), ("ece", ece)):
        again = partial(_of, error=error, drawn=drawn)
        yield Score(metric, split, error(pooled), measure, "pooled", reweighted=again, **key)
        yield Score(metric, split, error(by_image), measure, "image", **key)


def _undefined(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    for (name, split), variant in product(splits.items(), variants):
        empty = np.full(split.sizes["image"], np.nan)
        key = {"variant": variant.name, "defined": np.isfinite(empty), "reason": UNFITTED}
        for measure, metric in product(dims.MEASURES, ("ace", "ece")):
            yield Score(metric, name, np.nan, measure, "pooled", **key)
            yield Score(metric, name, empty, measure, "image", **key)


def _pooled(samples: Mapping[Key, Histogram]) -> dict[Key, Histogram]:
    """Sums (bin,) over all images."""
    return {
        key: Histogram(*(np.asarray(each.sum(axis=0)) for each in images))
        for key, images in samples.items()
    }


def _samples(split: xr.Dataset, variants: Sequence[Variant], bins: int) -> dict[Key, Histogram]:
    """Samples (image, bin) of each variant and measure, sparse."""
    found: dict[Key, list[Histogram]] = {}
    for block in blocks(split, *_VARIABLES):
        for variant in variants:
            maps, agreement, raters = _compared(block, variant)
            for measure, u in zip(dims.MEASURES, maps, strict=True):
                sums = histogram(u, agreement, raters, bin_of(u, bins), bins)
                found.setdefault((variant.name, measure), []).append(refit.sparse(sums))
    return {key: refit.joined(parts) for key, parts in found.items()}


def _binned(
    split: xr.Dataset,
    variants: Sequence[Variant],
    fitted: Mapping[Key, tuple[float, float]],
    platt_bins: int,
    ace_bins: int,
) -> dict[Key, tuple[Curve, refit.Parted]]:
    """Of each variant and measure, the curve of each image and its samples in parted bins."""
    found: dict[Key, tuple[list[Curve], list[refit.Parted]]] = {key: ([], []) for key in fitted}
    for block in blocks(split, *_VARIABLES):
        for variant in variants:
            maps, agreement, raters = _compared(block, variant)
            for measure, u in zip(dims.MEASURES, maps, strict=True):
                a, b = fitted[variant.name, measure]
                confidence = expit(a * u.astype(np.float64) - b)
                index = refit.parted(bin_of(u, platt_bins), confidence, ace_bins, a > 0)
                bins = platt_bins + refit.PARTS * ace_bins
                sums = in_bins(index, bins, agreement, raters, u, confidence)
                images, parted = found[variant.name, measure]
                images.append(curve(confidence, agreement, raters, ace_bins))
                parted.append(refit.sparse(refit.Parted(*sums)))
    return {
        key: (Curve(*map(np.concatenate, zip(*images, strict=True))), refit.joined(parted))
        for key, (images, parted) in found.items()
    }


def _refitted(weights: Weights, images: Histogram, start: tuple[float, float]) -> np.ndarray:
    return refit.sigmoids(images, weights["val"], start)


def _drawn(
    weights: Weights,
    fit: Callable[[Weights], np.ndarray],
    split: str,
    images: refit.Parted,
    start: tuple[float, float],
    bins: int,
) -> Curve:
    return refit.curves(images, weights[split], fit(weights), start, bins)


def _of(weights: Weights, error: Callable[[Curve], np.ndarray], drawn: Callable[[Weights], Curve]):
    return error(drawn(weights))


def _once(function: Callable[[Weights], Any]) -> Callable[[Weights], Any]:
    """The function, which remembers what it found for the weights, the same for all scores."""
    last: list[Any] = [None, None]

    def found(weights: Weights) -> Any:
        if last[0] is not weights:
            last[:] = [weights, function(weights)]
        return last[1]

    return found


def _compared(
    block: xr.Dataset, variant: Variant
) -> tuple[np.ndarray, np.ndarray, np.ndarray | int]:
    """Maps (measure, image, y, x), and of each pixel how many raters agree and how many there are.

    The numbers of raters are (image, y, x); those that there are one number where no label lacks.
    """
    mask, labels = argmax(block["prediction"].values, axis=1), block["labels"].values
    agreement = (labels == mask[:, None]).sum(axis=1)  # which no UNLABELLED does
    there = labelled(labels)
    raters = labels.shape[1] if there.all() else there.sum(axis=1)
    if variant.foreground_wrong and block.sizes["class"] == 2:
        agreement = agreement * (mask == 0)
    maps = np.moveaxis(block["uncertainty"].values, 1, 0)
    maps = np.swapaxes(maps, -1, -2) if variant.transposed_maps else maps
    return maps, agreement, raters
