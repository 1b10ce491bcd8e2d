"""Blocks of images: as many at a time as fit in memory, chunks read as seldom as that allows."""

from collections.abc import Iterator

import xarray as xr

from segue import store

_WORKING = 32 * 2**20  # bytes of one block as float32; arithmetic needs a few times that
_LOADED = 256 * 2**20  # bytes of chunks kept while their images are worked on; twice that at times


def blocks(split: xr.Dataset, *names: str) -> Iterator[xr.Dataset]:
    """Yield variables of a split in memory, ``block_size`` images at a time, in order.

    Memory depends on the size of an image and of a chunk, and not on the number of images.
    """
    part = split[list(names)].reset_coords(drop=True)
    size = block_size(split, *names)
    for whole in store.blocks(part, _loaded(part, size)):
        yield from store.blocks(whole, size)


def _loaded(part: xr.Dataset, size: int) -> int:
    """Images to keep in memory at a time, to be worked on ``size`` by ``size``."""
    fitting = int(_LOADED * part.sizes["image"] / part.nbytes)
    return max(size, min(_chunk(part), fitting // size * size))


def block_size(split: xr.Dataset, *names: str) -> int:
    """Images a block: a multiple of the stored chunk, or a divisor where the chunk is too large."""
    part = split[list(names)]
    values = sum(variable.size for variable in part.values()) / part.sizes["image"]
    fitting = max(1, int(_WORKING / (4 * values)))
    chunk = _chunk(part)
    if fitting >= chunk:
        return fitting // chunk * chunk
    return next(size for size in range(fitting, 0, -1) if chunk % size == 0)


def _chunk(part: xr.Dataset) -> int:
    """Images a stored chunk of the variable with the largest images; 1 for an array in memory."""
    largest = max(part.values(), key=lambda variable: variable.nbytes)
    return largest.encoding.get("chunks", (1,))[0]
