"""How much of the uncertainty of one hypothesis lies between its draws."""

import numpy as np

from segue.evaluation.metrics.entropy import fast_entropy


def draw_information(probs: np.ndarray) -> np.ndarray:
    """Mutual information between the draws of a hypothesis, as a share of its total uncertainty.

    Σ MI / Σ H(p̄), both summed over pixels, with p̄ the mean of a hypothesis's draws and
    MI = H(p̄) - mean_s H(p_s); mean over hypotheses. 0 where draws are equal or all are sure, 1
    where each draw is sure but not of the same. A generative model whose draws hardly differ
    (less than about .02) has collapsed.

    Args:
        probs: class probabilities (image, eu_sample, au_sample, class, y, x), float32.

    Returns:
        (image,), in [0, 1].
    """
    total = _over_pixels(probs.mean(axis=2))
    draws = np.mean([_over_pixels(draw) for draw in np.moveaxis(probs, 2, 0)], axis=0)
    shared = np.maximum(total - draws, 0)
    return np.divide(shared, total, out=np.zeros_like(total), where=total > 0).mean(axis=1)


def _over_pixels(probs: np.ndarray) -> np.ndarray:
    """Entropy of (image, eu_sample, class, y, x), summed over pixels, (image, eu_sample)."""
    return fast_entropy(probs, axis=2).sum(axis=(-1, -2), dtype=np.float64)
