"""The arrays among what `_pickle_index.contents` finds, and their numbers, read one by one."""

import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from segue.data.sources.lidc.pickle_index import Inert, Payload


class Array(NamedTuple):
    """An array in the file; ``order`` is C or F."""

    offset: int
    dtype: str
    shape: tuple[int, ...]
    order: str


def array(node: Any) -> Array | None:
    """The array that ``node`` stands for, or None where it is not one of plain numbers."""
    match node:
        case Inert(state=(_, tuple(shape), dtype, bool(fortran), Payload() as data)) if (
            node.name.endswith("multiarray._reconstruct")
        ):
            order = "F" if fortran else "C"
        case Inert(arguments=(Payload() as data, dtype, tuple(shape), str(order))) if (
            node.name.endswith("numeric._frombuffer")
        ):
            pass
        case _:
            return None
    code = _dtype(dtype)
    if code is None or data.length != math.prod(shape) * np.dtype(code).itemsize:
        return None
    return Array(data.offset, code, shape, order)


def read_array(path: Path, place: Array) -> np.ndarray:
    """Read one array from the file."""
    count = math.prod(place.shape)
    flat = np.fromfile(path, dtype=place.dtype, count=count, offset=place.offset)
    return flat.reshape(place.shape, order=place.order)


def _dtype(node: Any) -> str | None:
    """Byte order and code, e.g. ``<f8``, of a dtype of plain numbers."""
    match node:
        case Inert(name="numpy.dtype", arguments=(str(code), *_), state=(_, str(order), *_)) if (
            re.fullmatch("[biuf][1248]", code)
        ):
            return order + code
    return None
