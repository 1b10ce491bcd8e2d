"""A user's NIfTI files: slices, and volumes cut along an axis."""

from contextlib import AbstractContextManager
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


def opened(path: Path) -> Any:
    """The file, of which no more than the header is read yet.

    Raises:
        InputError: not a readable NIfTI file, or nibabel is missing.
    """
    try:
        import nibabel
    except ImportError as error:
        raise InputError(f"{path}: needs nibabel: pip install 'segue[data]'") from error
    with _decoding(path):
        return nibabel.load(path)


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
    """Number of slices along ``axis``, by the header; None of a file that holds a single slice.

    Raises:
        InputError: the file is no NIfTI file, or a volume without ``axis``, or has four axes.
    """
    shape = _squeezed(opened(path).shape)
    if len(shape) == 2:
        return None
    if len(shape) != 3:
        raise InputError(
            f"{path}: {len(shape)} axes of the sizes {shape}; expected a slice or a volume:"
            " save each channel or time as an image of its own"
        )
    if axis is None:
        raise InputError(
            f"{path}: a volume of {' x '.join(map(str, shape))}; say along which of its "
            "axes it is cut into images: axis: 0, 1 or 2 (2 are the axial slices of most files)"
        )
    return shape[axis]


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
    file = opened(path)
    with _decoding(path):
        values = np.asanyarray(file.dataobj)
        return Volume(values.reshape(_squeezed(values.shape)), np.asarray(file.affine, float))


def _decoding(path: Path) -> AbstractContextManager[None]:
    return decoding(f"{path}: not a readable NIfTI file")


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes of the axes that count: a slice may be a volume of one, with empty axes after it."""
    if all(size == 1 for size in shape[3:]):
        shape = shape[:3]
    if len(shape) == 3 and 1 in shape:
        shape = tuple(np.delete(shape, shape.index(1)).tolist())
    return shape
