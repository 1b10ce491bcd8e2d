"""Picture files give the numbers that they hold, or are refused."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image, ImageOps

from segue.data import pictures
from segue.errors import InputError

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)
RGB = np.arange(144, dtype=np.uint8).reshape(6, 8, 3)


def _saved(picture, kind, **how):
    file = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(file, kind, **how)
    return file.getvalue()


def _tiff(pixels, **how):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **how)
    return file.getvalue()


def _png(pixels, depth, colour):
    """A PNG of any depth and colour type, as cameras and microscopes write it."""
    raw = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("pixels", [GREY, RGB, GREY > 20])
def test_what_is_saved_is_read(kind, pixels):
    assert_array_equal(pictures.read(_saved(pixels, kind)).pixels, pixels)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "u4", "f4", "f8"])
@pytest.mark.parametrize("channels", [(), (3,), (4,), (5,), (32,)])
@pytest.mark.parametrize("layout", ["contig", "separate"])
def test_a_tiff_keeps_its_type_and_all_its_channels(dtype, channels, layout):
    rng = np.random.default_rng(0)
    pixels = (rng.random((6, 8, *channels)) * 2**30).astype(dtype)
    how = {"photometric": "rgb" if channels == (3,) else "minisblack"}
    given = pixels
    if channels:
        how["planarconfig"] = layout
        given = pixels if layout == "contig" else np.moveaxis(pixels, -1, 0)
    read = pictures.read(_tiff(given, **how))
    assert read.pixels.dtype == dtype
    assert_array_equal(read.pixels, pixels)


def test_16_bits_are_kept_or_refused():
    deep = (GREY.astype(np.uint16) * 1000).astype(np.uint16)
    assert_array_equal(pictures.read(_saved(deep, "PNG")).pixels, deep)
    colours = np.stack([deep, deep + 1, deep + 2], -1)
    assert_array_equal(pictures.read(_tiff(colours, photometric="rgb")).pixels, colours)
    for colour, channels in ((2, 3), (4, 2), (6, 4)):
        wide = np.repeat(deep[..., None], channels, -1).astype(">u2")
        with pytest.raises(InputError, match=r"16 bits with colours or alpha.*TIFF or NPY"):
            pictures.read(_png(wide, 16, colour))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_an_orientation_is_applied_alike_in_every_format(kind, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    how = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    smooth = np.add.outer(20 * np.arange(6), 3 * np.arange(8)).astype(np.uint8)
    data = _saved(smooth, kind, exif=exif, **how)
    read = pictures.read(data)
    assert read.turned == (orientation != 1)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert_array_equal(read.pixels, np.asarray(expected))
    upright = np.asarray(Image.open(io.BytesIO(_saved(smooth, kind, **how))))
    assert (read.pixels.shape == upright.shape) == (orientation < 5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, bool])
def test_white_is_zero_gives_the_stored_values_and_says_so(dtype):
    pixels = (GREY > 20).astype(dtype)
    read = pictures.read(_tiff(pixels, photometric="miniswhite"))
    assert read.white_is_zero
    assert_array_equal(read.pixels, pixels)


def test_an_opaque_alpha_is_dropped_and_any_other_refused():
    for pixels in (GREY[..., None], RGB):
        for hole in (False, True):
            alpha = np.full(GREY.shape, 255, np.uint8)
            alpha[2, 3] = 254 if hole else 255
            both = np.concatenate([pixels, alpha[..., None]], axis=-1)
            files = [_saved(both, "PNG"), _tiff(both, extrasamples=["unassalpha"])]
            for data in files:
                if hole:
                    with pytest.raises(InputError, match="not opaque"):
                        pictures.read(data)
                else:
                    assert_array_equal(pictures.read(data).pixels, pixels.squeeze())
    with pytest.raises(InputError, match="not opaque"):
        pictures.read(_saved(GREY, "PNG", transparency=5))
    assert_array_equal(pictures.read(_saved(GREY, "PNG", transparency=200)).pixels, GREY)


def test_a_palette_is_given_beside_its_indices():
    picture = Image.fromarray(GREY % 3).convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 9, 9, 9])
    for kind in ("PNG", "TIFF", "BMP"):
        read = pictures.read(_saved(picture, kind))
        assert_array_equal(read.pixels, GREY % 3)
        assert read.palette[:3].tolist() == [[0, 0, 0], [255, 0, 0], [9, 9, 9]]
    with pytest.raises(InputError, match="not opaque"):
        pictures.read(_saved(picture, "PNG", transparency=b"\xff\x00"))


def test_what_a_name_says_does_not_count_but_a_jpeg_is_known_as_one():
    assert pictures.read(_saved(GREY, "JPEG")).lossy
    assert not pictures.read(_saved(GREY, "PNG")).lossy


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes"),
        (b"not a picture", "not a readable PNG"),
        (_saved(GREY, "GIF"), "not a readable PNG"),
        (_saved(Image.fromarray(RGB).convert("CMYK"), "JPEG"), "colours of the kind CMYK"),
        (_saved(GREY, "PNG")[:-30], "not a readable PNG"),
        (_saved(GREY, "TIFF")[:40], "not a readable PNG"),
        (
            _saved(GREY, "PNG", save_all=True, append_images=[Image.fromarray(GREY[::-1])]),
            "2 pages",
        ),
        (_tiff(np.stack([GREY, GREY]), photometric="minisblack"), "2 pages"),
        (_tiff(np.stack([GREY] * 5), imagej=True), "5 pages|6 pages"),
    ],
)
def test_what_cannot_be_read_is_refused(data, message):
    with pytest.raises(InputError, match=message):
        pictures.read(data)


def test_a_flipped_bit_in_the_pixels_of_a_png_is_noticed():
    data = bytearray(_saved(GREY, "PNG"))
    data[data.index(b"IDAT") + 12] ^= 1
    with pytest.raises(InputError, match="not a readable PNG"):
        pictures.read(bytes(data))


def test_a_picture_that_is_too_large_is_refused_before_it_is_decoded():
    with pytest.raises(InputError, match="too many pixels: cut it"):
        pictures.read(_saved(Image.new("1", (14000, 14000)), "PNG"))
    huge = bytearray(_tiff(GREY))
    with tifffile.TiffFile(io.BytesIO(bytes(huge))) as file:
        offsets = [file.pages[0].tags[name].valueoffset for name in ("ImageWidth", "ImageLength")]
    for offset in offsets:
        struct.pack_into("<H", huge, offset, 60000)
    with pytest.raises(InputError, match=r"too many pixels|not a readable"):
        pictures.read(bytes(huge))


@pytest.mark.parametrize(
    "compression", ["tiff_lzw", "tiff_deflate", "packbits", "tiff_adobe_deflate"]
)
@pytest.mark.parametrize("pixels", [GREY, RGB, GREY.astype(np.uint16) * 500, GREY > 20])
def test_compressed_tiffs_give_their_values(compression, pixels):
    data = _saved(pixels, "TIFF", compression=compression)
    assert_array_equal(pictures.read(data).pixels, pixels)
