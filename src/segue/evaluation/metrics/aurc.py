"""Area under the risk-coverage curve (Geifman & El-Yaniv 2017; Jaeger et al. 2023)."""

import numpy as np


def aurc(uncertainty: np.ndarray, risk: np.ndarray) -> float:
    """Mean over k = 1 … n of the mean risk of the k most certain items; low is good.

    Items of equal uncertainty come in no order: each counts with their mean risk.

    Args:
        uncertainty, risk: one per item, (item,).
    """
    return float(weighted_aurc(uncertainty, risk, np.ones((1, len(risk))))[0])


def weighted_aurc(uncertainty: np.ndarray, risk: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The same area where items count by their weights in every mean, for many sets of weights.

    Args:
        uncertainty, risk: see ``aurc``.
        weights: at least 0, (draw, item), no row all 0.

    Returns:
        (draw,).
    """
    order = np.argsort(uncertainty, kind="stable")
    _, first, size = np.unique(uncertainty[order], return_index=True, return_counts=True)
    weights = weights[:, order]
    tied = np.add.reduceat(weights * risk[order], first, axis=1)
    shared = _ratio(tied, np.add.reduceat(weights, first, axis=1)).repeat(size, axis=1)
    covered = weights.cumsum(axis=1)
    means = _ratio((shared * weights).cumsum(axis=1), covered)
    return (means * weights).sum(axis=1) / covered[:, -1]


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
