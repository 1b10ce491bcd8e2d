"""A user's image and mask files: pictures, NPY and NIfTI."""

from io import BytesIO
from pathlib import Path

import numpy as np

from segue.data import pictures
from segue.data.decoding import decoding
from segue.data.sources.folder import masks, nifti
from segue.data.sources.folder.masks import Raw
from segue.errors import InputError

_EXPECTED = ".png, .tif, .tiff, .jpg, .jpeg, .bmp, .npy, .nii or .nii.gz"


def image(
    path: Path, data: bytes, plane: tuple[int, int] | None, axes: str | None
) -> tuple[np.ndarray, bool]:
    """An image (channel, y, x) float64 in the file's units, and whether the file had it turned.

    Args:
        path: of the file; its suffix tells arrays from pictures.
        data: the bytes of the file.
        plane: (y, x) of its masks, which tell the order of an array's axes; None: there are none.
        axes: ``cyx`` or ``yxc``, the order of an array's axes; None: as ``plane`` tells.

    Raises:
        InputError: not a readable image, not of finite numbers, or axes that may be either.
    """
    if path.suffix.lower() == ".npy":
        return _numbers(path, _channels_first(path, _array(path, data), plane, axes)), False
    picture = _picture(path, data)
    if picture.white_is_zero:
        raise InputError(
            f"{path}: a TIFF whose 0 is white; save it with 0 as black, or as NPY, so that bright "
            "and dark are not mixed up"
        )
    pixels = picture.pixels
    if picture.palette is not None:
        pixels = picture.palette[pixels]
        if (pixels == pixels[..., :1]).all():
            pixels = pixels[..., 0]
    pixels = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    return _numbers(path, pixels), picture.turned


def slice_of(path: Path, axis: int | None, index: int | None) -> np.ndarray:
    """An image (1, y, x) float64 from a NIfTI file; see ``nifti.plane``."""
    return _numbers(path, nifti.plane(path, axis, index)[None])


def mask(path: Path, data: bytes) -> Raw:
    """The mask (y, x) in a picture or an NPY file.

    Raises:
        InputError: not a readable mask, or its format changes its values.
    """
    pixels = _array(path, data) if path.suffix.lower() == ".npy" else _picture(path, data)
    return raw_mask(path, pixels)


def raw_mask(path: Path, pixels: np.ndarray | pictures.Picture) -> Raw:
    """A mask from an array or a picture that ``path`` holds; errors name it."""
    try:
        if isinstance(pixels, pictures.Picture):
            return masks.of_picture(pixels)
        return masks.of_array(pixels)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _picture(path: Path, data: bytes) -> pictures.Picture:
    if path.suffix.lower() not in pictures.SUFFIXES:
        raise InputError(f"{path}: expected {_EXPECTED}")
    try:
        return pictures.read(data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _array(path: Path, data: bytes) -> np.ndarray:
    with decoding(f"{path}: not a readable npy file"):
        return np.lib.format.read_array(BytesIO(data), allow_pickle=False)


def _numbers(path: Path, pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype.kind not in "biuf" or not pixels.size:
        raise InputError(f"{path}: expected numbers; came {pixels.dtype} of shape {pixels.shape}")
    pixels = pixels.astype(np.float64)
    if not np.isfinite(pixels).all():
        raise InputError(f"{path}: holds NaN or infinite values; replace them")
    return pixels


def _channels_first(
    path: Path, pixels: np.ndarray, plane: tuple[int, int] | None, axes: str | None
) -> np.ndarray:
    if pixels.ndim == 2:
        return pixels[None]
    if pixels.ndim != 3:
        raise InputError(
            f"{path}: expected (y, x), (channel, y, x) or (y, x, channel); came the shape "
            f"{pixels.shape}"
        )
    first, last = pixels.shape[1:] == plane, pixels.shape[:2] == plane
    if plane is None:  # no mask to compare with: few channels
        first, last = pixels.shape[0] < min(pixels.shape[1:]), pixels.shape[2] < pixels.shape[0]
    if axes is None and first == last:
        what = "either" if first else f"neither, with masks of (y, x) {plane}"
        raise InputError(
            f"{path}: the shape {pixels.shape} may be {what} (channel, y, x) or (y, x, channel); "
            "say axes: cyx or axes: yxc"
        )
    return np.moveaxis(pixels, -1, 0) if axes == "yxc" or (axes is None and last) else pixels
