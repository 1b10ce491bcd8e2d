"""Picture files as the numbers that they hold: PNG, TIFF, JPEG and BMP.

Programs that show a picture may turn it, invert it, or round it to 8 bits. Here the numbers are
read as they are stored; only the orientation that a file asks for is applied. What cannot be read
so is refused. The content of a file says what it is, not its name.
"""

import io
import logging
import struct
import warnings
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image

from segue.data.decoding import decoding
from segue.errors import InputError

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")

_FORMATS = ("PNG", "TIFF", "JPEG", "BMP")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG = b"\x89PNG\r\n\x1a\n"
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_GREY, _COLOUR, _PALETTE, _WHITE_IS_ZERO, _YCBCR = 1, 2, 3, 0, 6  # PhotometricInterpretation
_ALPHA = (1, 2)  # ExtraSamples: associated and unassociated
_ORIENTATION = 274  # tag of TIFF and EXIF


class Picture(NamedTuple):
    """What a picture file holds.

    Attributes:
        pixels: numbers (y, x), or (y, x, channel) with two channels or more; without alpha.
        palette: colours (index, 3) uint8 that ``pixels`` are indices of; None without a palette.
        lossy: whether the format changes the numbers that are saved in it.
        white_is_zero: whether the file says that 0 is to be shown white.
        turned: whether the file asked for another orientation, which ``pixels`` have.
    """

    pixels: np.ndarray
    palette: np.ndarray | None = None
    lossy: bool = False
    white_is_zero: bool = False
    turned: bool = False


def read(data: bytes) -> Picture:
    """Decode the bytes of a picture file.

    Raises:
        InputError: the file is damaged, of another kind, of several pages, has an alpha channel
            that is not opaque, or cannot be read without changing its numbers.
    """
    if not data:
        raise InputError("the file is empty (0 bytes); copy it again")
    with decoding("not a readable PNG, TIFF, JPEG or BMP"):
        try:
            return _tiff(data) if data[:4] in _TIFF else _pillow(data)
        except Image.DecompressionBombError as error:
            raise InputError(
                f"too many pixels: cut it into pieces, or make it smaller ({error})"
            ) from error


def _pillow(data: bytes) -> Picture:
    picture = _open(data)
    if data.startswith(_PNG):
        depth, colour = struct.unpack_from(">BB", data, 24)
        if depth == 16 and colour != 0:
            raise InputError(
                "a PNG of 16 bits with colours or alpha, of which only 8 bits could be read; save "
                "it as TIFF or NPY"
            )
        picture.verify()  # compares the checksums of its chunks
        picture = _open(data)
    # MPO: a JPEG with previews after it, as phones write it.
    if picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1:
        raise InputError(_pages(picture.n_frames))
    picture.load()
    if picture.mode not in _MODES:
        raise InputError(f"colours of the kind {picture.mode}; save it as RGB or grey")
    pixels, palette = np.asarray(picture), None
    if picture.mode in ("P", "PA"):
        palette = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
    if picture.mode in ("LA", "PA", "RGBA"):
        _check_opaque(pixels[..., -1])
        pixels = pixels[..., :-1]
        pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    if (transparent := picture.info.get("transparency")) is not None:
        _check_no_transparency(pixels, transparent)
    orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    return _turned(
        Picture(pixels, palette, lossy=picture.format in ("JPEG", "MPO")), int(orientation)
    )


def _open(data: bytes) -> Image.Image:
    with warnings.catch_warnings():  # of half the number of pixels that is refused
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(data), formats=_FORMATS)


def _tiff(data: bytes) -> Picture:
    import tifffile  # of the extra `study`

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        pages = [page for page in file.pages if not page.is_reduced]
        if len(pages) != 1 or file.series[0].size != pages[0].size:
            raise InputError(_pages(max(len(pages), len(file.series[0].shape[:-2]) + 1)))
        page = pages[0]
        if page.imagedepth > 1:
            raise InputError(f"a TIFF of the shape {page.shape}; save each slice as a file")
        if page.imagewidth * page.imagelength > 2 * Image.MAX_IMAGE_PIXELS:
            raise Image.DecompressionBombError(f"{page.imagelength} x {page.imagewidth}")
        photometric = int(page.photometric)
        if page.jpegtables is not None or photometric == _YCBCR or page.compression in (6, 7):
            return _pillow(data)
        try:
            pixels = page.asarray()
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            return _compressed(data, page)
        if photometric not in (_WHITE_IS_ZERO, _GREY, _COLOUR, _PALETTE):
            raise InputError(f"colours of the kind {page.photometric.name}; save it as RGB or grey")
        if pixels.ndim == 3 and page.axes.startswith("S"):
            pixels = np.moveaxis(pixels, 0, -1)
        alphas = [int(kind) in _ALPHA for kind in page.extrasamples]
        if len(alphas) == 1 and alphas[0] and pixels.ndim == 3:
            _check_opaque(pixels[..., -1])
            pixels = pixels[..., :-1]
        if pixels.ndim == 3 and pixels.shape[-1] == 1:
            pixels = pixels[..., 0]
        palette = None
        if photometric == _PALETTE:
            palette = (np.asarray(page.colormap) >> 8).astype(np.uint8).T
        orientation = page.tags.valueof(_ORIENTATION, 1)
        found = Picture(pixels, palette, white_is_zero=photometric == _WHITE_IS_ZERO)
        return _turned(found, int(orientation))


def _compressed(data: bytes, page) -> Picture:
    """A TIFF whose compression only Pillow knows, where Pillow keeps the numbers."""
    samples, bits = page.samplesperpixel, np.max(page.bitspersample)
    if int(page.photometric) == _WHITE_IS_ZERO or (samples > 1 and bits > 8):
        raise InputError(
            f"a TIFF with the compression {page.compression.name}, {samples} samples of {bits} bits"
            f" and the colours {page.photometric.name}; save it without compression"
        )
    return _pillow(data)  # which turns a TIFF, and then says so no longer


def _turned(picture: Picture, orientation: int) -> Picture:
    """Apply an EXIF orientation, 1 to 8; whatever else is none."""
    pixels = picture.pixels
    if orientation not in range(2, 9):
        return picture
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return picture._replace(pixels=pixels, turned=True)


def _check_opaque(alpha: np.ndarray) -> None:
    full = np.iinfo(alpha.dtype).max if alpha.dtype.kind == "u" else 1
    if (alpha != full).any():
        raise InputError(
            "has pixels that are not opaque, of which nothing says how they are meant; save it "
            "without an alpha channel"
        )


def _check_no_transparency(pixels: np.ndarray, transparent: bytes | int | tuple) -> None:
    """Raise InputError if a pixel has a value that the file declares transparent."""
    if isinstance(transparent, bytes):  # the alpha of each index of a palette
        alpha = np.full(256, 255, np.uint8)
        alpha[: len(transparent)] = np.frombuffer(transparent, np.uint8)
        _check_opaque(alpha[pixels])
    elif isinstance(transparent, tuple):
        _check_opaque(np.where((pixels == transparent).all(-1), 0, 255).astype(np.uint8))
    else:
        _check_opaque(np.where(pixels == transparent, 0, 255).astype(np.uint8))


def _pages(count: int) -> str:
    return (
        f"{count} pages; expected one picture: save each page as a file, or a stack of channels as "
        "NPY"
    )
