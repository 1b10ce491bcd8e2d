"""A Zarr codec that stores arrays without the first index of a dimension, since the others tell it.

Of the classes the first is what is left to 1; TU is the sum of AU and EU. Whoever opens the array
sees all of it: Zarr finds the codec where this package is installed. What is stored may be of fewer
bits than what is shown.
"""

import json
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import zarr
from zarr.abc.codec import ArrayArrayCodec
from zarr.core.array import AsyncArray
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import NDBuffer, default_buffer_prototype
from zarr.core.metadata import ArrayV3Metadata
from zarr.dtype import parse_dtype
from zarr.registry import register_codec

NAME = "segue.left_out"

COMPLEMENT, SUM = "1 - the sum of the others", "the sum of the others"
"""How the others tell the first one."""


@dataclass(frozen=True)
class LeftOut(ArrayArrayCodec):
    """The codec.

    Attributes:
        axis: of the dimension.
        value: ``COMPLEMENT`` or ``SUM``.
        dtype: of what is stored, floats.
    """

    is_fixed_size = True

    axis: int
    value: str
    dtype: str

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec as metadata have it.

        Raises:
            ValueError: there is no such value.
        """
        found = cls(**data["configuration"])
        if found.value not in (COMPLEMENT, SUM):
            raise ValueError(f"{NAME}: unknown value {found.value!r}")
        return found

    def to_dict(self) -> dict[str, Any]:
        """What metadata say of the codec."""
        return {"name": NAME, "configuration": dict(vars(self))}

    def resolve_metadata(self, chunk_spec: ArraySpec) -> ArraySpec:
        """What a stored chunk is like, of one that is shown."""
        shape = tuple(n - (i == self.axis) for i, n in enumerate(chunk_spec.shape))
        kind = parse_dtype(self.dtype, zarr_format=3)
        fill = np.dtype(self.dtype).type(chunk_spec.fill_value)
        return ArraySpec(shape, kind, fill, chunk_spec.config, chunk_spec.prototype)

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Bytes of a stored chunk before what codecs after this one do."""
        stored = self.resolve_metadata(chunk_spec)
        return int(np.prod(stored.shape)) * np.dtype(self.dtype).itemsize

    async def _encode_single(self, chunk_array: NDBuffer, chunk_spec: ArraySpec) -> NDBuffer:
        shown = np.moveaxis(chunk_array.as_numpy_array(), self.axis, 0)
        first, rest = shown[0], shown[1:]
        # xarray may hand the codec on to an array that is another, or has its dimensions in another
        # order. Rounding does less than this; what is not written yet has the fill value.
        wrong = np.abs(first - told(rest, self.value, 0)[0]) > 0.02 + 0.2 * np.abs(rest).sum(axis=0)
        if wrong.any() and (wrong & (shown != chunk_spec.fill_value).any(axis=0)).any():
            raise ValueError(
                f"{NAME}: the first index along dimension {self.axis} is not {self.value}; write "
                "the array without this filter (of xarray, `encoding`)"
            )
        stored = np.ascontiguousarray(np.moveaxis(rest, 0, self.axis), self.dtype)
        return chunk_spec.prototype.nd_buffer.from_numpy_array(stored)

    async def _decode_single(self, chunk_array: NDBuffer, chunk_spec: ArraySpec) -> NDBuffer:
        shown = np.empty(chunk_spec.shape, chunk_spec.dtype.to_native_dtype())
        first, rest = np.split(np.moveaxis(shown, self.axis, 0), [1])
        rest[:] = np.moveaxis(chunk_array.as_numpy_array(), self.axis, 0)
        first[:] = told(rest, self.value, 0)
        return chunk_spec.prototype.nd_buffer.from_numpy_array(shown)


def stored(array: zarr.Array) -> zarr.Array | None:
    """The array as it is stored, without the first index; None where nothing was left out.

    Half the bytes of two classes, and nothing to compute: several times as fast to read.
    """
    if array.metadata.zarr_format != 3:
        return None
    file = array.metadata.to_buffer_dict(default_buffer_prototype())["zarr.json"]
    metadata = json.loads(file.to_bytes())
    sizes, codecs = [metadata["chunk_grid"]["configuration"]["chunk_shape"]], metadata["codecs"]
    if codecs[0]["name"] == "sharding_indexed":
        inner = codecs[0]["configuration"]
        sizes, codecs = [*sizes, inner["chunk_shape"]], inner["codecs"]
    if codecs[0]["name"] != NAME:
        return None
    own = codecs.pop(0)["configuration"]
    for each in (metadata["shape"], *sizes):
        each[own["axis"]] -= 1
    read = ArrayV3Metadata.from_dict(metadata | {"data_type": own["dtype"]})
    return zarr.Array(AsyncArray(metadata=read, store_path=array.store_path))


def told(rest: np.ndarray, value: str, axis: int) -> np.ndarray:
    """What the others tell, of length 1 along ``axis``; not below 0 where it is ``COMPLEMENT``."""
    total = rest if rest.shape[axis] == 1 else rest.sum(axis=axis, keepdims=True)
    return np.maximum(1 - total, 0) if value == COMPLEMENT else total


register_codec(NAME, LeftOut)
