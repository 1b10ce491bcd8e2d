"""Overlap of masks: Dice, intersection over union (IoU) and pixel accuracy, for all pairs at once.

Dice and IoU are the mean over the classes given (macro), usually all but the background; where a
class is in neither mask its overlap is 1, where it is in one of them 0.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Overlap(NamedTuple):
    """Pixel counts of each pair of masks a, b, per class.

    Attributes:
        common: pixels of the class in both, (class, ..., a, b).
        first, second: in a, (class, ..., a, 1), and in b, (class, ..., 1, b).
    """

    common: np.ndarray
    first: np.ndarray
    second: np.ndarray


Similarity = Callable[[Overlap], np.ndarray]
"""Overlap -> (..., a, b) in [0, 1], 1 for equal masks."""


def overlap(first: np.ndarray, second: np.ndarray) -> Overlap:
    """Count the pixels of all pairs.

    Args:
        first, second: bits (class, ..., a, word) and (class, ..., b, word), see
            ``segue.evaluation.metrics.masks.pack``.
    """
    # One mask of the first at a time: no more memory than the second takes.
    each = [count(mask & second) for mask in np.moveaxis(first[..., None, :], -3, 0)]
    common = np.stack(each, axis=-2)
    return Overlap(common, count(first)[..., :, None], count(second)[..., None, :])


def count(bits: np.ndarray) -> np.ndarray:
    """Pixels of bits (..., word), (...) as float32: exact up to 2^24 of them."""
    return np.bitwise_count(bits).sum(axis=-1, dtype=np.float32)


def dice(pairs: Overlap) -> np.ndarray:
    """2|A∩B| / (|A| + |B|), mean over classes."""
    return _ratio(2 * pairs.common, pairs.first + pairs.second).mean(axis=0)


def iou(pairs: Overlap) -> np.ndarray:
    """|A∩B| / |A∪B|, mean over classes."""
    return _ratio(pairs.common, pairs.first + pairs.second - pairs.common).mean(axis=0)


def accuracy(pairs: Overlap) -> np.ndarray:
    """Fraction of pixels of the same class; the overlap must be of all classes."""
    return _ratio(pairs.common.sum(axis=0), pairs.first.sum(axis=0))


def mean_over_raters(
    prediction: np.ndarray, labels: np.ndarray, labelled: np.ndarray, similarity: Similarity
) -> np.ndarray:
    """Mean similarity of a prediction and the raters, each on the pixels that the rater labelled.

    Args:
        prediction, labels: bits (class, image, 1, word) and (class, image, rater, word); in
            ``labels`` no class where there is no label.
        labelled: bits of the pixels that have a label, (image, rater, word).

    Returns:
        (image,), over the raters who labelled any pixel; NaN where there is none.
    """
    pairs = overlap(prediction, labels)
    seen = count(prediction & labelled)[..., None, :]
    each = similarity(pairs._replace(first=seen))[..., 0, :]
    present = labelled.any(axis=-1)
    number = present.sum(axis=-1)
    total = (each * present).sum(axis=-1)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.ones_like(part), where=whole > 0, dtype=np.float32)
