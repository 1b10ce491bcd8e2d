"""Normalised cross-correlation of maps (Hu et al. 2019; ValUES, arXiv 2401.08501)."""

import numpy as np


def ncc(reference: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Σ(g - ḡ)(u - ū) / (N·s_g·s_u) over the N pixels, s with ddof 1: Pearson's r times (N-1)/N.

    Args:
        reference, maps: (..., y, x), of shapes that broadcast.

    Returns:
        (...) in [-1, 1]; 0 where either map is constant.
    """
    first, second = _centred(reference), _centred(maps)
    n = first.shape[-1]
    covariance = (first * second).sum(-1)
    scale = np.sqrt((first**2).sum(-1) * (second**2).sum(-1))
    pearson = np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale != 0)
    return pearson * (n - 1) / n


def _centred(maps: np.ndarray) -> np.ndarray:
    """Pixels minus their mean, float64, (..., y·x); exactly 0 where all are equal."""
    flat = maps.reshape(*maps.shape[:-2], -1).astype(np.float64)
    constant = flat.max(-1, keepdims=True) == flat.min(-1, keepdims=True)
    return np.where(constant, 0.0, flat - flat.mean(-1, keepdims=True))
