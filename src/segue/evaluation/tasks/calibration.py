"""Calibration: does total uncertainty say how often the prediction is wrong?

A sample is a pixel that a rater labelled; what has no label does not count.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product

import numpy as np
import xarray as xr
from scipy.special import expit

from segue import dims
from segue.blocks import blocks
from segue.evaluation.metrics.calibration import (
    Curve,
    Histogram,
    ace,
    curve,
    ece,
    histogram,
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


def score(
    splits: Mapping[str, xr.Dataset],
    variants: Sequence[Variant],
    *,
    ace_bins: int,
    platt_bins: int,
) -> Iterator[Score]:
    """Average and expected calibration error (``ace``, ``ece``) of each measure, of every split.

    Each measure becomes a confidence by Platt scaling fitted on ``val``. Aggregation ``pooled`` has
    one value over the pixels of all images, ``image`` one for each image.

    Args:
        splits, variants: see ``segue.evaluation.task``; faults 1, 2 and 4 take effect here.
        ace_bins: uniform bins of confidence.
        platt_bins: logarithmic bins of uncertainty in the fit.
    """
    samples = _samples(splits["val"], variants, platt_bins)
    if not samples[variants[0].name][0].total.any():
        yield from _undefined(splits, variants)
        return
    sigmoids = {name: [platt(each) for each in measures] for name, measures in samples.items()}
    for name, split in splits.items():
        found: dict[str, list[Curve]] = {variant.name: [] for variant in variants}
        for block in blocks(split, *_VARIABLES):
            for variant in variants:
                maps, agreement, raters = _compared(block, variant)
                curves = [
                    curve(expit(a * u.astype(np.float64) - b), agreement, raters, ace_bins)
                    for u, (a, b) in zip(maps, sigmoids[variant.name], strict=True)
                ]
                found[variant.name].append(Curve(*map(np.stack, zip(*curves, strict=True))))
        for variant in variants:
            parts = zip(*found[variant.name], strict=True)
            curves = Curve(*(np.concatenate(part, axis=1) for part in parts))
            yield from _errors(name, curves, variant)


def _errors(split: str, images: Curve, variant: Variant) -> Iterator[Score]:
    """Scores from curves (measure, image, bin)."""
    defined = images.total[0].any(axis=-1)
    key = {"variant": variant.name, "defined": defined, "reason": "" if defined.any() else UNREAD}
    by_image = images
    if variant.one_class_wrong:
        all_right = (images.right.sum(-1) == images.total.sum(-1))[..., None]
        by_image = images._replace(right=np.where(all_right, 0, images.right))
    for i, measure in enumerate(dims.MEASURES):
        own, changed = (Curve(*(sums[i] for sums in each)) for each in (images, by_image))
        pooled = Curve(*(sums.sum(axis=0) for sums in own))
        for metric, error in (("ace", ace), ("ece", ece)):
            reweighted = partial(_reweighted, split=split, images=own, error=error)
            yield Score(
                metric, split, error(pooled), measure, "pooled", reweighted=reweighted, **key
            )
            yield Score(metric, split, error(changed), measure, "image", **key)


def _reweighted(
    weights: Mapping[str, np.ndarray],
    split: str,
    images: Curve,
    error: Callable[[Curve], np.ndarray],
) -> np.ndarray:
    """Error of the pooled curve, from curves (image, bin)."""
    return error(Curve(*(weights[split] @ sums for sums in images)))


def _undefined(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    for (name, split), variant in product(splits.items(), variants):
        empty = np.full(split.sizes["image"], np.nan)
        key = {"variant": variant.name, "defined": np.isfinite(empty), "reason": UNFITTED}
        for measure, metric in product(dims.MEASURES, ("ace", "ece")):
            yield Score(metric, name, np.nan, measure, "pooled", **key)
            yield Score(metric, name, empty, measure, "image", **key)


def _samples(
    split: xr.Dataset, variants: Sequence[Variant], bins: int
) -> dict[str, list[Histogram]]:
    """Samples in bins of each measure, by variant."""
    sums = {v.name: np.zeros((len(dims.MEASURES), 3, bins)) for v in variants}
    for block in blocks(split, *_VARIABLES):
        for variant in variants:
            maps, agreement, raters = _compared(block, variant)
            for u, total in zip(maps, sums[variant.name], strict=True):
                total += histogram(u, agreement, raters, bins)
    return {name: [Histogram(*each) for each in measures] for name, measures in sums.items()}


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
