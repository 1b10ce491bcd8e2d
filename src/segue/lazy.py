"""Variables that are read when, and as far as, they are indexed, through a function."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import DTypeLike
from xarray.backends import BackendArray
from xarray.core import indexing


def through(
    variable: xr.Variable, dtype: DTypeLike, read: Callable[[tuple], np.ndarray]
) -> xr.Variable:
    """A variable like another one, whose elements are those that a function returns.

    Args:
        variable: gives dimensions, shape, attributes and encoding.
        dtype: type of what ``read`` returns.
        read: takes an index along each dimension: an integer, a slice or an array of integers.
    """
    lazy = indexing.LazilyIndexedArray(_Through(variable.shape, np.dtype(dtype), read))
    return xr.Variable(variable.dims, lazy, variable.attrs, variable.encoding)


class _Through(BackendArray):
    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype, read: Callable[[tuple], np.ndarray]
    ) -> None:
        self.shape, self.dtype, self.read = shape, dtype, read

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        support = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, support, self.read)
