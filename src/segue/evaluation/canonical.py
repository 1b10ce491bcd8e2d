"""Labels and samples as other programs write them -> those that every score is computed from.

The one place where types and markers become the study's own, for the command, for ``segue.score``
and for the stages of a study. What has no meaning was refused by ``segue.evaluation.check`` before.
"""

from collections.abc import Callable, Iterable

import numpy as np
import xarray as xr
from numpy.typing import DTypeLike

from segue import dims, lazy


def known(names: Iterable[str]) -> list[str]:
    """Those names of groups that are splits to score: ``val``, ``id``, ``ood``, ``ood_<shift>``."""
    return [name for name in names if name in ("val", "id") or dims.is_ood(name)]


def canonical(split: xr.Dataset) -> xr.Dataset:
    """A split whose ``labels`` and ``probs``, where it has them, are read as below; stays lazy."""
    found = {}
    if "labels" in split and split["labels"].dtype != np.uint8:
        found["labels"] = _read_as(split["labels"].variable, np.uint8, labels)
    if "probs" in split:
        found["probs"] = _read_as(split["probs"].variable, split["probs"].dtype, samples)
    return split.assign(found)


def labels(stored: np.ndarray) -> np.ndarray:
    """Class indices as uint8, with ``dims.UNLABELLED`` where there is none.

    Args:
        stored: booleans, integers, or floats that are whole numbers or NaN, see
            ``dims.unlabelled``.
    """
    found = np.full(stored.shape, dims.UNLABELLED, np.uint8)
    known = ~dims.unlabelled(stored)
    found[known] = stored[known]
    return found


def samples(stored: np.ndarray) -> np.ndarray:
    """Class probabilities without a minus sign: what rounding left below 0, and -0, become 0.

    Sums over ``class`` are made 1 later, by ``segue.evaluation.probabilities``.
    """
    bits = stored.view(f"i{stored.itemsize}")  # many times faster than np.signbit of halves
    if bits.min(initial=0) >= 0:
        return stored
    return np.abs(np.maximum(stored, 0))


def _read_as(
    variable: xr.Variable, dtype: DTypeLike, convert: Callable[[np.ndarray], np.ndarray]
) -> xr.Variable:
    """A variable whose elements are converted when they are read."""
    return lazy.through(variable, dtype, lambda region: convert(variable[region].values))
