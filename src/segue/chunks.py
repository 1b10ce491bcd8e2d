"""Whether every chunk of an array is there: a missing one reads, silently, as the fill value.

Several chunks may lie in one file, a shard, whose index says where each of them is; see
https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed.
"""

import math
from pathlib import Path

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec, ShardingCodecIndexLocation

from segue import integrity, nodes
from segue.errors import InputError

_NAMED = 3  # chunks that a message names
_ABSENT = 2**64 - 1  # where an index of a shard has neither place nor size


def check(store: Path, node: Path, array: zarr.Array, hint: str = "") -> None:
    """See that each chunk of an array is there.

    Args:
        store: path of the store.
        node: path of the array in it.
        array: opened.
        hint: what a message is to say of the missing ones, before the remedy.

    Raises:
        InputError: some are missing; names the first of them.
    """
    with integrity.reading(store, node):
        sizes = array.shards or array.chunks
        grid = [-(-length // size) for length, size in zip(array.shape, sizes, strict=True)]
        missing, first = _missing(node, array, grid)
    what = f"{missing} of {math.prod(grid)} chunks"
    if array.shards and not missing:
        with integrity.reading(store, node):
            missing, first = _missing_inside(node, array, grid)
        what = f"{missing} chunks in shards"
    if missing:
        names = ", ".join(first) + ", ..." * (missing > len(first))
        raise InputError(f"{node}: {what} are missing ({names}){hint}; {integrity.remedy(store)}")


def _missing(node: Path, array: zarr.Array, grid: list[int]) -> tuple[int, list[str]]:
    """How many chunks (or shards) of an array have no file, and the names of the first of them."""
    files = (file.relative_to(node).as_posix() for file in node.rglob("[!.]*") if file.is_file())
    present = set(files) - nodes.METADATA.keys()
    missing, first = math.prod(grid), []
    for index in range(missing):
        key = array.metadata.encode_chunk_key(np.unravel_index(index, grid))
        if key in present:
            missing -= 1
            present.remove(key)
        elif len(first) < _NAMED:
            first.append(key)
        if not present and len(first) == min(missing, _NAMED):  # damage can make an array endless
            break
    return missing, first


def _missing_inside(node: Path, array: zarr.Array, grid: list[int]) -> tuple[int, list[str]]:
    """How many chunks are in no shard, and the first of them: name of the shard, place in it."""
    (codec,) = array.metadata.codecs
    inner = [shard // chunk for shard, chunk in zip(array.shards, array.chunks, strict=True)]
    size = 16 * math.prod(inner)
    checksum = 4 * any(isinstance(each, Crc32cCodec) for each in codec.index_codecs)
    at_end = codec.index_location == ShardingCodecIndexLocation.end
    missing, first = 0, []
    for place in np.ndindex(*grid):
        key = array.metadata.encode_chunk_key(place)
        start = max(0, (node / key).stat().st_size - size - checksum) if at_end else 0
        with (node / key).open("rb") as file:
            file.seek(start)
            index = np.frombuffer(file.read(size), np.uint64).reshape(*inner, 2)
        sides = zip(place, array.shards, array.chunks, inner, array.shape, strict=True)
        inside = [at * shard + n * np.arange(count) < end for at, shard, n, count, end in sides]
        absent = np.argwhere((index[np.ix_(*inside)] == _ABSENT).all(axis=-1))
        missing += len(absent)
        first += [f"{key} at {tuple(each)}" for each in absent[: _NAMED - len(first)].tolist()]
    return missing, first
