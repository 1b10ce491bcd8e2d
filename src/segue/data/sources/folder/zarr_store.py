"""A user's own Zarr store (format 2 or 3): one group a split, of ``image`` and ``labels``."""

import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from segue import dims, nodes, store
from segue.data import leaks
from segue.data.source import Sample
from segue.errors import InputError

_BLOCK = 64


class Place(NamedTuple):
    """Split and index of an image."""

    split: str
    index: int


def is_store(path: Path) -> bool:
    """Whether a Zarr store is at ``path``."""
    return nodes.metadata(path) is not None


def index(
    path: Path, classes: int, ignore: int | None
) -> tuple[dict[str, list[Place]], list[leaks.Entry]]:
    """Check every array, value by value, and list the images of each split, also as for leaks.

    Args:
        classes: number of classes.
        ignore: label that stands for no class, beside ``UNLABELLED``.

    Raises:
        InputError: a split, array, dimension or value is not as it ought to be, or a chunk is lost.
    """
    splits, entries = {}, []
    shapes = set()
    for name in store.splits(path):
        split = _open(path, name)
        where = f"{path}/{name}"
        image = dims.check(_array(split, "image", where), dims.IMAGE, f"{where}/image")
        labels = dims.check(_array(split, "labels", where), dims.LABELS, f"{where}/labels")
        if image.shape[0] != labels.shape[0] or image.shape[2:] != labels.shape[2:]:
            raise InputError(f"{where}: image {image.shape} and labels {labels.shape} do not match")
        shapes.add((image.shape[1:], labels.shape[1]))
        if len(shapes) > 1:
            first, second = sorted(shapes)[:2]
            raise InputError(f"{where}: images and raters differ between splits: {first}, {second}")
        digests = _check_values(split, classes, ignore, where)
        splits[name] = [Place(name, i) for i in range(image.shape[0])]
        patients = (
            split["patient"].values.tolist()
            if "patient" in split.variables
            else [""] * len(digests)
        )
        entries += [
            leaks.Entry(name, f"{where}, image {i}", dims.name_of(patient), digest)
            for i, (patient, digest) in enumerate(zip(patients, digests, strict=True))
        ]
    return splits, entries


def read(place: Place, path: Path, ignore: int | None) -> Sample:
    """Read one image, its masks, and its coordinates."""
    sample = _cached(path, place.split, os.getpid()).isel(image=place.index)
    coordinates = {str(k): v.item() for k, v in sample.coords.items() if v.ndim == 0}
    return Sample(
        image=sample["image"].values.astype(np.float64),
        labels=_marked(sample["labels"].values, ignore),
        coordinates=coordinates,
    )


def _open(path: Path, split: str) -> xr.Dataset:
    try:
        return store.open_split(path, split, all_chunks=True)
    except InputError as error:
        # zarr leaves out chunks that hold nothing but the fill value unless told otherwise.
        raise InputError(
            f"{error}. If this is about chunks of background only: write the store with "
            "write_empty_chunks=True, so that a lost chunk cannot be taken for background"
        ) from error


@lru_cache(maxsize=8)
def _cached(path: Path, split: str, process: int) -> xr.Dataset:
    return store.open_split(path, split)


def _array(split: xr.Dataset, name: str, where: str) -> xr.DataArray:
    # xarray takes an array of the same name as a dimension, as `image` is, for a coordinate.
    if name not in split.variables:
        there = ", ".join(map(str, split.variables))
        raise InputError(f"{where}: no array {name!r}; there are: {there}")
    return split[name]


def _marked(labels: np.ndarray, ignore: int | None) -> np.ndarray:
    """Labels as uint8, ``UNLABELLED`` where they stand for no class."""
    nothing = dims.unlabelled(labels)
    if ignore is not None:
        nothing |= labels == ignore
    return np.where(nothing, dims.UNLABELLED, labels).astype(np.uint8)


def _check_values(
    split: xr.Dataset, classes: int, ignore: int | None, where: str
) -> list[bytes | None]:
    """Check every value; return a digest of each image."""
    digests = []
    for start, block in enumerate(store.blocks(split[["image", "labels"]], _BLOCK)):
        labels, image = block["labels"].values, block["image"].values
        images = f"images {start * _BLOCK} to {start * _BLOCK + len(labels) - 1}"
        if labels.dtype.kind not in "biu":
            raise InputError(f"{where}/labels: expected integers; came {labels.dtype}")
        allowed = {*range(classes), dims.UNLABELLED, -1, ignore}
        if strange := set(np.unique(labels).tolist()) - allowed:
            raise InputError(
                f"{where}/labels: {images}: expected class indices 0 to {classes - 1}, and "
                f"{dims.UNLABELLED} or -1 for none; found {min(strange)}; if that stands for no "
                f"class, say ignore: {min(strange)}"
            )
        if image.dtype.kind not in "biuf" or not np.isfinite(image).all():
            raise InputError(f"{where}/image: NaN or infinite values, or no numbers; replace them")
        digests += [leaks.digest(each.astype(np.float64)) for each in image]
    return digests
