"""Area under the receiver operating characteristic."""

import numpy as np


def auroc(negative: np.ndarray, positive: np.ndarray) -> float:
    """Probability that a positive scores higher than a negative, ties counting half; in [0, 1].

    Args:
        negative, positive: scores, one-dimensional and not empty.
    """
    once = (np.ones((1, len(each))) for each in (negative, positive))
    return float(weighted_auroc(negative, positive, *once)[0])


def weighted_auroc(
    negative: np.ndarray,
    positive: np.ndarray,
    negative_weights: np.ndarray,
    positive_weights: np.ndarray,
) -> np.ndarray:
    """The same area where items are drawn in proportion to weights, for many sets of weights.

    Args:
        negative, positive: see ``auroc``.
        negative_weights, positive_weights: at least 0, (draw, item).

    Returns:
        (draw,); NaN where all negatives or all positives have the weight 0.
    """
    order = np.argsort(negative)
    below = np.pad(negative_weights[:, order].cumsum(axis=1), ((0, 0), (1, 0)))
    less, most = (np.searchsorted(negative[order], positive, side) for side in ("left", "right"))
    won = (below[:, less] + below[:, most]) / 2
    total, pairs = (won * positive_weights).sum(axis=1), below[:, -1] * positive_weights.sum(axis=1)
    return np.divide(total, pairs, out=np.full(len(total), np.nan), where=pairs > 0)
