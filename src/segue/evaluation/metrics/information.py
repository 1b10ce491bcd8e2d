"""How much of the uncertainty of one hypothesis lies between its draws."""

import numpy as np

from segue.evaluation.metrics.entropy import plane_entropy


def draw_information(planes: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Mutual information between the draws of a hypothesis, as a share of its total uncertainty.

    Σ MI / Σ H(p̄), both summed over pixels, with p̄ the mean of a hypothesis's draws and
    MI = H(p̄) - mean_s H(p_s); mean over hypotheses. 0 where draws are equal or all are sure, 1
    where each draw is sure but not of the same. A generative model whose draws hardly differ
    (less than about .02) has collapsed.

    Args:
        planes: class probabilities (eu_sample, au_sample, plane, image, pixel), float32, see
            ``segue.evaluation.metrics.entropy.planes``.
        means: p̄ of each hypothesis, (eu_sample, plane, image, pixel).

    Returns:
        (image,), in [0, 1].
    """
    shares = []
    for draws, mean in zip(planes, means, strict=True):  # one at a time, for the cache
        total = _over_pixels(mean[None])
        shared = np.maximum(total - _over_pixels(draws), 0)
        shares.append(np.divide(shared, total, out=np.zeros_like(total), where=total > 0))
    return np.mean(shares, axis=0)


def _over_pixels(draws: np.ndarray) -> np.ndarray:
    """Entropy of (au_sample, plane, image, pixel): sum over pixels, mean over draws, (image,)."""
    return plane_entropy(draws, axis=1).sum(axis=-1, dtype=np.float64).mean(axis=0)
