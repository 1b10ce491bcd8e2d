"""Proper scores of class probabilities against several raters."""

import numpy as np

LEAST = float(np.finfo(np.float16).smallest_subnormal)  # samples are stored in half precision


def nll(
    probs: np.ndarray, frequencies: np.ndarray, readings: np.ndarray | None = None
) -> np.ndarray:
    """Negative log-likelihood -log p(label), mean over raters and pixels, in nats, (image,).

    Args:
        probs: class probabilities (image, class, y, x); below 6e-8, the least positive number of
            half precision, they count as that.
        frequencies: fraction of raters of each class, (image, class, y, x).
        readings: how many raters labelled each pixel, (image, y, x), not all 0 in any image; by
            default the same number everywhere.
    """
    log = np.log(np.maximum(probs, LEAST))
    return -_mean((frequencies * log).sum(axis=1), readings)


def brier(
    probs: np.ndarray, frequencies: np.ndarray, readings: np.ndarray | None = None
) -> np.ndarray:
    """Brier score Σ_c (p_c - [label = c])², mean over raters and pixels, in [0, 2], (image,).

    Over raters the indicator and its square both have the mean ``frequencies``. Args as in ``nll``.
    """
    errors = probs.astype(np.float64) ** 2 - 2 * probs * frequencies + frequencies
    return _mean(errors.sum(axis=1), readings)


def _mean(values: np.ndarray, readings: np.ndarray | None) -> np.ndarray:
    """Mean over pixels, each counting as often as it was read."""
    if readings is None:
        return values.mean(axis=(-1, -2))
    return (values * readings).sum(axis=(-1, -2)) / readings.sum(axis=(-1, -2))
