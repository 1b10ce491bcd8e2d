"""Checksums of JSON values, and of whole stores from few of their bytes.

Knows how Zarr lays out files, not Zarr.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from segue import files
from segue.errors import InputError

_CONTENT = ("node_type", "dimension_names", "shape", "data_type", "chunk_grid")


def of_json(value: Any) -> str:
    """sha256, in hexadecimal, of what JSON can hold; the order of keys means nothing."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def digest(path: Path) -> str:
    """sha256, in hexadecimal, of a whole store, made from few of its bytes.

    Of each file count its path in the store and: for metadata, all bytes; for a chunk that ends in
    its CRC-32C (all that are written here), its size and that checksum; for any other chunk all
    bytes. So it changes with what any array holds, with any attribute, with a file more or less or
    cut. Damage inside a chunk that leaves its end alone does not change it: reading the chunk
    finds that. Snakemake's own file in the store does not count.

    Raises:
        InputError: no such store.
    """
    return _digest(path, lambda metadata: metadata)


def content_digest(path: Path) -> str:
    """sha256, in hexadecimal, of what the arrays of a store hold, coordinates included.

    As ``digest``, but of the metadata count only which groups and arrays there are, and the arrays'
    dimensions, shapes, types and chunk grids. Attributes (licence texts, versions, statistics) do
    not. Equal values have equal digests where the same code and compressor wrote them.

    Raises:
        InputError: no such store.
    """
    return _digest(path, _content)


def _digest(path: Path, of_metadata: Callable[[bytes], bytes]) -> str:
    if not path.is_dir():
        raise InputError(f"{path}: no Zarr store (format 3) there")
    found = hashlib.sha256()
    for file, checked in _files(path, checked=False):
        if file.name == "zarr.json":
            part = hashlib.sha256(of_metadata(file.read_bytes())).hexdigest()
        elif checked:
            part = f"{file.stat().st_size} {_end(file).hex()}"
        else:
            part = files.digest(file)
        found.update(os.fsencode(file.relative_to(path)) + f"\0{part}\n".encode())
    return found.hexdigest()


def _files(folder: Path, checked: bool) -> Iterator[tuple[Path, bool]]:
    """Files below a folder, sorted, each with whether it is of an array of checksummed chunks."""
    entries = sorted(folder.iterdir())
    if (metadata := folder / "zarr.json") in entries:
        checked = _checksummed(metadata.read_bytes())
    for entry in entries:
        if entry.is_dir():
            yield from _files(entry, checked)
        elif entry.name != ".snakemake_timestamp":
            yield entry, checked


def _checksummed(metadata: bytes) -> bool:
    try:
        return json.loads(metadata)["codecs"][-1]["name"] == "crc32c"
    except (LookupError, TypeError, ValueError):  # a group, or damaged
        return False


def _end(file: Path) -> bytes:
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - 4))
        return opened.read()


def _content(metadata: bytes) -> bytes:
    """What metadata say of values; damaged metadata as they are."""
    try:
        found = {key: json.loads(metadata).get(key) for key in _CONTENT}
    except (AttributeError, ValueError):
        return metadata
    return json.dumps(found, sort_keys=True).encode()
