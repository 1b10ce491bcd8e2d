"""Predictions that another program wrote: what is in the store, and what is wrong with it.

A store has a group for each split, ``val``, ``id`` and at least one ``ood_*``, of ``probs`` (image,
eu_sample, au_sample, class, y, x) and ``labels`` (image, rater, y, x).
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from tqdm import tqdm

from segue import dims, store
from segue.blocks import blocks
from segue.errors import InputError
from segue.evaluation import intervals

ARRAYS = {"probs": dims.SAMPLES, "labels": dims.LABELS}
NEEDED = ("val", "id")

_ROUNDING = {"float16": 2e-3}  # how far a sum of rounded probabilities may be from 1
_PRECISE = 1e-4
_LARGE = 256 * 2**20  # bytes of a chunk, which is decoded whole however little of it is wanted

_log = logging.getLogger(__name__)


class Offence(NamedTuple):
    """An element that may not be there.

    Attributes:
        place: its index along each dimension, by name, ``image`` first.
        what: what was expected there, and what was found.
    """

    place: dict[str, int]
    what: str


def describe(path: Path) -> str:
    """Lines that say which arrays each split has: type, sizes, and bytes without compression.

    Raises:
        InputError: no store there.
    """
    lines = [f"{path}"]
    for split in store.splits(path):
        for name, array in store.arrays(path, split).items():
            names = array.dims or ("?",) * len(array.shape)
            sizes = ", ".join(f"{d} {n}" for d, n in zip(names, array.shape, strict=True))
            lines.append(f"  {split}/{name}: {array.dtype} ({sizes}), {array.nbytes:,} bytes")
    return "\n".join(lines)


def check(path: Path) -> None:
    """Check names, dimensions and sizes, then every value, a block of images at a time.

    Raises:
        InputError: with the place of the first offence: the split, then the indices along image,
            eu_sample, au_sample, y and x, or image, rater, y and x.
    """
    check_structure(path)
    splits = {name: store.open_split(path, name) for name in store.splits(path)}
    for name, split in splits.items():
        intervals.units(split, f"{path}/{name}")
    total = sum(split.sizes["image"] for split in splits.values())
    with tqdm(total=total, unit="image", mininterval=1, desc="check") as bar:
        for name, split in splits.items():
            if (size := store.chunk_bytes(split[list(ARRAYS)])) > _LARGE:
                _log.warning(
                    "%s/%s: has chunks of %.1f GB, and takes several times that of memory; write "
                    "chunks of one image",
                    path,
                    name,
                    size / 1e9,
                )
            for count in _checked(split, f"{path}/{name}"):
                bar.update(count)


def link(out: Path, *, store: str) -> None:
    """Check a store and make ``out`` a link to it.

    Args:
        out: path of the link.
        store: path of the store.

    Raises:
        InputError: see ``check``.
    """
    path = Path(store).resolve()
    check(path)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.symlink_to(path)


def check_structure(path: Path) -> None:
    """Check that the arrays are there and fit together; reads no value.

    Raises:
        InputError: names the split and array that are not as they ought to be.
    """
    names = store.splits(path)
    found = ", ".join(names) or "none"
    for needed in NEEDED:
        if needed not in names:
            raise InputError(f"{path}: expected a split {needed!r}, found {found}; add this group")
    if not any(map(dims.is_ood, names)):
        raise InputError(
            f"{path}: expected at least one split 'ood_<shift>', found {found}; add such a group"
        )
    _check_arrays({split: store.arrays(path, split) for split in names}, str(path))


def check_splits(splits: Mapping[str, xr.Dataset], where: str) -> None:
    """Check splits that are not in a store: their arrays, then every value.

    Args:
        splits: by name; ``probs`` and ``labels`` of each, in memory or not.
        where: what messages begin with.

    Raises:
        InputError: as ``check``.
    """
    _check_arrays(
        {
            split: {
                str(name): store.Array(v.dims, v.shape, str(v.dtype), v.nbytes)
                for name, v in dataset.variables.items()
            }
            for split, dataset in splits.items()
        },
        where,
    )
    for name, split in splits.items():
        for _ in _checked(split, f"{where}/{name}"):
            pass


def _checked(split: xr.Dataset, where: str) -> Iterator[int]:
    """Check the values of a split; yield the number of images of each block that is right."""
    start, tolerance = 0, _ROUNDING.get(str(split["probs"].dtype), _PRECISE)
    for block in blocks(split, *ARRAYS):
        _check_values(block, tolerance, where, start)
        start += block.sizes["image"]
        yield block.sizes["image"]


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
        raise InputError(f"{where}: expected dimensions {order}, found {found}")
    kinds, expected = ("f", "floats") if name == "probs" else ("iu", "integers")
    if np.dtype(array.dtype).kind not in kinds:
        raise InputError(f"{where}: expected {expected}, found {array.dtype}")
    for dim, size in zip(order, array.shape, strict=True):
        least = 2 if dim == "class" else 1
        if size < least:
            raise InputError(f"{where}: expected at least {least} along {dim!r}, found {size}")


def _check_values(block: xr.Dataset, tolerance: float, where: str, start: int) -> None:
    """Raise InputError for the first image, in order, of a loaded block that has an offence."""
    found = [
        (offence, name)
        for name, offences in (
            ("probs", _probs_offences(block["probs"], tolerance)),
            ("labels", _labels_offences(block["labels"], block.sizes["class"])),
        )
        for offence in offences
    ]
    if not found:
        return
    offence, name = min(found, key=lambda each: each[0].place["image"])
    place = offence.place | {"image": start + offence.place["image"]}
    at = ", ".join(f"{dim} {index}" for dim, index in place.items())
    raise InputError(f"{where}/{name}: {at}: {offence.what}")


def _probs_offences(probs: xr.DataArray, tolerance: float) -> Iterator[Offence]:
    values = probs.values.astype(np.float32)
    total, most = values.sum(axis=3), values.max(axis=3)
    # Comparisons with NaN are false. No sign, not even of 0: `argmax` compares halves by bits.
    good = (most <= 1 + tolerance) & (abs(total - 1) <= tolerance)
    good &= ~np.signbit(values).any(axis=3)

    def what(at: tuple[int, ...]) -> str:
        given = values[(*at[:3], slice(None), *at[3:])]
        if np.isnan(given).any():
            return f"expected probabilities, found NaN in {given.tolist()}"
        if np.signbit(given).any() or given.max() > 1 + tolerance:
            return f"expected probabilities in [0, 1], no minus sign, found {given.tolist()}"
        return f"expected a sum of 1 over 'class', found {total[at]:.6g} of {given.tolist()}"

    yield from _first(good, [dim for dim in probs.dims if dim != "class"], what)


def _labels_offences(labels: xr.DataArray, classes: int) -> Iterator[Offence]:
    values = labels.values
    yield from _first(
        (values >= 0) & (values < classes),
        list(labels.dims),
        lambda at: f"expected a class, 0 to {classes - 1}, found {values[at]}",
    )


def _first(
    good: np.ndarray, names: list[str], what: Callable[[tuple[int, ...]], str]
) -> Iterator[Offence]:
    """The first element, in the order of the dimensions, that is not good; or nothing."""
    if good.all():
        return
    at = tuple(int(i) for i in np.unravel_index(np.argmin(good), good.shape))
    yield Offence(dict(zip(names, at, strict=True)), what(at))
