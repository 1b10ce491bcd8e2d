"""``data_lidc.hdf5`` of PHiSeg and CCDM: groups train, val, test of images and labels.

``images`` (N, y, x) float, the pickle's image - 0.5; ``labels`` (N, y, x, rater) uint8. Its
``uids`` are not to be relied on, so patients are unknown and the file's own split is kept.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from segue.data.contours.nodules import RATERS
from segue.data.decoding import decoding
from segue.data.sources.lidc.slice import UNKNOWN, Slice
from segue.errors import InputError

MAGIC = b"\x89HDF\r\n\x1a\n"
_SPLITS = {"train": "train", "val": "val", "test": "id"}


def index(path: Path) -> dict[str, list[Slice]]:
    """Find the slices of each split (``train``, ``val``, ``id``).

    Raises:
        InputError: h5py is missing, or the file is not laid out as above.
    """
    splits = {}
    with _reading(path) as file:
        for group, split in _SPLITS.items():
            if group not in file or not {"images", "labels"} <= file[group].keys():
                raise InputError(f"{path}: expected groups train, val, test of images and labels")
            images, labels = file[group]["images"], file[group]["labels"]
            edge = file["train"]["images"].shape[-1]
            expected = (len(images), edge, edge)
            if images.shape != expected or labels.shape != (*expected, RATERS):
                raise InputError(
                    f"{path}: {group}: expected images {expected} and labels "
                    f"{(*expected, RATERS)}; came {images.shape} and {labels.shape}"
                )
            splits[split] = [
                Slice((group, i), "", UNKNOWN, UNKNOWN, math.nan) for i in range(len(images))
            ]
    return splits


def side(path: Path) -> int:
    """Side of the images, pixels."""
    with _reading(path) as file:
        return int(file["train"]["images"].shape[-1])


def read(path: Path, place: tuple[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Read one slice.

    Returns:
        image (y, x) float32 in [-0.5, 0.5] and masks (rater, y, x) uint8 of 0, 1.
    """
    group, i = place
    with _reading(path) as file:
        image = file[group]["images"][i].astype(np.float32)
        masks = file[group]["labels"][i] > 0
    return image, np.moveaxis(masks, -1, 0).astype(np.uint8)


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    """The open file; what is damaged in it is found when it is read."""
    try:
        import h5py
    except ImportError as error:
        raise InputError(
            "lidc: an HDF5 file needs h5py; install it with: pip install 'segue[data]'"
        ) from error
    with decoding(f"{path}: not a whole HDF5 file", "fetch it again"), h5py.File(path, "r") as file:
        yield file
