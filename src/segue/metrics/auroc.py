"""Area under the receiver operating characteristic."""

import numpy as np
from sklearn.metrics import roc_auc_score


def auroc(negative: np.ndarray, positive: np.ndarray) -> float:
    """Probability that a positive scores higher than a negative, ties counting half; in [0, 1].

    Args:
        negative, positive: scores, one-dimensional and not empty.
    """
    truth = np.repeat([0, 1], [len(negative), len(positive)])
    return float(roc_auc_score(truth, np.concatenate([negative, positive])))
