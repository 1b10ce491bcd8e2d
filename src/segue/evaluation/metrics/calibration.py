"""Calibration of an uncertainty: Platt scaling to a confidence, and the errors of that confidence.

Each pixel and rater is one binary sample: is the predicted class the rater's? Sums over bins are
all that is kept of them, so memory does not grow with the number of images.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

LOW, HIGH = 1e-12, 1e2
"""Range of the logarithmic bins of uncertainty; values beyond it fall into the outer bins."""


class Histogram(NamedTuple):
    """Sums over the samples in each bin of uncertainty u, (bin,): right ones, all, and their u.

    Those of single images are (image, bin).
    """

    right: np.ndarray
    total: np.ndarray
    uncertainty: np.ndarray


def bin_of(uncertainty: np.ndarray, bins: int) -> np.ndarray:
    """Index of the bin of each u, of ``bins`` that are even on a log scale."""
    position = np.log(np.clip(uncertainty, LOW, HIGH) / LOW) / np.log(HIGH / LOW)
    return np.minimum((position * bins).astype(np.intp), bins - 1)


def histogram(
    uncertainty: np.ndarray,
    right: np.ndarray,
    total: np.ndarray | int,
    index: np.ndarray,
    bins: int,
) -> Histogram:
    """Sums over the samples of each image in bins of uncertainty, (image, bin).

    Args:
        uncertainty: u of each pixel, (image, ...).
        right, total: how many of a pixel's samples are right, and how many it has.
        index: bin of each pixel, such as ``bin_of`` tells.
        bins: how many there are.
    """
    return Histogram(*in_bins(index, bins, right, total, uncertainty))


def in_bins(
    index: np.ndarray, bins: int, right: np.ndarray, total: np.ndarray | int, *values: np.ndarray
) -> list[np.ndarray]:
    """Sums over the samples of each image in bins, each (image, bin): of right ones, of all, and of
    each of the ``values`` (image, ...), which a pixel's samples have in common.

    Args:
        index, bins, right, total: see ``histogram``.
    """
    images = len(index)
    place = (index.reshape(images, -1) + bins * np.arange(images)[:, None]).ravel()

    def sums(each: np.ndarray | None = None) -> np.ndarray:
        weights = None if each is None else each.ravel()
        return np.bincount(place, weights, images * bins).reshape(images, bins)

    if isinstance(total, int):
        return [sums(right), total * sums(), *(total * sums(each) for each in values)]
    products = (total * each.astype(np.float64, copy=False) for each in values)
    return [sums(right), sums(total), *map(sums, products)]


def platt(samples: Histogram) -> tuple[float, float]:
    """Fit P(right) = 1/(1 + exp(-a·u + b)) to a histogram; returns (a, b).

    The maximum likelihood with Platt's smoothed targets, (N₊+1)/(N₊+2) for right samples and
    1/(N₋+2) for wrong ones (Platt 1999), each bin standing at the mean u of its samples.

    Args:
        samples: not empty.
    """
    right, total, uncertainty = samples
    wrong = total - right
    positive = right * (right.sum() + 1) / (right.sum() + 2) + wrong / (wrong.sum() + 2)
    filled = total > 0
    u = uncertainty[filled] / total[filled]
    share, target = total[filled] / total.sum(), positive[filled] / total.sum()
    prior = logit(target.sum())
    scale = np.sqrt(share @ (u - share @ u) ** 2)
    if len(u) == 1:  # no slope to be told from one bin
        return 0.0, float(-prior)

    features = np.stack([u / scale, -np.ones_like(u)])  # times (a·scale, b)

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        z = x @ features
        value = -(target @ log_expit(z) + (share - target) @ log_expit(-z))
        return value, features @ (share * expit(z) - target)

    def hessian(x: np.ndarray) -> np.ndarray:
        p = expit(x @ features)
        return (features * share * p * (1 - p)) @ features.T

    start = np.array([0.0, -prior])
    found = minimize(loss, start, jac=True, hess=hessian, method="trust-exact", tol=1e-10)
    return float(found.x[0] / scale), float(found.x[1])


class Curve(NamedTuple):
    """Sums over the samples in each confidence bin, (..., bin): number, confidence, right ones."""

    total: np.ndarray
    confidence: np.ndarray
    right: np.ndarray


def curve(
    confidence: np.ndarray, agreement: np.ndarray, raters: np.ndarray | int, bins: int
) -> Curve:
    """Sums in ``bins`` uniform bins of confidence (closed above), of each image.

    Args:
        confidence: in [0, 1], (image, y, x).
        agreement: number of raters that each pixel's prediction agrees with, (image, y, x).
        raters: how many there are; or how many labelled each pixel, (image, y, x).
    """
    index = np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)
    right, total, sure = in_bins(index, bins, agreement, raters, confidence)
    return Curve(total, sure, right)


def ace(curves: Curve) -> np.ndarray:
    """Average calibration error: mean over non-empty bins of |accuracy - confidence|, in [0, 1].

    NaN where all bins are empty.
    """
    return _ratio(_gaps(curves).sum(-1), (curves.total > 0).sum(-1))


def ece(curves: Curve) -> np.ndarray:
    """Expected calibration error: the same mean, weighted by the samples in each bin, in [0, 1]."""
    return _ratio((_gaps(curves) * curves.total).sum(-1), curves.total.sum(-1))


def _gaps(curves: Curve) -> np.ndarray:
    distance = np.abs(curves.right - curves.confidence)
    return np.divide(distance, curves.total, out=np.zeros_like(distance), where=curves.total > 0)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """NaN where ``whole`` is 0."""
    part, whole = np.asarray(part), np.asarray(whole)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
