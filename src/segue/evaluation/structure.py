"""What predictions must have before their values are read: groups, arrays, sizes, types."""

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import xarray as xr

from segue import dims, nodes, store
from segue.errors import InputError
from segue.evaluation.canonical import known

ARRAYS = {"probs": dims.SAMPLES, "labels": dims.LABELS}

_KINDS = {"probs": ("f", "floats"), "labels": ("biuf", "integers")}
_OOD = "ood_<shift>"
_WITHOUT = {
    "val": "confidences and thresholds, which are fitted on it, are not scored",
    "id": "OOD detection, and everything on images like those trained on, are not scored",
    _OOD: "OOD detection, and everything under shift, are not scored",
}


def check_structure(path: Path) -> list[str]:
    """Check that the arrays are there and fit together; reads no value.

    Returns:
        Lines on groups and splits that are left out.

    Raises:
        InputError: names the split and array that are not as they ought to be.
    """
    recognise(path)
    names = store.splits(path)
    said = left_out(names, str(path))
    check_arrays({split: store.arrays(path, split) for split in known(names)}, str(path))
    return said


def recognise(path: Path) -> None:
    """Say what a path is that is no store, and how it becomes one."""
    if path.is_file():
        remedy = "write a store with `to_zarr` of xarray"
        if zipfile.is_zipfile(path):
            remedy = (
                f"unpack it, `python -m zipfile -e {path} FOLDER`, and name the store in FOLDER"
            )
        raise InputError(f"{path}: expected the folder of a Zarr store, found a file; {remedy}")
    if path.is_dir() and nodes.metadata(path) is None:
        inside = sorted(p.name for p in path.iterdir() if nodes.metadata(p))
        if known(inside):
            raise InputError(
                f"{path}: no metadata of Zarr beside the groups {', '.join(inside)}; add them, "
                f'`python -c \'import zarr; zarr.open_group("{path}", mode="a")\'`'
            )
        if inside:
            raise InputError(f"{path}: no Zarr store there, but a folder of {', '.join(inside)}")


def left_out(names: Iterable[str], where: str) -> list[str]:
    """Lines on groups that are no splits, and on splits that are not there."""
    names = list(names)
    splits = known(names)
    if not splits:
        raise InputError(
            f"{where}: expected groups val, id or {_OOD}, found {', '.join(names) or 'none'}; "
            "name the splits so"
        )
    return [
        *(f"left out: {name}, which is no split" for name in names if name not in splits),
        *(f"no split {split}: {_WITHOUT[split]}" for split in lacking_splits(splits)),
    ]


def lacking_splits(splits: Iterable[str]) -> list[str]:
    """Those of val, id and an OOD split that are not among some splits."""
    there = {_OOD if dims.is_ood(split) else split for split in splits}
    return [split for split in _WITHOUT if split not in there]


def check_arrays(splits: Mapping[str, Mapping[str, store.Array]], root: str) -> None:
    """Check names, dimensions and sizes of the arrays of each split.

    Raises:
        InputError: names the split and array, what was expected and what was found.
    """
    first: dict[str, tuple[str, int]] = {}  # where a size was first seen, and what it was
    for split, arrays in splits.items():
        here: dict[str, tuple[str, int]] = {}
        for name, order in ARRAYS.items():
            where = f"{root}/{split}/{name}"
            if name not in arrays:
                there = ", ".join(arrays) or "none"
                raise InputError(f"{where}: no such array; there are: {there}")
            _check_array(arrays[name], name, order, where)
            for dim, size in zip(order, arrays[name].shape, strict=True):
                seen = here if dim == "image" else first
                source, expected = seen.get(dim, ("", 0))
                if source and size != expected:
                    raise InputError(
                        f"{where}: expected {expected} along {dim!r} as {source} has, found {size}"
                    )
                seen[dim] = (where, size)


def _check_array(array: store.Array, name: str, order: tuple[str, ...], where: str) -> None:
    if array.dims != order:
        found = array.dims or f"{len(array.shape)} without names"
        raise InputError(
            f"{where}: expected dimensions {order}, found {found}; {_order(array.dims, order)}"
        )
    for dim, size in zip(order, array.shape, strict=True):
        least = 2 if dim == "class" else 1
        if size < least:
            remedy = "write the background too: np.concatenate([1 - probs, probs], axis=3)"
            more = f"; {remedy}" if dim == "class" else ""
            raise InputError(
                f"{where}: expected at least {least} along {dim!r}, found {size}{more}"
            )
        if dim == "class" and size > dims.UNLABELLED:
            raise InputError(
                f"{where}: expected at most {dims.UNLABELLED} along 'class', found {size}; join "
                f"classes ({dims.UNLABELLED} in labels stands for no label)"
            )


def _order(found: tuple[str, ...], expected: tuple[str, ...]) -> str:
    """What to do about dimensions that are others or in another order."""
    lacking = [dim for dim in expected if dim not in found]
    strange = [dim for dim in found if dim not in expected]
    if not found:
        return "name them when you write it (`dimension_names` of Zarr, `dims` of xarray)"
    if strange:
        return f"call {strange[0]!r} by one of these names, or take it out"
    return f"expand_dims({lacking})" if lacking else f"transpose{expected}"


def check_types(splits: Mapping[str, xr.Dataset], where: str) -> None:
    """Types as they are read: an integer on disk may stand for a float, by its attributes."""
    for split, arrays in splits.items():
        for name, (kinds, expected) in _KINDS.items():
            if (found := arrays[name].dtype).kind not in kinds:
                raise InputError(
                    f"{where}/{split}/{name}: expected {expected}, found {found}; write {expected}"
                )
