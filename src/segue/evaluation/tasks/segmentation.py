"""Segmentation: how good are the predictions, and do the samples resemble the raters' masks?

It compares no measures of uncertainty, so it takes no part in entanglement. Each score uses the
raters and pixels that there are; an image without any has none.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from segue.blocks import blocks
from segue.evaluation.metrics.dice import (
    Similarity,
    accuracy,
    dice,
    iou,
    mean_over_raters,
    overlap,
)
from segue.evaluation.metrics.ged import diversity, ged, hm_iou, pairs
from segue.evaluation.metrics.information import draw_information
from segue.evaluation.metrics.likelihood import brier, nll
from segue.evaluation.metrics.masks import argmax, frequencies, one_hot
from segue.evaluation.probabilities import probabilities
from segue.evaluation.readings import labelled, together
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant

TASK = Task(metric="dice", higher_is_better=True, reads=())

UNREAD = "no image that a rater read"
UNSHARED = "no image with a pixel that all its raters labelled"
UNPAIRED = "no image with a pixel that all its raters labelled, two or more"
ONE_DRAW = "one draw a hypothesis"
MISSING = "missing_readings"

_OF_EACH_RATER = (("nll", ""), ("brier", ""), ("dice", ""))
_OF_SHARED_PIXELS = (
    ("ged", "dice"),
    ("ged_bma", "dice"),
    ("ged", "iou"),
    ("ged_bma", "iou"),
    ("hm_iou", ""),
)
_OF_DRAWS = (("diversity", ""), ("diversity_raters", ""), ("draw_information", ""))
_KEYS = (*_OF_EACH_RATER, *_OF_SHARED_PIXELS, *_OF_DRAWS)

_PerImage = dict[tuple[str, str], np.ndarray]  # metric, aggregation -> scores (image,)


def score(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    """Scores per image of every split.

    ``dice``: of the mean prediction's mask, mean over raters, each on the pixels that the rater
    labelled; ``nll`` and ``brier``: of its probabilities, mean over raters and pixels with a label.
    ``ged`` and ``hm_iou``: of the samples of one hypothesis, mean over hypotheses; ``ged_bma``: of
    the mean predictions of all hypotheses; all three compare masks on the pixels that all raters of
    the image labelled. The aggregation of a GED is the overlap that its distance is one minus of:
    ``dice`` or ``iou``. ``diversity`` and ``diversity_raters``: mean of 1 - Dice over pairs of
    different draws of a hypothesis (mean over hypotheses), and of different raters, on the same
    pixels; ``draw_information``: share of the uncertainty that lies between draws. What is of draws
    is undefined where there is one a hypothesis. ``missing_readings``: raters who did not see the
    image, where a split lacks any.

    Args:
        splits, variants: see ``segue.evaluation.task``; fault 5 takes effect here.
    """
    for name, split in splits.items():
        count, start = split.sizes["image"], 0
        found = {(v.name, *key): np.full(count, np.nan) for v in variants for key in _KEYS}
        shared, readers = np.zeros(count, bool), np.zeros(count, int)
        for block in blocks(split, "labels", "prediction", "probs"):
            images = slice(start, start + block.sizes["image"])
            start = images.stop
            there = labelled(block["labels"].values)
            present = there.any(axis=(2, 3))
            readers[images] = present.sum(axis=1)
            shared[images] = _shared(there, present).any(axis=(1, 2))
            for key, values in _score(block, variants).items():
                found[key][images] = values
        conditions = _conditions(readers, shared, split.sizes["au_sample"])
        for (variant, metric, how), values in found.items():
            defined, why = conditions[metric, how]
            told = {"defined": defined, "reason": "" if defined.any() else why}
            yield Score(metric, name, values, aggregation=how, variant=variant, **told)
        missing = split.sizes["rater"] - readers
        if missing.any():
            yield Score(MISSING, name, missing)


def _conditions(
    readers: np.ndarray, shared: np.ndarray, draws: int
) -> dict[tuple[str, str], tuple[np.ndarray, str]]:
    """Which images have a score, and why it is undefined if none has, by metric and aggregation.

    Args:
        readers: how many raters labelled any pixel of an image, (image,).
        shared: whether there is a pixel that all of them labelled, (image,).
        draws: how many a hypothesis has.
    """
    several = np.full(len(shared), draws > 1)
    return {
        **dict.fromkeys(_OF_EACH_RATER, (readers > 0, UNREAD)),
        **dict.fromkeys(_OF_SHARED_PIXELS, (shared, UNSHARED)),
        ("diversity", ""): (shared & several, UNSHARED if draws > 1 else ONE_DRAW),
        ("diversity_raters", ""): (shared & (readers > 1), UNPAIRED),
        ("draw_information", ""): (several, ONE_DRAW),
    }


class _Masks(NamedTuple):
    """Class indices: labels (image, rater, y, x), prediction (image, 1, y, x), and so on."""

    labels: np.ndarray
    prediction: np.ndarray
    samples: np.ndarray
    hypotheses: np.ndarray


def _shared(there: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Pixels that all raters who labelled any did label, (image, y, x).

    Args:
        there: whether there is a label, (image, rater, y, x).
        present: whether there is any, (image, rater).
    """
    return (there | ~present[..., None, None]).all(axis=1) & present.any(axis=1)[:, None, None]


def _score(
    block: xr.Dataset, variants: Sequence[Variant]
) -> dict[tuple[str, str, str], np.ndarray]:
    """Scores of loaded images by variant, metric and aggregation; NaN where there are none."""
    prediction = block["prediction"].values
    probs = probabilities(block["probs"])
    hypotheses = probs.mean("au_sample", skipna=False)
    masks = _Masks(
        block["labels"].values,
        argmax(prediction, axis=1)[:, None],
        argmax(block["probs"].values, axis=3),
        argmax(hypotheses.values, axis=2),
    )
    found = {(v.name, *key): np.full(len(prediction), np.nan) for v in variants for key in _KEYS}
    for images in together(masks.labels):
        here = _Masks(*(each[images] for each in masks))
        for variant, scores in _score_together(here, prediction[images], variants).items():
            for key, values in scores.items():
                found[variant, *key][images] = values
    if probs.sizes["au_sample"] > 1:
        information = draw_information(probs.values)
        found |= {(v.name, "draw_information", ""): information for v in variants}
    return found


def _score_together(
    masks: _Masks, prediction: np.ndarray, variants: Sequence[Variant]
) -> dict[str, _PerImage]:
    """Scores, by variant, of images that lack no label, or of one image."""
    classes = prediction.shape[1]
    chosen, readings = frequencies(masks.labels, classes), None
    compare = _compare
    if not (there := labelled(masks.labels)).all():
        if not there.any():
            return {}
        compare, readings = _compare_partly, there.sum(axis=1)
    corrected = {
        ("nll", ""): nll(prediction, chosen, readings),
        ("brier", ""): brier(prediction, chosen, readings),
    }
    corrected |= compare(masks, range(1, classes), {"dice": dice, "iou": iou})
    if classes == 2 or not any(variant.pixel_accuracy for variant in variants):
        return {variant.name: corrected for variant in variants}
    pixelwise = compare(masks, range(classes), {"dice": accuracy})
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
        scores["diversity", ""] = diversity(own.samples, similarities["dice"]).mean(axis=-1)
        scores["diversity_raters", ""] = diversity(bma.raters, similarities["dice"])
    return scores


def _compare_partly(
    masks: _Masks, classes: range, similarities: dict[str, Similarity]
) -> _PerImage:
    """The same of one image that lacks labels.

    All masks are compared on the same pixels, so that the distance of a GED is one.
    """
    there = labelled(masks.labels)
    present = there.any(axis=(2, 3))
    (shared,) = _shared(there, present)
    scores = {}
    if shared.any():
        whole = masks._replace(labels=masks.labels[:, present[0]])
        scores = _compare(_Masks(*(m[..., None, shared] for m in whole)), classes, similarities)
    prediction, labels = one_hot(masks.prediction, classes), one_hot(masks.labels, classes)
    seen = there.reshape(*there.shape[:2], -1)
    scores["dice", ""] = mean_over_raters(prediction, labels, seen, similarities["dice"])
    return scores
