"""Map -> image score: one number for the uncertainty of a whole image.

Each function takes maps (image, measure, y, x) and, where it needs one, the mask (image, y, x) of
the mean prediction, and returns (image, measure). Border, patch and threshold as in ValUES (Kahl et
al. 2024, arXiv 2401.08501).
"""

import numpy as np

_DROPPED = 12  # bits of a float32 that do not matter to a threshold
_SIGN = np.uint32(2**31)  # the bit that negative float32 values have


def border(maps: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Σu / max(B, 1), B the ``border_length``; without a border this is the sum, of no use."""
    return _total(maps) / np.maximum(border_length(mask), 1)[:, None]


def border_length(mask: np.ndarray) -> np.ndarray:
    """4-neighbour pixel pairs whose classes differ (4k for a k×k square), (image,)."""
    down = (mask[:, 1:] != mask[:, :-1]).sum(axis=(-1, -2))
    across = (mask[:, :, 1:] != mask[:, :, :-1]).sum(axis=(-1, -2))
    return down + across


def area(maps: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Σu / max(A, 1), A the number of pixels that are not background."""
    return _total(maps) / np.maximum((mask > 0).sum(axis=(-1, -2)), 1)[:, None]


def mean(maps: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean of u over the image, whatever the mask."""
    return _total(maps) / mask[0].size


def patch(maps: np.ndarray, size: int) -> np.ndarray:
    """Greatest Σu over the windows of ``size`` × ``size`` pixels (or the image, if smaller)."""
    sums = np.pad(maps.astype(np.float64).cumsum(-1).cumsum(-2), ((0, 0), (0, 0), (1, 0), (1, 0)))
    height, width = (min(size, side) for side in maps.shape[-2:])
    rows = sums[..., height:, :] - sums[..., :-height, :]
    return (rows[..., width:] - rows[..., :-width]).max(axis=(-1, -2))


def threshold(maps: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Mean of the pixels with u ≥ ``least`` (measure,); 0 where there is none."""
    above = maps >= least[:, None, None]
    sums, counts = _total(np.where(above, maps, 0)), above.sum(axis=(-1, -2))
    return sums / np.maximum(counts, 1)


def leading_bits(maps: np.ndarray) -> np.ndarray:
    """Counts of float32 values by their leading 20 bits, (2^20,): sums over blocks.

    The bits of such values are in the values' order, once those of negative ones are inverted, and
    20 of them tell values apart that differ by 1 in 2048.
    """
    bits = np.ascontiguousarray(maps, np.float32).view(np.uint32)
    return np.bincount(_flipped(bits).ravel() >> _DROPPED, minlength=2 ** (32 - _DROPPED))


def quantile(counts: np.ndarray, level: float) -> np.float32:
    """Least value (to 1 in 2048, rounded down) that a fraction ``level`` of values do not exceed.

    Args:
        counts: of the values' ``leading_bits``.
        level: in [0, 1]; -∞ for 0.
    """
    if level == 0:
        return np.float32(-np.inf)
    cumulative = counts.cumsum()
    index = np.searchsorted(cumulative, level * cumulative[-1])
    ordered = np.array(index << _DROPPED, np.uint32)
    bits = np.where(ordered & _SIGN, ordered ^ _SIGN, ~ordered)
    return bits.view(np.float32)[()]


def _flipped(bits: np.ndarray) -> np.ndarray:
    """Bits of float32 values as integers in the order of the values."""
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _total(maps: np.ndarray) -> np.ndarray:
    return maps.sum(axis=(-1, -2), dtype=np.float64)
