"""Rank correlation (Spearman 1904)."""

import numpy as np


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation of the ranks of items, those of equals averaged; in [-1, 1].

    0 where either is the same for all items.

    Args:
        first, second: two values of each item, (item,).
    """
    return float(weighted_spearman(first, second, np.ones((1, len(first))))[0])


def weighted_spearman(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The same correlation where items occur more or less often, for many sets of weights.

    Args:
        first, second: see ``spearman``.
        weights: how often each item occurs, (draw, item), at least one in each draw.

    Returns:
        (draw,): what ``spearman`` gives for the items repeated so often.
    """
    one, two = (_centred_ranks(values, weights) for values in (first, second))
    covariance = (weights * one * two).sum(axis=1)
    scale = np.sqrt((weights * one**2).sum(axis=1) * (weights * two**2).sum(axis=1))
    return np.divide(covariance, scale, out=np.zeros(len(weights)), where=scale > 0)


def _centred_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean rank of each item among the repeated ones, less that of all, (draw, item)."""
    order = np.argsort(values)
    weights = weights.astype(np.float64)  # halves of whole numbers: exact
    below = np.pad(weights[:, order].cumsum(axis=1), ((0, 0), (1, 0)))
    less, most = (np.searchsorted(values[order], values, side) for side in ("left", "right"))
    return (below[:, less] + below[:, most] - below[:, -1:]) / 2
