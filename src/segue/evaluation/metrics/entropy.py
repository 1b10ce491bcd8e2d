"""Shannon entropy, fast."""

import numpy as np

_LEAST = np.finfo(np.float32).tiny


def fast_entropy(probs: np.ndarray, axis: int) -> np.ndarray:
    """Shannon entropy in nats, without the ``axis`` of the classes, with 0·log 0 = 0.

    Several times faster than ``scipy.special.entr`` in single precision. What rounding left below 0
    is next to nothing; NaN stays NaN.
    """
    found = np.maximum(probs, _LEAST)
    np.log(found, out=found)
    found *= probs
    return -found.sum(axis=axis)
