"""Predictions that another program wrote: what is in the store, and what is wrong with it.

A store has a group for each split, ``val``, ``id`` and any number of ``ood_*``, of ``probs``
(image, eu_sample, au_sample, class, y, x) and ``labels`` (image, rater, y, x).
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from segue import store
from segue.blocks import blocks
from segue.errors import InputError
from segue.evaluation import intervals
from segue.evaluation.canonical import known
from segue.evaluation.structure import (
    ARRAYS,
    check_arrays,
    check_structure,
    check_types,
    lacking_splits,
    left_out,
    recognise,
)
from segue.evaluation.values import Found, remarks, values
from segue.progress import progress

_LARGE = 256 * 2**20  # bytes of a chunk, which is decoded whole however little of it is wanted

_log = logging.getLogger(__name__)


def describe(path: Path) -> str:
    """Lines that say which arrays each split has: type, sizes, and bytes without compression.

    Raises:
        InputError: no store there.
    """
    recognise(path)
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
    if whole and (lacking := lacking_splits(names)):
        raise InputError(
            f"{path}: a study needs a split {lacking[0]!r}, found {', '.join(names)}; add this "
            "group, or use `segue score`, which does without"
        )
    splits = {name: store.open_split(path, name) for name in names}
    check_types(splits, str(path))
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
        store.check_written(path, name, ARRAYS)
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
    said = left_out(splits, where)
    chosen = {name: splits[name] for name in known(splits)}
    arrays = {
        split: {
            str(name): store.Array(v.dims, v.shape, str(v.dtype), v.nbytes)
            for name, v in dataset.variables.items()
        }
        for split, dataset in chosen.items()
    }
    check_arrays(arrays, where)
    check_types(chosen, where)
    return said + _check_values(chosen, where, bar=False)


def _check_values(splits: Mapping[str, xr.Dataset], where: str, *, bar: bool) -> list[str]:
    found = {}
    total = sum(split.sizes["image"] for split in splits.values())
    with progress(total=total, desc="check", disable=not bar) as done:
        for name, split in splits.items():
            found[name], start = Found(), 0
            for block in blocks(split, *ARRAYS):
                found[name] = found[name].joined(values(block, f"{where}/{name}", start))
                start += block.sizes["image"]
                done.update(block.sizes["image"])
    return remarks(found, where)
