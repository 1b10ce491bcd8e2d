"""Failure detection: are the images with much uncertainty those that are segmented badly?

It does not say which measure ought to win, so it takes no part in entanglement.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr

from segue import dims
from segue.blocks import blocks
from segue.evaluation import aggregation
from segue.evaluation.metrics.aurc import aurc, weighted_aurc
from segue.evaluation.metrics.dice import dice, overlap
from segue.evaluation.metrics.masks import argmax, one_hot
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant

TASK = Task(metric="aurc", higher_is_better=False, aggregations=("border", "area", "mean"))

_AGGREGATIONS = {how: getattr(aggregation, how) for how in TASK.aggregations}


def score(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    """AURC of each measure and aggregation, of every split; the risk is 1 - Dice of the image.

    Dice is of the mean prediction's mask, mean over raters.

    Args:
        splits: see ``segue.evaluation.task``.
        variants: none of them changes the scores.
    """
    for name, split in splits.items():
        risks: list[np.ndarray] = []
        found: dict[str, list[np.ndarray]] = {how: [] for how in _AGGREGATIONS}
        for block in blocks(split, "labels", "uncertainty", "prediction"):
            mask, classes = (
                argmax(block["prediction"].values, axis=1),
                range(1, split.sizes["class"]),
            )
            labels = one_hot(block["labels"].values, classes)
            risks.append(1 - dice(overlap(one_hot(mask[:, None], classes), labels)).mean((-1, -2)))
            for how, aggregate in _AGGREGATIONS.items():
                found[how].append(aggregate(block["uncertainty"].values, mask))
        risk = np.concatenate(risks)
        for how, parts in found.items():
            for measure, scores in zip(dims.MEASURES, np.concatenate(parts).T, strict=True):
                reweighted = partial(_reweighted, split=name, scores=scores, risk=risk)
                value = aurc(scores, risk)
                yield Score(TASK.metric, name, value, measure, how, reweighted=reweighted)


def _reweighted(
    weights: Mapping[str, np.ndarray], split: str, scores: np.ndarray, risk: np.ndarray
) -> np.ndarray:
    return weighted_aurc(scores, risk, weights[split])
