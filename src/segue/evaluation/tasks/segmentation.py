"""Segmentation: how good are the predictions, and do the samples resemble the raters' masks?

It compares no measures of uncertainty, so it takes no part in entanglement. Each score uses the
raters and pixels that there are; an image without any has none.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from segue.blocks import blocks
from segue.evaluation.drawn import Drawn
from segue.evaluation.metrics.dice import Similarity, accuracy, count, dice, iou, mean_over_raters
from segue.evaluation.metrics.ged import diversity, ged, hm_iou, pairs
from segue.evaluation.metrics.information import draw_information
from segue.evaluation.metrics.insight import insight
from segue.evaluation.metrics.likelihood import brier, nll
from segue.evaluation.metrics.masks import argmax, frequencies, one_hot, pack
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
_OF_INSIGHT = (
    ("collective_insight", ""),
    ("combined_sensitivity", ""),
    ("maximum_dice", ""),
    ("diversity_agreement", ""),
)
_OF_SHARED_PIXELS = (
    ("ged", "dice"),
    ("ged_bma", "dice"),
    ("ged", "iou"),
    ("ged_bma", "iou"),
    ("hm_iou", ""),
    *_OF_INSIGHT,
)
_OF_DRAWS = (("diversity", ""), ("diversity_raters", ""), ("draw_information", ""))
_KEYS = (*_OF_EACH_RATER, *_OF_SHARED_PIXELS, *_OF_DRAWS)

_MASKS = {
    "sample_masks": ("image", "foreground", "eu_sample", "au_sample", "word"),
    "hypothesis_masks": ("image", "foreground", "eu_sample", "word"),
}
"""Arrays of ``summarise``: classes but the first, and pixels as bits, 64 a word."""

_PerImage = dict[tuple[str, str], np.ndarray]  # metric, aggregation -> scores (image,)


def summarise(split: str, drawn: Drawn) -> dict[str, xr.DataArray]:
    """What scores need of the samples: masks, and the information between draws.

    ``sample_masks`` (image, foreground, eu_sample, au_sample, word) and ``hypothesis_masks``
    (image, foreground, eu_sample, word): which pixels are of each class but the first, in each
    sample and in the mean of a hypothesis's draws, as bits, see
    ``segue.evaluation.metrics.masks.pack``;
    ``draw_information`` (image,), see ``segue.evaluation.metrics.information``.
    """
    planes, means = drawn.planes, drawn.means
    found = {
        "sample_masks": (("foreground", "eu_sample", "au_sample", "image", "word"), planes, 2),
        "hypothesis_masks": (("foreground", "eu_sample", "image", "word"), means, 1),
    }
    masks = {}
    for name, (names, probs, axis) in found.items():
        bits = xr.DataArray(_bits(probs, axis), dims=names).transpose(*_MASKS[name])
        # In the order in which stores give it: another would be added up in another one.
        masks[name] = bits.copy(data=np.ascontiguousarray(bits))
    information = xr.DataArray(draw_information(planes, means), dims="image")
    return masks | {"draw_information": information}


def _bits(planes: np.ndarray, axis: int) -> np.ndarray:
    """Pixels of each class but the first as bits, (class, ..., word), without the ``axis``.

    Args:
        planes: class probabilities (..., pixel), of two classes the second alone on ``axis``.
    """
    if planes.shape[axis] == 1:
        return pack(np.moveaxis(planes, axis, 0) > 0.5)
    chosen = argmax(planes, axis)
    return pack(np.stack([chosen == c for c in range(1, planes.shape[axis])]))


def score(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    """Scores per image of every split.

    ``dice``: of the mean prediction's mask, mean over raters, each on the pixels that the rater
    labelled; ``nll`` and ``brier``: of its probabilities, mean over raters and pixels with a label.
    ``ged`` and ``hm_iou``: of the samples of one hypothesis, mean over hypotheses; ``ged_bma``: of
    the mean predictions of all hypotheses; all three compare masks on the pixels that all raters of
    the image labelled. The aggregation of a GED is the overlap that its distance is one minus of:
    ``dice`` or ``iou``. On the same pixels, of the same samples: ``collective_insight`` and its
    parts, see ``segue.evaluation.metrics.insight``. ``diversity`` and ``diversity_raters``: mean of
    1 - Dice over pairs of different draws of a hypothesis (mean over hypotheses), and of different
    raters, on the same pixels; ``draw_information``: share of the uncertainty that lies between
    draws. What is of draws is undefined where there is one a hypothesis. ``missing_readings``:
    raters who did not see the image, where a split lacks any.

    Args:
        splits, variants: see ``segue.evaluation.task``; fault 5 takes effect here.
    """
    for name, split in splits.items():
        count, start = split.sizes["image"], 0
        found = {(v.name, *key): np.full(count, np.nan) for v in variants for key in _KEYS}
        shared, readers = np.zeros(count, bool), np.zeros(count, int)
        for block in blocks(split, "labels", "prediction", "draw_information", *_MASKS):
            images = slice(start, start + block.sizes["image"])
            start = images.stop
            there = labelled(block["labels"].values)
            present = there.any(axis=(2, 3))
            readers[images] = present.sum(axis=1)
            shared[images] = _shared(there, present).any(axis=(1, 2))
            for key, values in _score(block, variants).items():
                found[key][images] = values
        conditions = _conditions(readers, shared, split.attrs["au_sample"])
        for (variant, metric, how), values in found.items():
            defined, why = conditions[metric, how]
            told = {"defined": defined, "reason": "" if defined.any() else why}
            values = np.where(defined, values, np.nan)
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
    """Bits of the classes but the first, (class, image, ..., word)."""

    labels: np.ndarray  # (class, image, rater, word)
    prediction: np.ndarray  # (class, image, 1, word)
    samples: np.ndarray  # (class, image, eu_sample, au_sample, word)
    hypotheses: np.ndarray  # (class, image, eu_sample, word)


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
    labels, prediction = block["labels"].values, block["prediction"].values
    classes = range(1, prediction.shape[1])
    masks = _Masks(
        one_hot(labels, classes),
        one_hot(argmax(prediction, axis=1)[:, None], classes),
        *(block[name].transpose("foreground", ...).values for name in _MASKS),
    )
    found = {(v.name, *key): np.full(len(prediction), np.nan) for v in variants for key in _KEYS}
    for images in together(labels):
        here = _Masks(*(each[:, images] for each in masks))
        scored = _score_together(here, labels[images], prediction[images], variants)
        for variant, scores in scored.items():
            for key, values in scores.items():
                found[variant, *key][images] = values
    information = block["draw_information"].values
    return found | {(v.name, "draw_information", ""): information for v in variants}


def _score_together(
    masks: _Masks, labels: np.ndarray, prediction: np.ndarray, variants: Sequence[Variant]
) -> dict[str, _PerImage]:
    """Scores, by variant, of images that lack no label, or of one image.

    All masks of a GED are compared on the same pixels, so that its distance is one.
    """
    there = labelled(labels)
    if not there.any():
        return {}
    present = there.any(axis=(2, 3))
    if not present.all():  # of one image
        masks = masks._replace(labels=masks.labels[:, :, present[0]])
    whole = there.all()
    seen = pack(there.reshape(*there.shape[:2], -1)[:, present[0]])
    shared = pack(_shared(there, present).reshape(len(there), -1))
    classes = prediction.shape[1]
    chosen, readings = frequencies(labels, classes), None if whole else there.sum(axis=1)
    corrected = {
        ("nll", ""): nll(prediction, chosen, readings),
        ("brier", ""): brier(prediction, chosen, readings),
    }
    corrected |= _compare(masks, seen, shared, {"dice": dice, "iou": iou})
    if classes == 2 or not any(variant.pixel_accuracy for variant in variants):
        return {variant.name: corrected for variant in variants}
    with_first = _Masks(*(_with_first(each) for each in masks))
    pixelwise = _compare(with_first, seen, shared, {"dice": accuracy})
    return {v.name: corrected | pixelwise if v.pixel_accuracy else corrected for v in variants}


def _with_first(bits: np.ndarray) -> np.ndarray:
    """Bits of all classes: of the first are the pixels, and what is beyond them, of no other."""
    return np.concatenate([~np.bitwise_or.reduce(bits, axis=0, keepdims=True), bits])


def _compare(
    masks: _Masks, seen: np.ndarray, shared: np.ndarray, similarities: dict[str, Similarity]
) -> _PerImage:
    """Scores of masks, over the classes that they are of, with ``similarities`` by name.

    Args:
        seen: bits of the pixels that each rater labelled, (image, rater, word).
        shared: bits of the pixels on which samples and raters are compared, (image, word).
    """
    dices = mean_over_raters(masks.prediction, masks.labels & seen, seen, similarities["dice"])
    scores = {("dice", ""): dices}
    labels = masks.labels & shared[:, None]
    samples = masks.samples & shared[:, None, None]
    own = pairs(samples, labels[:, :, None])
    bma = pairs(masks.hypotheses & shared[:, None], labels)
    for how, similarity in similarities.items():
        scores["ged", how] = ged(own, similarity).mean(axis=-1)
        scores["ged_bma", how] = ged(bma, similarity)
    if "iou" in similarities:
        scores["hm_iou", ""] = hm_iou(own.mixed).mean(axis=-1)
        pixels = np.maximum(count(shared), 1)[:, None]
        found = insight(samples, labels[:, :, None], pixels, own)
        for (metric, how), values in zip(_OF_INSIGHT, found, strict=True):
            scores[metric, how] = values.mean(axis=-1)
        scores["diversity", ""] = diversity(own.samples, similarities["dice"]).mean(axis=-1)
        scores["diversity_raters", ""] = diversity(bma.raters, similarities["dice"])
    return scores
