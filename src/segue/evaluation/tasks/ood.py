"""OOD detection: does epistemic uncertainty tell shifted images from familiar ones?"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import xarray as xr

from segue import dims
from segue.blocks import blocks
from segue.evaluation import aggregation
from segue.evaluation.metrics.auroc import auroc, weighted_auroc
from segue.evaluation.metrics.masks import argmax
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant

TASK = Task(
    metric="auroc",
    higher_is_better=True,
    correct="EU",
    wrong=("AU",),
    references=("id", "ood"),
    aggregations=("border", "area", "patch", "mean", "threshold"),
)

BORDERLESS = "no_border"

_log = logging.getLogger(__name__)


def score(
    splits: Mapping[str, xr.Dataset], variants: Sequence[Variant], *, patch: int
) -> Iterator[Score]:
    """AUROC of each measure and aggregation for each OOD split (1) against ``id`` (0).

    ``threshold`` aggregates the pixels above the ``val`` quantile of their measure at the fraction
    of pixels that are predicted as background there; it is left out where there is no ``val``. An
    image whose prediction has no border (it is empty, or of one class) has no score by ``border``.
    ``no_border``: which images these are, 0 or 1.

    Args:
        splits, variants: see ``segue.evaluation.task``; fault 3 takes effect here.
        patch: side of the window of the aggregation ``patch``, in pixels.
    """
    least = None
    if "val" in splits:
        least = thresholds(splits["val"])
    else:
        _log.warning("ood: no split 'val'; the aggregation 'threshold', fitted there, is left out")
    inside = image_scores(splits["id"], patch, least)
    yield Score(BORDERLESS, "id", 1.0 - inside.bordered)
    for name, split in splits.items():
        if not dims.is_ood(name):
            continue
        outside = image_scores(split, patch, least)
        yield Score(BORDERLESS, name, 1.0 - outside.bordered)
        for how in inside.scores:
            if how != "border":
                yield from _areas(name, how, inside, outside)
                continue
            for variant in variants:
                if variant.raw_border:
                    yield from _areas(name, how, inside, outside, variant.name)
                else:
                    yield from _bordered_areas(name, inside, outside, variant.name)


class Images(NamedTuple):
    """Image scores (image, measure) by aggregation; which predictions have a border (image,)."""

    scores: dict[str, np.ndarray]
    bordered: np.ndarray


def _areas(
    split: str, how: str, inside: Images, outside: Images, variant: str = ""
) -> Iterator[Score]:
    for i, measure in enumerate(dims.MEASURES):
        both = inside.scores[how][:, i], outside.scores[how][:, i]
        reweighted = partial(_reweighted, split=split, both=both)
        value = auroc(*both)
        yield Score(TASK.metric, split, value, measure, how, variant, reweighted=reweighted)


def _bordered_areas(split: str, inside: Images, outside: Images, variant: str) -> Iterator[Score]:
    """AUROC by ``border`` of the images that have one."""
    sides = {"id": inside, split: outside}
    reason = "; ".join(
        f"no prediction of {name} has a border"
        for name, images in sides.items()
        if not images.bordered.any()
    )
    told = {"variant": variant, "defined": outside.bordered, "reason": reason}
    for i, measure in enumerate(dims.MEASURES):
        key = (TASK.metric, split)
        if reason:
            yield Score(*key, np.nan, measure, "border", **told)
            continue
        both = tuple(each.scores["border"][each.bordered, i] for each in sides.values())
        counted = (inside.bordered, outside.bordered)
        reweighted = partial(_reweighted, split=split, both=both, counted=counted)
        yield Score(*key, auroc(*both), measure, "border", reweighted=reweighted, **told)


def _reweighted(
    weights: Mapping[str, np.ndarray],
    split: str,
    both: tuple[np.ndarray, np.ndarray],
    counted: tuple[np.ndarray, np.ndarray] | tuple[slice, slice] = (slice(None), slice(None)),
) -> np.ndarray:
    inside, outside = counted
    return weighted_auroc(*both, weights["id"][:, inside], weights[split][:, outside])


def image_scores(split: xr.Dataset, patch: int, least: np.ndarray | None) -> Images:
    """Scores of all images of a split; by ``threshold`` too where ``least`` (measure,) is given."""
    found: dict[str, list[np.ndarray]] = {}
    bordered: list[np.ndarray] = []
    for block in blocks(split, "uncertainty", "prediction"):
        maps, mask = block["uncertainty"].values, argmax(block["prediction"].values, axis=1)
        each = {
            "border": aggregation.border(maps, mask),
            "area": aggregation.area(maps, mask),
            "patch": aggregation.patch(maps, patch),
            "mean": aggregation.mean(maps, mask),
        }
        if least is not None:
            each["threshold"] = aggregation.threshold(maps, least)
        for how, scores in each.items():
            found.setdefault(how, []).append(scores)
        bordered.append(aggregation.border_length(mask) > 0)
    scores = {how: np.concatenate(parts) for how, parts in found.items()}
    return Images(scores, np.concatenate(bordered))


def thresholds(split: xr.Dataset) -> np.ndarray:
    """Quantile of each measure at the background fraction of the predictions, (measure,)."""
    counts, background, pixels = 0, 0, 0
    for block in blocks(split, "uncertainty", "prediction"):
        maps = np.moveaxis(block["uncertainty"].values, 1, 0)
        counts = counts + np.stack([aggregation.leading_bits(each) for each in maps])
        mask = argmax(block["prediction"].values, axis=1)
        background += (mask == 0).sum()
        pixels += mask.size
    return np.array([aggregation.quantile(each, background / pixels) for each in counts])
