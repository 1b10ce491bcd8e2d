"""Predictions that another program wrote: what is in the store, and what is wrong with it.

A store has a group for each split, ``val``, ``id`` and any number of ``ood_*``, of ``probs``
(image, eu_sample, au_sample, class, y, x) and ``labels`` (image, rater, y, x).
"""

import logging
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import xarray as xr
from tqdm import tqdm

from segue import dims, store
from segue.blocks import blocks
from segue.errors import InputError
from segue.evaluation import intervals
from segue.evaluation.canonical import known
from segue.evaluation.values import Found, remarks, values

ARRAYS = {"probs": dims.SAMPLES, "labels": dims.LABELS}

_KINDS = {"probs": ("f", "floats"), "labels": ("biuf", "integers")}
_LARGE = 256 * 2**20  # bytes of a chunk, which is decoded whole however little of it is wanted
_ROOT = ("zarr.json", ".zgroup", ".zarray")
_OOD = "ood_<shift>"
_WITHOUT = {
    "val": "confidences and thresholds, which are fitted on it, are not scored",
    "id": "OOD detection, and everything on images like those trained on, are not scored",
    _OOD: "OOD detection, and everything under shift, are not scored",
}

_log = logging.getLogger(__name__)


def describe(path: Path) -> str:
    """Lines that say which arrays each split has: type, sizes, and bytes without compression.

    Raises:
        InputError: no store there.
    """
    _recognise(path)
    lines = [f"{path}"]
    for split in store.splits(path):
        for name, array in store.arrays(path, split).items():
            names = array.dims or ("?",) * len(array.shape)
            sizes = ", ".join(f"{d} {n}" for d, n in zip(names, array.shape, strict=False))
            lines.append(f"  {split}/{name}: {array.dtype} ({sizes}), {array.nbytes:,} bytes")
    return "\n".join(lines)


def check(path: Path, *, whole: bool = False) -> list[str]:
    """Check names, dimensions and sizes, then every value, a block of images at a time.

    Args:
        path: of the store.
        whole: whether ``val``, ``id`` and an OOD split must all be there, as a study needs them.

    Returns:
        Lines on what is right but worth knowing: what is left out, normalised or unlabelled.

    Raises:
        InputError: with the place of the first offence: the split, then the indices along image,
            eu_sample, au_sample, y and x, or image, rater, y and x.
    """
    said = check_structure(path)
    names = known(store.splits(path))
    if whole and (lacking := _lacking(names)):
        raise InputError(
            f"{path}: a study needs a split {lacking[0]!r}, found {', '.join(names)}; add this "
            "group, or use `segue score`, which does without"
        )
    splits = {name: store.open_split(path, name) for name in names}
    _check_types(splits, str(path))
    for name, split in splits.items():
        intervals.units(split, f"{path}/{name}")
        if (size := store.chunk_bytes(split[list(ARRAYS)])) > _LARGE:
            _log.warning(
                "%s/%s: has chunks of %.1f GB, and takes several times that of memory; write "
                "chunks of one image",
                path,
                name,
                size / 1e9,
            )
        for array in ARRAYS:
            store.check_written(path, name, array)
    return said + _check_values(splits, str(path), bar=True)


def link(out: Path, *, store: str) -> None:
    """Check a store of a whole study and make ``out`` a link to it.

    Args:
        out: path of the link.
        store: path of the store.

    Raises:
        InputError: see ``check``.
    """
    path = Path(store).resolve()
    for line in check(path, whole=True):
        _log.info("%s: %s", path, line)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.symlink_to(path)


def check_structure(path: Path) -> list[str]:
    """Check that the arrays are there and fit together; reads no value.

    Returns:
        Lines on groups and splits that are left out.

    Raises:
        InputError: names the split and array that are not as they ought to be.
    """
    _recognise(path)
    names = store.splits(path)
    said = _left_out(names, str(path))
    _check_arrays({split: store.arrays(path, split) for split in known(names)}, str(path))
    return said


def check_splits(splits: Mapping[str, xr.Dataset], where: str) -> list[str]:
    """Check splits that are not in a store: their arrays, then every value.

    Args:
        splits: by name; ``probs`` and ``labels`` of each, in memory or not.
        where: what messages begin with.

    Returns:
        Lines as of ``check``.

    Raises:
        InputError: as ``check``.
    """
    said = _left_out(splits, where)
    chosen = {name: splits[name] for name in known(splits)}
    arrays = {
        split: {
            str(name): store.Array(v.dims, v.shape, str(v.dtype), v.nbytes)
            for name, v in dataset.variables.items()
        }
        for split, dataset in chosen.items()
    }
    _check_arrays(arrays, where)
    _check_types(chosen, where)
    return said + _check_values(chosen, where, bar=False)


def _check_values(splits: Mapping[str, xr.Dataset], where: str, *, bar: bool) -> list[str]:
    found = {}
    total = sum(split.sizes["image"] for split in splits.values())
    with tqdm(total=total, unit="image", mininterval=1, desc="check", disable=not bar) as done:
        for name, split in splits.items():
            found[name], start = Found(), 0
            for block in blocks(split, *ARRAYS):
                found[name] = found[name].joined(values(block, f"{where}/{name}", start))
                start += block.sizes["image"]
                done.update(block.sizes["image"])
    return remarks(found, where)


def _recognise(path: Path) -> None:
    """Say what a path is that is no store, and how it becomes one."""
    if path.is_file():
        remedy = "write a store with `to_zarr` of xarray"
        if zipfile.is_zipfile(path):
            remedy = (
                f"unpack it, `python -m zipfile -e {path} FOLDER`, and name the store in FOLDER"
            )
        raise InputError(f"{path}: expected the folder of a Zarr store, found a file; {remedy}")
    if path.is_dir() and not any((path / name).exists() for name in _ROOT):
        inside = sorted(p.name for p in path.iterdir() if any((p / n).exists() for n in _ROOT))
        if known(inside):
            raise InputError(
                f"{path}: no metadata of Zarr beside the groups {', '.join(inside)}; add them, "
                f'`python -c \'import zarr; zarr.open_group("{path}", mode="a")\'`'
            )
        if inside:
            raise InputError(f"{path}: no Zarr store there, but a folder of {', '.join(inside)}")


def _left_out(names: Iterable[str], where: str) -> list[str]:
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
        *(f"no split {split}: {_WITHOUT[split]}" for split in _lacking(splits)),
    ]


def _lacking(splits: Iterable[str]) -> list[str]:
    """Those of val, id and an OOD split that are not among some splits."""
    there = {_OOD if dims.is_ood(split) else split for split in splits}
    return [split for split in _WITHOUT if split not in there]


def _check_arrays(splits: Mapping[str, Mapping[str, store.Array]], root: str) -> None:
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


def _check_types(splits: Mapping[str, xr.Dataset], where: str) -> None:
    """Types as they are read: an integer on disk may stand for a float, by its attributes."""
    for split, arrays in splits.items():
        for name, (kinds, expected) in _KINDS.items():
            if (found := arrays[name].dtype).kind not in kinds:
                raise InputError(
                    f"{where}/{split}/{name}: expected {expected}, found {found}; write {expected}"
                )
