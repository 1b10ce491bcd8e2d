"""Area under the risk-coverage curve (Geifman & El-Yaniv 2017; Jaeger et al. 2023)."""

import numpy as np


def aurc(uncertainty: np.ndarray, risk: np.ndarray) -> float:
    """Mean over k = 1 … n of the mean risk of the k most certain items; low is good.

    Items of equal uncertainty come in no order: each counts with their mean risk.

    Args:
        uncertainty, risk: one per item, (item,).
    """
    _, group, size = np.unique(uncertainty, return_inverse=True, return_counts=True)
    shared = (np.bincount(group, weights=risk) / size).repeat(size)
    return float((shared.cumsum() / np.arange(1, len(shared) + 1)).mean())
