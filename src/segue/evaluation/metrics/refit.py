"""Calibration in bootstrap draws: Platt scaling fitted anew, and the curve under the new sigmoids.

Kept of each image are sums over its samples in bins of uncertainty u, sparse, so that a draw is a
weighted sum of images. The fit is exact: it reads the same bins as that of all images. The curve of
a draw takes all samples of a bin together. Its bins are those of the fit, parted further so that
each also lies within one of ``PARTS`` equal parts of a bin of confidence, as all images have it:
under their own sigmoid the curve is exact, and under a draw's only samples near an edge can be in
the next bin.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from scipy.sparse import csr_array, vstack
from scipy.special import expit, log_expit

from segue.evaluation.metrics.calibration import Curve, Histogram, platt

PARTS = 16
"""Of each bin of confidence."""

Sums = TypeVar("Sums", Histogram, "Parted")

_TOLERANCE = 1e-9  # of the gradient of the mean loss; what ``platt`` finds is within it
_STEPS, _HALVINGS = 50, 30


class Parted(NamedTuple):
    """Sums over the samples in each parted bin, (image, bin), sparse.

    Right ones, all, their u, and their confidence under the sigmoid of all images.
    """

    right: csr_array
    total: csr_array
    uncertainty: csr_array
    confidence: csr_array


def parted(index: np.ndarray, confidence: np.ndarray, bins: int, rising: bool) -> np.ndarray:
    """Index of the parted bin of each sample, from 0 up to the bins of the fit + ``PARTS·bins``.

    Args:
        index: of the bin of u.
        confidence: in [0, 1], of the same shape; it rises with u, or else falls.
        bins: of confidence, closed above.
    """
    part = np.clip(np.ceil(confidence * (bins * PARTS)).astype(np.intp) - 1, 0, bins * PARTS - 1)
    # Both grow with u, so their sum is another wherever one of them is.
    return index + (part if rising else bins * PARTS - 1 - part)


def joined(blocks: Sequence[Sums]) -> Sums:
    """Sums (image, bin) of blocks of images as one sparse array each, of the filled bins alone."""
    whole = [vstack(part, format="csr") for part in zip(*blocks, strict=True)]
    filled = np.flatnonzero(whole[1].sum(axis=0))
    return type(blocks[0])(*(each[:, filled] for each in whole))


def sparse(sums: Sums) -> Sums:
    """The same sums (image, bin) as sparse arrays."""
    return type(sums)(*map(csr_array, sums))


def sigmoids(images: Histogram, weights: np.ndarray, start: tuple[float, float]) -> np.ndarray:
    """``platt`` of each draw's samples: (a, b), (draw, 2); NaN where a draw has no sample.

    Newton's method, on all draws at once.

    Args:
        images: sums (image, bin) over the samples in each bin of u, sparse.
        weights: how often each image counts, (draw, image).
        start: (a, b) of all images, from which it sets out.
    """
    right, total, uncertainty = drawn = Histogram(*(weights @ each for each in images))
    filled, count = total > 0, total.sum(axis=1)
    found = np.full((len(total), 2), np.nan)
    several = np.flatnonzero(filled.sum(axis=1) > 1)
    for draw in np.flatnonzero((count > 0) & (filled.sum(axis=1) == 1)):
        found[draw] = platt(Histogram(*(each[draw] for each in drawn)))
    right, total, uncertainty, count = (x[several] for x in (right, total, uncertainty, count))
    if not len(several):
        return found

    n_right = right.sum(axis=1, keepdims=True)
    n_wrong = count[:, None] - n_right
    positive = right * (n_right + 1) / (n_right + 2) + (total - right) / (n_wrong + 2)
    share, target = total / count[:, None], positive / count[:, None]
    u = np.divide(uncertainty, total, out=np.zeros_like(total), where=total > 0)
    mean = (share * u).sum(axis=1)
    scale = np.sqrt((share * (u - mean[:, None]) ** 2).sum(axis=1))
    v = (u - mean[:, None]) / scale[:, None]  # z = x₀·v + x₁
    a, b = start
    x = np.stack([a * scale, a * mean - b], axis=1)
    x, converged = _minimise(x, v, share, target)
    found[several, 0] = x[:, 0] / scale
    found[several, 1] = x[:, 0] * mean / scale - x[:, 1]
    for draw in several[~converged]:
        found[draw] = platt(Histogram(*(each[draw] for each in drawn)))
    return found


def _minimise(
    x: np.ndarray, v: np.ndarray, share: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Least Σ share·log(1 + exp(z)) - target·z over x (draw, 2), and which draws are there."""

    def loss(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        z = x[:, :1] * v[rows] + x[:, 1:]
        return (-share[rows] * log_expit(-z) - target[rows] * z).sum(axis=1)

    x, left = x.copy(), np.arange(len(x))
    for _ in range(_STEPS):
        here = v[left]
        p = expit(x[left, :1] * here + x[left, 1:])
        residual, curvature = share[left] * p - target[left], share[left] * p * (1 - p)
        gradient = np.stack([(residual * here).sum(axis=1), residual.sum(axis=1)], axis=1)
        steep = np.abs(gradient).max(axis=1) > _TOLERANCE
        left, here, gradient, curvature = (
            each[steep] for each in (left, here, gradient, curvature)
        )
        h00, h01, h11 = ((curvature * here**power).sum(axis=1) for power in (2, 1, 0))
        determinant = h00 * h11 - h01**2
        sound = determinant > 0  # else it is flat to the last digit: ``platt`` takes over
        left, gradient = left[sound], gradient[sound]
        h00, h01, h11, determinant = (each[sound] for each in (h00, h01, h11, determinant))
        if not len(left):
            break
        g0, g1 = gradient.T
        step = np.stack([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0], axis=1) / determinant[:, None]
        before, rest, length = loss(x[left], left), np.arange(len(left)), np.ones(len(left))
        for _ in range(_HALVINGS):
            longer = x[left[rest]] - length[rest, None] * step[rest]
            worse = loss(longer, left[rest]) > before[rest] + 1e-15 * np.abs(before[rest])
            rest = rest[worse]
            if not len(rest):
                break
            length[rest] /= 2
        x[left] -= length[:, None] * step
    z = x[:, :1] * v + x[:, 1:]
    residual = share * expit(z) - target
    gradient = np.stack([(residual * v).sum(axis=1), residual.sum(axis=1)])
    return x, np.abs(gradient).max(axis=0) <= _TOLERANCE


def curves(
    images: Parted,
    weights: np.ndarray,
    sigmoids: np.ndarray,
    start: tuple[float, float],
    bins: int,
) -> Curve:
    """Curve of each draw under its own sigmoid, (draw, bin); without samples where it is NaN.

    The mean confidence of a bin moves from where it is under the sigmoid of all images by as much
    as that of the bin's mean u does.

    Args:
        images: sums (image, parted bin) over samples.
        weights: how often each image counts, (draw, image).
        sigmoids: (a, b) of each draw, (draw, 2).
        start: (a, b) of all images.
        bins: of confidence.
    """
    # All are (parted bin, draw), as sparse products lie in memory. Whole numbers sum exactly in any
    # order: a dense product, which is faster, gives the same.
    right, total = (each.T.toarray() @ weights.T for each in images[:2])
    sums_of_means = (each.T @ weights.T for each in images[2:])
    known = ~np.isnan(sigmoids).any(axis=1)
    right, total = (np.where(known, each, 0) for each in (right, total))
    a, b = np.where(known, sigmoids.T, 0)
    u, before = (
        np.divide(each, total, out=np.zeros_like(total), where=total > 0) for each in sums_of_means
    )
    moved = expit(a * u - b) - expit(start[0] * u - start[1])
    confidence = np.clip(before + moved, 0, 1)
    index = np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)
    index += bins * np.arange(len(weights))

    def sums(each: np.ndarray) -> np.ndarray:
        flat = np.bincount(index.ravel(), each.ravel(), minlength=bins * len(weights))
        return flat.reshape(len(weights), bins)

    return Curve(sums(total), sums(total * confidence), sums(right))
