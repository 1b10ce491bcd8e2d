"""Failure detection: are the images with much uncertainty those that are segmented badly?

It does not say which measure ought to win, so it takes no part in entanglement.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import xarray as xr

from segue import dims
from segue.blocks import blocks
from segue.evaluation import aggregation
from segue.evaluation.metrics.aurc import aurc, weighted_aurc
from segue.evaluation.metrics.dice import dice, mean_over_raters
from segue.evaluation.metrics.masks import argmax, one_hot, pack
from segue.evaluation.readings import labelled
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant

TASK = Task(metric="aurc", higher_is_better=False, aggregations=("border", "area", "mean"))

UNREAD = "no image that a rater read"

_AGGREGATIONS = {how: getattr(aggregation, how) for how in TASK.aggregations}


def score(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    """AURC of each measure and aggregation, of every split; the risk is 1 - Dice of the image.

    Dice is of the mean prediction's mask, mean over raters, each on the pixels that the rater
    labelled. An image that nobody read has no risk: it is left out.

    Args:
        splits: see ``segue.evaluation.task``.
        variants: none of them changes the scores.
    """
    for name, split in splits.items():
        images = image_risks(split)
        defined, risk = images.read, images.risk[images.read]
        told = {"defined": defined, "reason": "" if defined.any() else UNREAD}
        for how, every in images.scores.items():
            for measure, scores in zip(dims.MEASURES, every.T, strict=True):
                key = (TASK.metric, name)
                if not defined.any():
                    yield Score(*key, np.nan, measure, how, **told)
                    continue
                items = (scores[defined], risk)
                reweighted = partial(_reweighted, split=name, items=items, defined=defined)
                yield Score(*key, aurc(*items), measure, how, reweighted=reweighted, **told)


class Images(NamedTuple):
    """Scores (image, measure) by aggregation; the risk of each image, and whether it was read."""

    scores: dict[str, np.ndarray]
    risk: np.ndarray
    read: np.ndarray


def image_risks(split: xr.Dataset) -> Images:
    """Scores and risks of all images of a split; the risk of one that nobody read says nothing."""
    risks: list[np.ndarray] = []
    read: list[np.ndarray] = []
    found: dict[str, list[np.ndarray]] = {how: [] for how in _AGGREGATIONS}
    for block in blocks(split, "labels", "uncertainty", "prediction"):
        mask, labels = argmax(block["prediction"].values, axis=1), block["labels"].values
        there = pack(labelled(labels).reshape(*labels.shape[:2], -1))
        read.append(there.any(axis=(1, 2)))
        risks.append(_risk(mask, labels, there, range(1, split.sizes["class"])))
        for how, aggregate in _AGGREGATIONS.items():
            found[how].append(aggregate(block["uncertainty"].values, mask))
    scores = {how: np.concatenate(parts) for how, parts in found.items()}
    return Images(scores, np.concatenate(risks), np.concatenate(read))


def _risk(mask: np.ndarray, labels: np.ndarray, there: np.ndarray, classes: range) -> np.ndarray:
    """1 - Dice, (image,)."""
    prediction, raters = one_hot(mask[:, None], classes), one_hot(labels, classes)
    return 1 - mean_over_raters(prediction, raters, there, dice)


def _reweighted(
    weights: Mapping[str, np.ndarray],
    split: str,
    items: tuple[np.ndarray, np.ndarray],
    defined: np.ndarray,
) -> np.ndarray:
    return weighted_aurc(*items, weights[split][:, defined])
