"""Collective insight: do samples of a model, taken together, find what the raters together found?

Rahman et al., Ambiguous Medical Image Segmentation using Diffusion Models, CVPR 2023,
https://arxiv.org/abs/2304.04745: the product of three scores in [0, 1] over their mean. Each is
of one class; where there are several, all are means over the classes given.
"""

from typing import NamedTuple

import numpy as np

from segue.evaluation.metrics.dice import Overlap, count
from segue.evaluation.metrics.ged import Pairs


class Insight(NamedTuple):
    """The score and its three parts, (image, ...) in [0, 1] each; 1 is best.

    Attributes:
        collective: 3·S·D·A / (S + D + A), as published; it is no harmonic mean.
        sensitivity: S, the share of the raters' union that the samples' union has; 1 where no
            rater found anything.
        matching: D, the mean over raters of the greatest Dice with any sample; 1 for two empty
            masks.
        agreement: A, see ``agreement``.
    """

    collective: np.ndarray
    sensitivity: np.ndarray
    matching: np.ndarray
    agreement: np.ndarray


def insight(
    samples: np.ndarray, raters: np.ndarray, pixels: np.ndarray, compared: Pairs
) -> Insight:
    """Collective insight of samples.

    Args:
        samples, raters: bits (class, image, ..., sample, word) and (class, image, ..., rater,
            word), see ``segue.evaluation.metrics.masks``.
        pixels: number of pixels that are compared, which ``samples`` and ``raters`` have no bits
            beyond; (image, ...), at least 1.
        compared: overlaps of the two, see ``segue.evaluation.metrics.ged``.
    """
    found, there = (np.bitwise_or.reduce(each, axis=-2) for each in (samples, raters))
    sensitivity = _ratio(count(found & there), count(there))
    mixed = compared.mixed
    dices = _ratio(2 * mixed.common, mixed.first + mixed.second)
    matching = dices.max(axis=-2).mean(axis=-1)
    agreed = agreement(compared.samples, compared.raters, pixels)
    parts = np.stack(np.broadcast_arrays(sensitivity, matching, agreed))
    total = parts.sum(axis=0)
    collective = np.divide(3 * parts.prod(axis=0), total, out=np.zeros_like(total), where=total > 0)
    return Insight(collective.mean(axis=0), *parts.mean(axis=1))


def agreement(samples: Overlap, raters: Overlap, pixels: np.ndarray) -> np.ndarray:
    """Diversity agreement, (class, image, ...): do samples differ as little, and as much?

    1 − (|v − w| + |V − W|) / 2, where v and V are the least and the greatest variance between two
    different samples, w and W those between two different raters. The variance between two masks
    is that of their difference, −1, 0 or 1, over pixels. A single mask has 0 for both.

    Args:
        samples, raters: overlaps of masks with the same masks.
        pixels: as in ``insight``.
    """
    (v, greatest), (w, other) = (_extremes(each, pixels) for each in (samples, raters))
    return 1 - (np.abs(v - w) + np.abs(greatest - other)) / 2


def _extremes(among: Overlap, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest variance between two different masks."""
    first, second = np.triu_indices(among.common.shape[-1], k=1)
    if not len(first):
        nothing = np.zeros(among.common.shape[:-2])
        return nothing, nothing
    size = pixels[..., None].astype(float)
    a, b = among.first[..., first, 0], among.second[..., 0, second]
    differ = (a + b - 2 * among.common[..., first, second]) / size
    variance = differ - ((a - b) / size) ** 2
    return variance.min(axis=-1), variance.max(axis=-1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """1 where there is nothing."""
    return np.divide(part, whole, out=np.ones(part.shape), where=whole > 0)
