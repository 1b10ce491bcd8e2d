"""Proper scores of class probabilities against several raters."""

import numpy as np

_LEAST = float(np.finfo(np.float16).smallest_subnormal)  # samples are stored in half precision


def nll(probs: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Negative log-likelihood -log p(label), mean over raters and pixels, in nats, (image,).

    Args:
        probs: class probabilities (image, class, y, x); below 6e-8, the least positive number of
            half precision, they count as that.
        frequencies: fraction of raters of each class, (image, class, y, x).
    """
    log = np.log(np.maximum(probs, _LEAST))
    return -(frequencies * log).sum(axis=1).mean(axis=(-1, -2))


def brier(probs: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Brier score Σ_c (p_c - [label = c])², mean over raters and pixels, in [0, 2], (image,).

    Over raters the indicator and its square both have the mean ``frequencies``. Args as in ``nll``.
    """
    errors = probs.astype(np.float64) ** 2 - 2 * probs * frequencies + frequencies
    return errors.sum(axis=1).mean(axis=(-1, -2))
