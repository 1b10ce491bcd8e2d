"""Groups and arrays of a store, of format 3 or 2, as they are on the disk."""

import json
from pathlib import Path

import zarr

from segue import integrity

METADATA = {"zarr.json": "", ".zgroup": "group", ".zarray": "array"}
"""Files of metadata, format 3 and the two of format 2, and the kind that a name tells."""


def children(store: Path, folder: Path, kind: str) -> list[str]:
    """Names of what lies in a group and is of a kind, ``group`` or ``array``, sorted.

    They are looked for on the disk: metadata that were consolidated do not know what came later.

    Raises:
        InputError: names the metadata that cannot be read.
    """
    found = sorted(path for path in folder.iterdir() if path.is_dir())
    return [path.name for path in found if node_type(store, path) == kind]


def node_type(store: Path, folder: Path) -> str:
    """``group`` or ``array``; empty where a folder of a store has no metadata of Zarr's.

    Raises:
        InputError: names the metadata that cannot be read.
    """
    file = metadata(folder)
    if file is None:
        return ""
    with integrity.reading(store, file):
        return METADATA[file.name] or str(json.loads(file.read_bytes())["node_type"])


def metadata(folder: Path) -> Path | None:
    """The file of a group's or array's metadata: that of format 3 where there are two."""
    return next((path for name in METADATA if (path := folder / name).is_file()), None)


def zarr_format(folder: Path) -> int:
    """3, or 2 where a group or array has no metadata of format 3."""
    return 3 if (folder / "zarr.json").is_file() else 2


def group(path: Path, node: Path) -> zarr.Group:
    """A group of a store, by its own metadata: consolidated ones do not know what came later."""
    with integrity.reading(path, node):
        form = zarr_format(node)
        return zarr.open_group(node, mode="r", zarr_format=form, use_consolidated=False)


def arrays(path: Path, split: str) -> dict[str, zarr.Array]:
    """The arrays of a split by name, opened to be read.

    Raises:
        InputError: names the metadata that cannot be read.
    """
    found = {}
    for name in children(path, path / split, "array"):
        node = path / split / name
        with integrity.reading(path, metadata(node)):
            form = zarr_format(node)
            found[name] = zarr.open_array(node, mode="r", zarr_format=form)
    return found


def dims(array: zarr.Array) -> tuple[str, ...]:
    """Names of an array's dimensions; of format 2, as xarray notes them; none where it has none."""
    if array.metadata.zarr_format == 2:
        names = array.attrs.get("_ARRAY_DIMENSIONS")
        return tuple(map(str, names)) if isinstance(names, list) else ()
    return tuple(map(str, array.metadata.dimension_names or ()))
