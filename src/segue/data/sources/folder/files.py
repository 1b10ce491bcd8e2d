"""A user's image and mask files: PNG, TIFF and NPY."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from segue.errors import InputError

_PICTURES = (".png", ".tif", ".tiff")


def image(path: Path, data: bytes) -> np.ndarray:
    """An image (channel, y, x) float32 in the file's units, from the bytes of the file.

    Raises:
        InputError: not a readable image, not of finite numbers.
    """
    pixels = _pixels(path, data, indices=False)
    if pixels.ndim == 2:
        pixels = pixels[None]
    elif path.suffix.lower() in _PICTURES:
        pixels = np.moveaxis(pixels, -1, 0)
    if pixels.ndim != 3 or pixels.dtype.kind not in "biuf":
        raise InputError(
            f"{path}: expected numbers (y, x) or (channel, y, x); came {pixels.dtype} of shape "
            f"{pixels.shape}"
        )
    pixels = pixels.astype(np.float32)
    if not np.isfinite(pixels).all():
        raise InputError(f"{path}: holds NaN or infinite values; replace them")
    return pixels


def mask(path: Path, data: bytes, classes: int, values: Mapping[int, int] | None) -> np.ndarray:
    """A mask (y, x) uint8 of class indices, from the bytes of the file.

    Args:
        classes: number of classes.
        values: pixel value -> class; None where the pixels are class indices already.

    Raises:
        InputError: not a readable mask, or a value that is no class.
    """
    pixels = _pixels(path, data, indices=True)
    if pixels.ndim != 2 or pixels.dtype.kind not in "biuf":
        raise InputError(
            f"{path}: expected one class index a pixel, (y, x); came {pixels.dtype} of shape "
            f"{pixels.shape}"
        )
    found = np.unique(pixels)
    known = {v: v for v in range(classes)} if values is None else values
    foreign = [v for v in found.tolist() if v not in known]
    if foreign:
        raise InputError(
            f"{path}: pixel value {foreign[0]}; expected one of {', '.join(map(str, known))}: "
            "correct the mask, or give the class of each value in the option values"
        )
    out = np.zeros(pixels.shape, np.uint8)
    for value in found.tolist():
        out[pixels == value] = known[value]
    return out


def _pixels(path: Path, data: bytes, *, indices: bool) -> np.ndarray:
    """What the file holds; ``indices``: keep the indices of a picture with a palette."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".npy":
            return np.load(BytesIO(data), allow_pickle=False)
        if suffix in _PICTURES:
            picture = Image.open(BytesIO(data))
            if getattr(picture, "n_frames", 1) > 1:
                raise InputError(
                    f"{path}: {picture.n_frames} pages; expected one picture, or a NPY file of "
                    "(channel, y, x)"
                )
            return np.asarray(picture if indices or picture.mode != "P" else picture.convert("RGB"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable {suffix[1:]} file ({error})") from error
    raise InputError(f"{path}: expected {', '.join(_PICTURES)} or .npy")
