"""Arrays that are stored without the first index of a dimension, since the others tell it.

Of the classes the first is what is left to 1; TU is the sum of AU and EU. An attribute of the array
says so to whoever opens it with xarray or Zarr alone; ``segue.store`` shows all of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from segue import lazy

ATTRIBUTE = "left_out"
"""Name of the attribute: a mapping with the fields of ``LeftOut``."""

_COMPLEMENT, _SUM = "1 - the sum of the others", "the sum of the others"


class LeftOut(NamedTuple):
    """What an array is stored without.

    Attributes:
        dim: along which its first index is left out.
        label: of that index.
        value: how the others tell it, in words.
    """

    dim: str
    label: str | int
    value: str


CLASS = LeftOut("class", 0, _COMPLEMENT)
"""Of class probabilities."""
TOTAL = LeftOut("measure", "TU", _SUM)
"""Of uncertainty maps."""


def of(attributes: Mapping[str, Any]) -> LeftOut | None:
    """What a stored array with these attributes is without; None where it is whole."""
    found = attributes.get(ATTRIBUTE)
    return next((each for each in (CLASS, TOTAL) if each._asdict() == found), None)


def longer(sizes: Iterable[int], dims: Sequence[str], left_out: LeftOut | None) -> tuple[int, ...]:
    """Sizes along the dimensions of a stored array, with what it is without."""
    dim = left_out.dim if left_out else None
    return tuple(size + (of_dim == dim) for size, of_dim in zip(sizes, dims, strict=True))


def first(rest: np.ndarray, value: str, axis: int) -> np.ndarray:
    """What was left out, of length 1 along ``axis``, in single precision at least.

    A probability is not below 0, where the others are rounded to more than 1.
    """
    kind = np.result_type(rest.dtype, np.float32)
    total = rest.sum(axis=axis, keepdims=True, dtype=kind)
    return np.maximum(1 - total, 0) if value == _COMPLEMENT else total


def whole(split: xr.Dataset) -> xr.Dataset:
    """A split whose arrays have all their indices; what is not in memory is read as before."""
    lacking = {name: found for name, each in split.data_vars.items() if (found := of(each.attrs))}
    if not lacking:
        return split
    dims = {each.dim: each for each in lacking.values()}
    found = {name: _whole(split[name].variable, each) for name, each in lacking.items()}
    coordinates = {
        name: [dims[name].label, *each.values] if name in dims else each.variable
        for name, each in split.coords.items()
    }
    arrays = {name: found.get(name, each.variable) for name, each in split.data_vars.items()}
    return xr.Dataset(arrays, coordinates, split.attrs)


def _whole(variable: xr.Variable, left_out: LeftOut) -> xr.Variable:
    axis = variable.dims.index(left_out.dim)
    kind = np.result_type(variable.dtype, np.float32)

    def read(region: tuple) -> np.ndarray:
        # Of the dimension all is read; an integer elsewhere takes a dimension away.
        place = sum(not isinstance(each, (int, np.integer)) for each in region[:axis])
        rest = variable[(*region[:axis], slice(None), *region[axis + 1 :])].values
        both = np.concatenate([first(rest, left_out.value, place), rest], axis=place, dtype=kind)
        return both[(*[slice(None)] * place, region[axis])]

    like = variable.copy(deep=False)
    like.attrs = {key: value for key, value in variable.attrs.items() if key != ATTRIBUTE}
    chunks = variable.encoding.get("chunks")
    like.encoding = {"chunks": longer(chunks, like.dims, left_out)} if chunks else {}
    return lazy.through(like, kind, read, longer(like.shape, like.dims, left_out))
