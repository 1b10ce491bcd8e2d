"""Shannon entropy, fast."""

import numpy as np

_LEAST = np.finfo(np.float32).tiny


def fast_entropy(probs: np.ndarray, axis: int) -> np.ndarray:
    """Shannon entropy in nats, without the ``axis`` of the classes, to single precision.

    Several times faster than ``scipy.special.entr``. What rounding left at or below 0 adds nothing
    (1e-36); NaN stays NaN.
    """
    found = np.maximum(probs, _LEAST)
    found *= np.log(found)
    return -found.sum(axis=axis)
