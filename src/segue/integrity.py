"""Whether a Zarr store is as it was written, and what is said where it is not.

A finished store has in its attributes a checksum of every file of metadata, and each chunk ends in
its own, so no bit of a store that Segue wrote can change unnoticed. Zarr, its codecs and xarray
raise errors of many kinds, without a path, for what they cannot read: here they become one message.
"""

import json
import logging
import textwrap
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from segue import lazy, stamp
from segue.errors import InputError
from segue.files import naming

SEAL = "metadata_crc32"
"""Attribute of a finished store: checksum of each file of metadata, by the folder it is in."""

UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What Zarr, its codecs and xarray raise for bytes that they cannot make sense of."""

_HINTS = {
    "data type": "use a type of Zarr's own, such as float16, float32 or uint8: ",
    "Unknown codec": "install that codec, or use one of Zarr's own, such as zstd: ",
}
"""What is added to a remedy, by what an error says."""

_log = logging.getLogger(__name__)


def seal(store: Path) -> None:
    """Note the checksums of the metadata of a new store in its attributes."""
    attributes = zarr.open_group(store, mode="r+", zarr_format=3).attrs
    attributes[SEAL] = _checksums(store, attributes)


def check(store: Path, attributes: Mapping[str, Any]) -> None:
    """Compare the metadata of a store with its seal, if it has one.

    Raises:
        InputError: names the first file that is damaged, lost or new.
    """
    if SEAL not in attributes:
        return
    expected, found = attributes[SEAL], _checksums(store, attributes)
    for folder in sorted(expected.keys() | found.keys()):
        if expected.get(folder) != found.get(folder):
            what = "is not as it was written" if folder in found else "is missing"
            raise InputError(f"{store / folder / 'zarr.json'}: {what}; {remedy(store)}")


def whole(array: zarr.Array, at: tuple[int, ...]) -> bool:
    """Whether the chunk of an element is there and not damaged; an unwritten one reads as NaN."""
    try:
        return not np.isnan(array[at])
    except UNREADABLE as error:
        _log.warning("%s: a damaged chunk is made anew (%s)", array.store_path, error)
        return False


def remedy(store: Path) -> str:
    """What to do about a damaged store: what is not known to be Segue's is never to be removed."""
    if found := stamp.removal(store):
        return found
    anew = "write it anew with the program that made it"
    try:
        ours = SEAL in json.loads((store / "zarr.json").read_bytes())["attributes"]
    except (OSError, LookupError, TypeError, ValueError):
        return anew
    return _removal(store) if ours else anew


@contextmanager
def reading(store: Path, node: Path, region: tuple | None = None) -> Iterator[None]:
    """Turn what is raised for damage into an InputError.

    Args:
        store: path of the store.
        node: path of what is read in it.
        region: index along each dimension of what is read of an array, to name the chunk.

    Raises:
        InputError: names ``node``, its chunk where that is known, and the remedy.
        OSError: the disk failed; names ``node``.
    """
    try:
        with naming(node):
            yield
    except OSError as error:
        if error.errno:
            raise
        raise _unreadable(store, node, region, error) from error  # a codec's, or Zarr's, own
    except UNREADABLE as error:
        raise _unreadable(store, node, region, error) from error


def guarded(variable: xr.Variable, store: Path, node: Path) -> xr.Variable:
    """A variable that xarray has not loaded yet, to be read under ``reading``."""

    def read(region: tuple) -> np.ndarray:
        with reading(store, node, region):
            return variable[region].values

    return lazy.through(variable, variable.dtype, read)


def _checksums(store: Path, attributes: Mapping[str, Any]) -> dict[str, str]:
    """Of the store's attributes but for the seal, and of the groups' and arrays' metadata."""
    own = json.dumps({k: v for k, v in attributes.items() if k != SEAL}, sort_keys=True)
    content = {".": own.encode()}
    for pattern in ("*/zarr.json", "*/*/zarr.json"):
        for file in store.glob(pattern):
            content[file.parent.relative_to(store).as_posix()] = file.read_bytes()
    return {folder: f"{zlib.crc32(content[folder]):08x}" for folder in sorted(content)}


def _removal(store: Path) -> str:
    """Removing the folder, which is what Snakemake knows, unless it holds more than the store."""
    folder = store.parent
    more = [
        entry for entry in folder.iterdir() if entry != store and not entry.name.startswith(".")
    ]
    if any(entry.suffix != ".json" for entry in more):
        return "remove it and run again"
    return f"remove the folder that holds it, {folder}, and run again"


def _unreadable(store: Path, node: Path, region: tuple | None, error: Exception) -> InputError:
    chunk = None if region is None else _damaged_chunk(node, region)
    where = node / chunk if chunk else node
    reason = textwrap.shorten(f"{type(error).__name__}: {error}", 120, placeholder="...")
    hint = next((hint for word, hint in _HINTS.items() if word in reason), "")
    return InputError(f"{where}: cannot be read ({reason}); {hint}{remedy(store)}")


def _damaged_chunk(node: Path, region: tuple) -> str | None:
    """The first chunk of an array, of those that a region touches, that cannot be read."""
    try:
        array = zarr.open_array(node, mode="r")
        sizes = array.shards or array.chunks
        touched = [
            np.unique(np.arange(length)[index] // size).tolist()
            for length, index, size in zip(array.shape, region, sizes, strict=True)
        ]
    except (OSError, *UNREADABLE):
        return None
    for place in product(*touched):
        try:
            array[tuple(slice(i * n, (i + 1) * n) for i, n in zip(place, sizes, strict=True))]
        except (OSError, *UNREADABLE):
            return array.metadata.encode_chunk_key(place)
    return None
