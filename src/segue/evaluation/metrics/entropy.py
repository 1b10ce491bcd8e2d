"""Shannon entropy, fast, of class probabilities and of planes of them."""

import numpy as np

_LEAST = np.finfo(np.float32).tiny


def fast_entropy(probs: np.ndarray, axis: int) -> np.ndarray:
    """Shannon entropy in nats, without the ``axis`` of the classes, with 0·log 0 = 0.

    Several times faster than ``scipy.special.entr`` in single precision. What rounding left below 0
    is next to nothing; NaN stays NaN.
    """
    return -_terms(probs).sum(axis=axis)


def planes(probs: np.ndarray, axis: int) -> np.ndarray:
    """Of two classes the second, since the first is what is left to 1; else all classes."""
    if probs.shape[axis] != 2:
        return probs
    return probs.take([1], axis=axis)


def plane_entropy(planes: np.ndarray, axis: int) -> np.ndarray:
    """``fast_entropy`` of class probabilities of which ``planes`` were taken along ``axis``."""
    if planes.shape[axis] != 1:
        return fast_entropy(planes, axis)
    (second,) = np.moveaxis(planes, axis, 0)
    found = _terms(second)
    found += _terms(1 - second)
    return np.negative(found, out=found)


def _terms(probs: np.ndarray) -> np.ndarray:
    """p·log p of each; the least number, too small to change another, is there for log 0."""
    found = np.abs(probs)
    found += _LEAST
    np.log(found, out=found)
    found *= probs
    return found
