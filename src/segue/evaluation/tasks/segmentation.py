"""Segmentation: how good are the predictions, and do the samples resemble the raters' masks?

It compares no measures of uncertainty, so it takes no part in entanglement.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from segue.blocks import blocks
from segue.evaluation.metrics.dice import Similarity, accuracy, dice, iou, overlap
from segue.evaluation.metrics.ged import ged, hm_iou, pairs
from segue.evaluation.metrics.likelihood import brier, nll
from segue.evaluation.metrics.masks import argmax, frequencies, one_hot
from segue.evaluation.probabilities import probabilities
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant

TASK = Task(metric="dice", higher_is_better=True)

_PerImage = dict[tuple[str, str], np.ndarray]  # metric, aggregation -> scores (image,)


def score(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    """Scores per image of every split.

    ``dice``: of the mean prediction's mask, mean over raters; ``nll`` and ``brier``: of its
    probabilities. ``ged`` and ``hm_iou``: of the samples of one hypothesis, mean over hypotheses;
    ``ged_bma``: of the mean predictions of all hypotheses. The aggregation of a GED is the overlap
    that its distance is one minus of: ``dice`` or ``iou``.

    Args:
        splits, variants: see ``segue.evaluation.task``; fault 5 takes effect here.
    """
    for name, split in splits.items():
        found: dict[tuple[str, str, str], list[np.ndarray]] = {}
        for block in blocks(split, "labels", "prediction", "probs"):
            for variant, scores in _score(block, variants).items():
                for key, values in scores.items():
                    found.setdefault((variant, *key), []).append(values)
        for (variant, metric, how), parts in found.items():
            yield Score(metric, name, np.concatenate(parts), aggregation=how, variant=variant)


class _Masks(NamedTuple):
    """Class indices: labels (image, rater, y, x), prediction (image, 1, y, x), and so on."""

    labels: np.ndarray
    prediction: np.ndarray
    samples: np.ndarray
    hypotheses: np.ndarray


def _score(block: xr.Dataset, variants: Sequence[Variant]) -> dict[str, _PerImage]:
    """Scores of loaded images, by variant."""
    classes, labels, prediction = (
        block.sizes["class"],
        block["labels"].values,
        block["prediction"].values,
    )
    hypotheses = probabilities(block["probs"]).mean("au_sample", skipna=False)
    masks = _Masks(
        labels,
        argmax(prediction, axis=1)[:, None],
        argmax(block["probs"].values, axis=3),
        argmax(hypotheses.values, axis=2),
    )
    chosen = frequencies(labels, classes)
    corrected = {("nll", ""): nll(prediction, chosen), ("brier", ""): brier(prediction, chosen)}
    corrected |= _compare(masks, range(1, classes), {"dice": dice, "iou": iou})
    if classes == 2 or not any(variant.pixel_accuracy for variant in variants):
        return {variant.name: corrected for variant in variants}
    pixelwise = _compare(masks, range(classes), {"dice": accuracy})
    return {v.name: corrected | pixelwise if v.pixel_accuracy else corrected for v in variants}


def _compare(masks: _Masks, classes: range, similarities: dict[str, Similarity]) -> _PerImage:
    """Scores of masks, over some of the classes, with ``similarities`` by name."""
    labels, prediction, samples, hypotheses = (one_hot(each, classes) for each in masks)
    own, bma = pairs(samples, labels[:, :, None]), pairs(hypotheses, labels)
    scores = {("dice", ""): similarities["dice"](overlap(prediction, labels)).mean(axis=(-1, -2))}
    for how, similarity in similarities.items():
        scores["ged", how] = ged(own, similarity).mean(axis=-1)
        scores["ged_bma", how] = ged(bma, similarity)
    if "iou" in similarities:
        scores["hm_iou", ""] = hm_iou(own.mixed).mean(axis=-1)
    return scores
