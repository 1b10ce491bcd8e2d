"""Zarr stores: one group a split, arrays with named dimensions. The only module that knows Zarr.

Several chunks lie in one file, a shard, so that a large study has few files; what is read at a time
is a chunk. An array may be stored without what its other values tell (``segue.left_out``).

A store is written under a temporary name and renamed once each chunk of each array is there, so a
path that exists is whole. A chunk that is lost later is found when the split is opened: a missing
chunk would otherwise read, silently, as the fill value. Other programs may leave out chunks that
hold nothing else, so only stores that were written here are held to it on opening; those of others
are by ``segue check``. What else is damaged is found when it is read, see ``segue.integrity``.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
import zarr
from zarr.abc.codec import BytesBytesCodec
from zarr.codecs import BloscCodec, Crc32cCodec

from segue import chunks, files, integrity, lazy, left_out, nodes
from segue.errors import InputError

_DECODED = 64 * 2**20  # bytes of chunks to decode at the same time; one chunk may have more
_AT_ONCE = 10  # chunks to read at the same time at most, Zarr's own default


class Array(NamedTuple):
    """What is known of a stored array without its values; no ``dims`` where it does not say."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    nbytes: int


@contextmanager
def publish(out: Path, work: Path | None = None) -> Iterator[Path]:
    """Yield the path to write a new store to; rename it to ``out`` when the block ends well.

    Args:
        out: final path; must not exist.
        work: path for the unfinished store, kept when the block fails so that the next attempt can
            go on with its chunks; it has to create all arrays again. By default a unique name
            beside ``out``, removed on failure.

    Raises:
        InputError: ``out`` exists, ``work`` cannot be renamed to it, or an array of the new store
            lacks chunks.
        OSError: the disk is full or may not be written to; names a file.
    """
    if out.exists():
        raise InputError(f"{out}: exists already; remove it to make it anew")
    with files.unfinished(out) if work is None else files.kept(work, out) as path:
        for pattern in ("zarr.json", "*.partial"):  # the latter: chunks that were being written
            for left in path.rglob(pattern):
                left.unlink()
        yield path
        for split in splits(path):
            for name, array in nodes.arrays(path, split).items():
                chunks.check(path, path / split / name, array)
        integrity.seal(path)


def describe(path: Path, attributes: Mapping[str, Any]) -> None:
    """Create the store at ``path`` if need be and set its attributes (JSON values)."""
    zarr.open_group(path, mode="a", zarr_format=3).attrs.update(dict(attributes))


def attributes(path: Path) -> dict[str, Any]:
    """Attributes of the store at ``path``.

    Raises:
        InputError: no such store, or the metadata are damaged.
    """
    return {key: value for key, value in _open(path).attrs.items() if key != integrity.SEAL}


def create(
    path: Path,
    split: str,
    name: str,
    dims: tuple[str, ...],
    shape: tuple[int, ...],
    dtype: str,
    *,
    chunk: int,
    shard: int | None = None,
    fill: float = 0,
    without: str | None = None,
    stored_as: str | None = None,
) -> zarr.Array:
    """Create an array to be written along its first dimension; what is there of it stays.

    Args:
        dims, shape, dtype: of the whole array, e.g. ``dims.LABELS``.
        chunk: images a chunk. Along ``eu_sample`` chunks have size 1, since hypotheses are written
            one after another; all other dimensions are whole in each chunk.
        shard: images a file, a multiple of ``chunk``, which have to be written at once: what is
            written of a shard makes the whole file anew. By default a chunk is a file.
        fill: what an unwritten element reads as; NaN where writing must be resumable.
        without: how the others tell the first index along the last dimension but those of the
            pixels, which is not stored then: ``segue.left_out.COMPLEMENT`` or ``SUM``.
        stored_as: type that is stored in that case, by default ``dtype``.
    """
    group = zarr.open_group(path, mode="a", zarr_format=3).require_group(split)

    def sizes(images: int) -> tuple[int, ...]:
        of_dims = zip(dims[1:], shape[1:], strict=True)
        rest = (1 if dim == "eu_sample" else size for dim, size in of_dims)
        return tuple(max(1, size) for size in (images, *rest))

    chunk = min(chunk, shape[0])
    stored_as = (stored_as or dtype) if without else dtype
    filters = [left_out.LeftOut(len(shape) - 3, without, stored_as)] if without else "auto"
    files_of = -(-min(shard or chunk, shape[0]) // chunk) * chunk  # whole chunks
    return group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=sizes(chunk),
        shards=sizes(files_of) if files_of > chunk else None,
        dimension_names=dims,
        fill_value=fill,
        filters=filters,
        compressors=_compressors(np.dtype(stored_as)),
        config={"write_empty_chunks": True},
    )


def coordinate(path: Path, split: str, name: str, dim: str, values: np.ndarray | list) -> None:
    """Write a coordinate along ``dim``: numbers, or strings of any length."""
    group = zarr.open_group(path, mode="a", zarr_format=3).require_group(split)
    values = np.asarray(values)
    if values.dtype.kind == "U":
        values = values.astype(np.dtypes.StringDType())
    array = group.create_array(
        name,
        shape=values.shape,
        dtype=values.dtype,
        dimension_names=(dim,),
        compressors=_compressors(values.dtype),
        overwrite=True,
        config={"write_empty_chunks": True},
    )
    array[:] = values
    names = set(str(group.attrs.get("coordinates", "")).split()) | {name}
    group.attrs["coordinates"] = " ".join(sorted(names))


def splits(path: Path) -> list[str]:
    """Names of the splits (groups) in the store at ``path``, sorted.

    Raises:
        InputError: no such store, or the metadata are damaged.
    """
    _open(path)
    with integrity.reading(path, path):
        return nodes.children(path, path, "group")


def arrays(path: Path, split: str) -> dict[str, Array]:
    """What is known of each array of a split but for coordinates, by its name, sorted.

    Raises:
        InputError: no such store, or the metadata are damaged.
    """
    coordinates = str(nodes.group(path, path / split).attrs.get("coordinates", "")).split()
    return {
        name: Array(nodes.dims(array), array.shape, str(array.dtype), array.nbytes)
        for name, array in nodes.arrays(path, split).items()
        if name not in coordinates and nodes.dims(array) != (name,)
    }


def check_written(path: Path, split: str, names: Iterable[str]) -> None:
    """See that every chunk of another program's arrays is there, be it of the fill value alone.

    Raises:
        InputError: some chunks are missing; names the first of them and how to write them all.
    """
    stored = nodes.arrays(path, split)
    for name in names:
        hint = (
            f": lost or never written, or left out since they hold nothing but the fill value "
            f"{stored[name].fill_value}, which nobody can tell apart; write all chunks, with "
            "`to_zarr(..., write_empty_chunks=True)` of xarray or "
            "`config={'write_empty_chunks': True}` of `zarr.create_array`"
        )
        chunks.check(path, path / split / name, stored[name], hint)


def open_split(path: Path, split: str, *, all_chunks: bool = False) -> xr.Dataset:
    """Open one split lazily: an array is read when, and as far as, it is indexed.

    Where a chunk turns out to be damaged then, that is an InputError too.

    Args:
        all_chunks: whether another program's arrays may not leave out chunks either.

    Raises:
        InputError: no such store or split, the metadata are damaged, an array that must have all
            its chunks lacks some, or arrays that do not fit together.
    """
    if split not in (there := splits(path)):
        raise InputError(f"{path}: no split {split!r}; there are: {', '.join(there)}")
    all_chunks |= integrity.SEAL in _open(path).attrs
    stored = nodes.arrays(path, split)
    for name, array in stored.items():
        if all_chunks:
            chunks.check(path, path / split / name, array)
        if nodes.dims(array) == (name,):  # the index of a dimension, read on opening
            with integrity.reading(path, path / split / name, (slice(None),)):
                array[:]
    try:
        opened = xr.open_dataset(
            xr.backends.ZarrStore.open_group(
                path / split,
                mode="r",
                consolidated=False,
                zarr_format=nodes.zarr_format(path / split),
                use_zarr_fill_value_as_mask=False,  # else class 0 of format 2 may read as NaN
            )
        )
    except integrity.UNREADABLE as error:  # how xarray says that it cannot make sense of a group
        raise InputError(
            f"{path}/{split}: expected arrays that name their dimensions and agree on their sizes, "
            f"found: {error}; {integrity.remedy(path)}"
        ) from error
    if unseen := stored.keys() - opened.variables.keys():
        raise InputError(
            f"{path}/{split}: arrays and group do not belong together, {min(unseen)} is not of it; "
            f"{integrity.remedy(path)}"
        )
    for variable in opened.variables.values():
        variable.encoding.pop("filters", None)  # of this array alone (segue.left_out)
    return opened.assign(
        {
            name: integrity.guarded(variable, path, path / split / name)
            for name, variable in opened.variables.items()
            if name not in opened.xindexes
        }
    )


def as_stored(path: Path, split: str, name: str) -> xr.Variable | None:
    """An array of a split without what its other values tell, lazily, as ``open_split`` has it.

    None where nothing was left out (``segue.left_out``).

    Raises:
        InputError: the metadata are damaged.
    """
    array = left_out.stored(nodes.arrays(path, split)[name])
    if array is None:
        return None

    def read(region: tuple) -> np.ndarray:
        with integrity.reading(path, path / split / name, region):
            return np.asarray(array.oindex[region])

    like = np.broadcast_to(array.dtype.type(), array.shape)
    like = xr.Variable(nodes.dims(array), like, encoding={"chunks": array.chunks})
    return lazy.through(like, array.dtype, read)


def blocks(split: xr.Dataset, size: int) -> Iterator[xr.Dataset]:
    """Yield the split in memory, ``size`` images at a time, in order.

    Zarr reads chunks side by side and decodes each whole: the larger they are, the fewer at once.
    """
    at_once = max(1, min(_AT_ONCE, _DECODED // max(1, chunk_bytes(split))))
    for start in range(0, split.sizes["image"], size):
        with zarr.config.set({"async.concurrency": at_once}):
            block = split.isel(image=slice(start, start + size)).load()
        yield block


def chunk_bytes(split: xr.Dataset) -> int:
    """Bytes of the largest stored chunk, decoded; 0 for arrays that are in memory."""
    stored = (variable for variable in split.values() if "chunks" in variable.encoding)
    sizes = (math.prod(each.encoding["chunks"]) * each.dtype.itemsize for each in stored)
    return max(sizes, default=0)


def _compressors(dtype: np.dtype) -> tuple[BytesBytesCodec, ...]:
    """Bytes of a value are sorted by their place in it: the size is that of what is stored."""
    blosc = BloscCodec(cname="zstd", clevel=3, shuffle="shuffle", typesize=dtype.itemsize)
    return blosc, Crc32cCodec()


def _open(path: Path) -> zarr.Group:
    kind = nodes.node_type(path, path)
    if kind == "array":
        raise InputError(f"{path}: expected a Zarr group, found an array")
    if kind != "group":
        what = f"; {integrity.remedy(path)}" if path.exists() else ""
        raise InputError(f"{path}: no Zarr store there{what}")
    group = nodes.group(path, path)
    with integrity.reading(path, nodes.metadata(path)):
        integrity.check(path, group.attrs)
    return group
