"""What a mask file holds, before anything says which of its numbers is which class."""

from typing import NamedTuple

import numpy as np

from segue.data.pictures import Picture
from segue.errors import InputError


class Raw(NamedTuple):
    """A mask as its file holds it.

    Attributes:
        codes: (y, x) integers: grey values, indices of the palette, or colours 0xRRGGBB.
        kind: ``grey``, ``bit`` (0 is black and 1 white), ``palette`` or ``colour``.
        palette: colour 0xRRGGBB of each index, for ``palette``.
    """

    codes: np.ndarray
    kind: str
    palette: np.ndarray | None = None


def of_picture(picture: Picture) -> Raw:
    """The mask in a picture file.

    Raises:
        InputError: the file's format changes the values that are saved in it.
    """
    if picture.lossy:
        raise InputError(
            "a JPEG file, which changes the values of a mask when it is saved; save it as PNG from "
            "its original"
        )
    if picture.palette is not None:
        return Raw(picture.pixels.astype(np.int64), "palette", _packed(picture.palette))
    pixels = picture.pixels
    if pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8:
        if (pixels == pixels[..., :1]).all():
            return Raw(pixels[..., 0].astype(np.int64), "grey")
        return Raw(_packed(pixels), "colour")
    return of_array(pixels)


def of_array(pixels: np.ndarray) -> Raw:
    """The mask in an array (y, x), (1, y, x) or (y, x, 1).

    Raises:
        InputError: another shape, or values that are no whole numbers.
    """
    if pixels.ndim == 3 and 1 in (pixels.shape[0], pixels.shape[2]):
        pixels = pixels[0] if pixels.shape[0] == 1 else pixels[..., 0]
    if pixels.ndim != 2 or pixels.dtype.kind not in "biuf":
        raise InputError(
            f"expected one class index a pixel, (y, x); came {pixels.dtype} of shape {pixels.shape}"
        )
    if pixels.dtype.kind == "b":
        return Raw(pixels.astype(np.int64), "bit")
    if pixels.dtype.kind == "f" and not (pixels == np.rint(pixels)).all():
        strange = pixels[pixels != np.rint(pixels)][0]
        raise InputError(f"expected class indices, found {strange}; save it with whole numbers")
    return Raw(pixels.astype(np.int64), "grey")


def _packed(colours: np.ndarray) -> np.ndarray:
    """0xRRGGBB of colours (..., 3)."""
    red, green, blue = np.moveaxis(colours.astype(np.int64), -1, 0)
    return red << 16 | green << 8 | blue
