"""Do samples of a model and masks of raters come from one distribution? GED and HM-IoU."""

import math
from typing import NamedTuple

import numpy as np

from segue.evaluation.metrics.dice import Overlap, Similarity, iou, overlap


class Pairs(NamedTuple):
    """Overlaps of sample with sample, sample with rater and rater with rater."""

    samples: Overlap
    mixed: Overlap
    raters: Overlap


def pairs(samples: np.ndarray, raters: np.ndarray) -> Pairs:
    """Overlaps of all pairs.

    Args:
        samples: bits (class, image, ..., sample, word), see ``segue.evaluation.metrics.masks``.
        raters: bits (class, image, ..., rater, word); of size 1 where they are to be compared with
            each of several sets of samples.
    """
    return Pairs(overlap(samples, samples), overlap(samples, raters), overlap(raters, raters))


def ged(compared: Pairs, similarity: Similarity) -> np.ndarray:
    """Squared generalised energy distance, (image, ...), in [0, 2]; 0 is best.

    2 E d(P, G) - E d(P, P') - E d(G, G') with d = 1 - similarity, each mean over the full matrix of
    pairs, the diagonal included (Székely & Rizzo 2013; Kohl et al. 2018, arXiv 1806.05034).
    """
    samples, mixed, raters = (similarity(each).mean(axis=(-1, -2)) for each in compared)
    return samples + raters - 2 * mixed


def diversity(among: Overlap, similarity: Similarity) -> np.ndarray:
    """E d(P, P') of two different masks, (...), in [0, 1], with d = 1 - similarity.

    Unlike in a GED the pairs of a mask with itself, whose distance is 0, are left out: so sets of
    few and of many masks compare.

    Args:
        among: overlaps of masks with the same masks, see ``pairs``.

    Returns:
        NaN where there is one mask only.
    """
    distance = 1 - similarity(among)
    count = distance.shape[-1]
    if count == 1:
        return np.full(distance.shape[:-2], np.nan)
    return distance.sum(axis=(-1, -2)) / (count * (count - 1))


def hm_iou(mixed: Overlap) -> np.ndarray:
    """Hungarian-matched IoU, (image, ...), in [0, 1]; 1 is best.

    Samples and raters are both repeated to the least common multiple of their numbers, and matched
    one to one so that the mean IoU of the matches is greatest (Kohl et al. 2019, arXiv 1905.13077).
    """
    from scipy.optimize import linear_sum_assignment  # takes a second, which maps do without

    similarity = iou(mixed)
    *outer, samples, raters = similarity.shape
    common = math.lcm(samples, raters)
    repeated = similarity.repeat(common // samples, axis=-2).repeat(common // raters, axis=-1)
    matrices = repeated.reshape(-1, common, common)
    matched = [m[linear_sum_assignment(m, maximize=True)].mean() for m in matrices]
    return np.array(matched).reshape(outer)
