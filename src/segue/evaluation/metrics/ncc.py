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
    covariance = _products(first, second)
    scale = np.sqrt(_products(first, first) * _products(second, second))
    pearson = np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale != 0)
    return pearson * (n - 1) / n


def _centred(maps: np.ndarray) -> np.ndarray:
    """Pixels minus their mean, float64, (..., y·x); exactly 0 where all are equal."""
    flat = maps.reshape(*maps.shape[:-2], -1)
    constant = flat.max(-1) == flat.min(-1)
    centred = flat - flat.mean(-1, dtype=np.float64, keepdims=True)
    centred[constant] = 0
    return centred


def _products(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Sum over pixels of the products, without an array of these."""
    return np.einsum("...i,...i->...", first, second)
