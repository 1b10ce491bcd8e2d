"""A user's NIfTI files: slices, and volumes cut along an axis."""

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from segue.data.decoding import decoding
from segue.errors import InputError

SUFFIXES = (".nii", ".nii.gz")

_SAME_PLACE = 1e-3  # mm, by which affines of files of one image may differ


class Volume(NamedTuple):
    """Values (x, y) or (x, y, z) as nibabel gives them, scaled, and where they lie in space."""

    values: np.ndarray
    affine: np.ndarray


def is_nifti(path: Path) -> bool:
    """Whether the name is that of a NIfTI file."""
    return path.name.lower().endswith(SUFFIXES)


def plane(path: Path, axis: int | None, index: int | None) -> np.ndarray:
    """A slice (y, x): the later of the file's two remaining axes are the rows.

    Args:
        axis: along which a volume is cut, 0 to 2.
        index: of the slice; None of a file that holds one.
    """
    values = _values(path)
    if values.ndim == 3:
        values = values.take(index, axis)
    return values.T


def slices(path: Path, axis: int | None) -> int | None:
    """Number of slices along ``axis``; None of a file that holds a single slice.

    Raises:
        InputError: the file is no NIfTI file, or a volume without ``axis``, or has four axes.
    """
    values = _values(path)
    if values.ndim == 2:
        return None
    if values.ndim != 3:
        raise InputError(
            f"{path}: {values.ndim} axes of the sizes {values.shape}; expected a slice or a volume:"
            " save each channel or time as an image of its own"
        )
    if axis is None:
        raise InputError(
            f"{path}: a volume of {' x '.join(map(str, values.shape))}; say along which of its "
            "axes it is cut into images: axis: 0, 1 or 2 (2 are the axial slices of most files)"
        )
    return values.shape[axis]


def check_same_place(image: Path, mask: Path) -> None:
    """Raise InputError unless two files have the same axes in space."""
    first, second = _volume(*_key(image)), _volume(*_key(mask))
    if first.values.shape != second.values.shape:
        raise InputError(
            f"{mask.name} has the sizes {second.values.shape}, its image {image.name} "
            f"{first.values.shape}; resample it (nearest neighbour) to the image's grid"
        )
    if not np.allclose(first.affine, second.affine, rtol=0, atol=_SAME_PLACE):
        raise InputError(
            f"{mask.name} and its image {image.name} have different affines, so that their voxels "
            "lie at different places; resample the mask (nearest neighbour) to the image's grid"
        )


def _values(path: Path) -> np.ndarray:
    return _volume(*_key(path)).values


def _key(path: Path) -> tuple[Path, Any]:
    """A file and its time of change, so that another of the same name is read anew."""
    return path, path.stat().st_mtime_ns


@lru_cache(maxsize=12)  # the image and masks of the row whose slices are being read
def _volume(path: Path, changed: int) -> Volume:
    try:
        import nibabel
    except ImportError as error:
        raise InputError(f"{path}: needs nibabel: pip install 'segue[data]'") from error
    with decoding(f"{path}: not a readable NIfTI file"):
        file = nibabel.load(path)
        values = np.asanyarray(file.dataobj)
        affine = np.asarray(file.affine, float)
    if values.ndim > 2:  # a slice may be stored as a volume of one, and have empty axes after it
        flat = values.reshape((*values.shape[:3], -1))
        if flat.shape[-1] == 1:
            values = flat[..., 0]
        if 1 in values.shape and values.ndim == 3:
            values = values.squeeze(values.shape.index(1))
    return Volume(values, affine)
