"""Area under the risk-coverage curve (Geifman & El-Yaniv 2017; Jaeger et al. 2023)."""

import numpy as np


def aurc(uncertainty: np.ndarray, risk: np.ndarray) -> float:
    """Mean over k = 1 … n of the mean risk of the k most certain items; low is good.

    Items of equal uncertainty come in no order: each counts with their mean risk.

    Args:
        uncertainty, risk: one per item, (item,).
    """
    order, first, size = _ties(uncertainty)
    total = np.add.reduceat(risk[order].astype(np.float64), first)
    shared = (total / size).repeat(size)
    return float((shared.cumsum() / np.arange(1, len(risk) + 1)).mean())


def weighted_aurc(uncertainty: np.ndarray, risk: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The same area where items occur more or less often, for many sets of weights.

    Args:
        uncertainty, risk: see ``aurc``.
        weights: how often each item occurs, whole numbers, (draw, item).

    Returns:
        (draw,): what ``aurc`` gives for the items repeated so often; NaN for none.
    """
    order, first, _ = _ties(uncertainty)
    weights = weights[:, order]
    count = np.add.reduceat(weights, first, axis=1)
    total = np.add.reduceat(weights * risk[order].astype(np.float64), first, axis=1)
    after, before = count.cumsum(axis=1), total.cumsum(axis=1) - total
    mean = np.divide(total, count, out=np.zeros(total.shape), where=count > 0)
    # w items of the risk r that come after c items of the sum s add Σ_j (s + j·r)/(c + j), over
    # j = 1 … w: that is w·r + (s - c·r)·(H(c + w) - H(c)) with the harmonic numbers H.
    harmonic = np.append(0.0, (1 / np.arange(1, after[:, -1].max() + 1)).cumsum())
    end = after.astype(np.intp)
    steps = harmonic[end] - harmonic[end - count.astype(np.intp)]
    areas = (total + (before - (after - count) * mean) * steps).sum(axis=1)
    every = after[:, -1]
    return np.divide(areas, every, out=np.full(len(areas), np.nan), where=every > 0)


def _ties(uncertainty: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Order of the items, the most certain first; where each group of equals starts; its size."""
    order = np.argsort(uncertainty, kind="stable")
    _, first, size = np.unique(uncertainty[order], return_index=True, return_counts=True)
    return order, first, size
