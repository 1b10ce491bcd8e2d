"""Which number of a mask file is which class: told from all files, or refused."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from segue.data.pictures import Picture
from segue.data.sources.folder.legend import Survey, legend, values_option
from segue.data.sources.folder.masks import of_array, of_picture
from segue.errors import InputError

TWO = ["background", "lesion"]
THREE = ["background", "rim", "core"]
NONE = 255
BINARY = {"0": 0, "255": 1}


def _classes(files, names=TWO, values=None, ignore=None):
    """Class indices of files (pictures or arrays), by one legend for all of them."""
    raws = [of_picture(f) if isinstance(f, Picture) else of_array(np.asarray(f)) for f in files]
    survey = Survey()
    for number, raw in enumerate(raws):
        survey.add(raw, f"file {number}")
    found = legend(survey, names, values_option(values, names), ignore)
    return [found.apply(raw).tolist() for raw in raws]


def _palette(indices, *colours):
    return Picture(np.array(indices, np.uint8), np.array(colours, np.uint8))


def _grey(values, dtype=np.uint8):
    return np.array([values], dtype)


BLACK, GREY, WHITE, RED, GREEN = (0,) * 3, (128,) * 3, (255,) * 3, (128, 0, 0), (0, 128, 0)


def _voc():
    """The palette of PASCAL VOC: index -> colour, 0 black, 255 the outline."""
    index = np.arange(256)[:, None] >> (3 * np.arange(8))
    colours = np.zeros((256, 3), np.uint8)
    for bit, part in enumerate(index.T):
        for channel in range(3):
            colours[:, channel] |= ((part >> channel) & 1).astype(np.uint8) << (7 - bit)
    return colours


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        ([_grey([0, 1, 1])], {}, [[[0, 1, 1]]]),
        ([_grey([0, 255, 0])], {}, [[[0, 1, 0]]]),  # of two classes there is no other meaning
        ([_grey([0, 255]), _grey([0, 0])], {}, [[[0, 1]], [[0, 0]]]),
        ([_grey([0, 1, 255])], {"ignore": 255}, [[[0, 1, NONE]]]),
        ([_grey([0, 255])], {"ignore": 255}, [[[0, NONE]]]),
        ([_grey([0, -1], np.int16)], {"ignore": -1}, [[[0, NONE]]]),
        ([_grey([0, 50, 255])], {"names": THREE, "values": {"0": 0, "50": 2, "255": "rim"}},
         [[[0, 2, 1]]]),
        ([_grey([0.0, 255.0], np.float32)], {"values": {"0.0": 0, "255.0": 1}}, [[[0, 1]]]),
        # one bit beside eight, white being 255 or 1
        ([_grey([0, 1], bool), _grey([0, 255])], {"values": BINARY}, [[[0, 1]], [[0, 1]]]),
        ([_grey([0, 1], bool), _grey([0, 255])], {}, [[[0, 1]], [[0, 1]]]),
        ([_grey([0, 1], bool)], {"values": {"False": 0, "true": 1}}, [[[0, 1]]]),
        ([_grey([0, 1], bool)], {"ignore": 255}, [[[0, 1]]]),
        # three equal channels are one; (1, y, x) and (y, x, 1) are (y, x)
        ([Picture(np.repeat(_grey([0, 255])[..., None], 3, -1))], {"values": BINARY}, [[[0, 1]]]),
        ([np.array([[[0, 1], [1, 1]]]), np.array([[[0], [1]], [[1], [1]]])], {},
         [[[0, 1], [1, 1]]] * 2),
        # greys of a palette count, whatever their order
        ([_palette([[0, 1]], WHITE, BLACK)], {}, [[[1, 0]]]),
        ([_palette([[0, 1]], BLACK, WHITE)], {"values": BINARY}, [[[0, 1]]]),
        ([_palette([[0, 1]], WHITE, BLACK)], {"values": BINARY}, [[[1, 0]]]),
        ([_palette([[0, 1]], WHITE, BLACK), _palette([[0, 1]], BLACK, WHITE)], {},
         [[[1, 0]], [[0, 1]]]),
        ([_palette([[0, 1, 2]], BLACK, GREY, WHITE)], {"names": THREE}, [[[0, 1, 2]]]),
        ([_palette([[2, 0]], (1,) * 3, BLACK, (0,) * 3)], {}, [[[0, 1]]]),
        # unused colours do not matter
        ([_palette([[0, 1]], WHITE, BLACK, RED)], {}, [[[1, 0]]]),
        # VOC: the index is the class
        ([Picture(np.array([[0, 1, 2, 255]], np.uint8), _voc())],
         {"names": THREE, "ignore": 255}, [[[0, 1, 2, NONE]]]),
        ([_palette([[0, 1]], BLACK, RED)], {}, [[[0, 1]]]),
        ([_palette([[0, 1]], RED, BLACK)], {"values": {"#000000": 0, "#800000": 1}}, [[[1, 0]]]),
        ([Picture(np.array([[BLACK, RED, GREEN]], np.uint8))],
         {"names": THREE, "values": {"#000000": 0, "#008000": 2, "#800000": 1}}, [[[0, 1, 2]]]),
    ],
)  # fmt: skip
def test_masks_mean_what_was_meant(files, options, expected):
    assert _classes(files, **options) == expected


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ([_grey([0, 1]), _grey([0, 2])], {}, "file 1: pixel value 2; expected one of 0, 1"),
        ([_grey([0, 1, 255])], {}, "pixel value 255.*say ignore: 255"),
        ([_grey([0, 255]), _grey([0, 1])], {}, "pixel value 255"),
        ([_grey([0, 255])], {"names": THREE}, "pixel value 255"),
        ([_grey([1, 2])], {}, r"no 0 in any mask.*values: \{1: 0, 2: 1\}"),
        ([_grey(range(40))], {}, "40 different values occur: was a mask saved as JPEG"),
        ([_grey(range(400), np.int32)], {}, "more than 300 different values"),
        ([_grey([0, 0.5], float)], {}, "class indices, found 0.5"),
        ([_grey([np.nan, 1], float)], {}, "class indices, found nan"),
        ([Picture(_grey([0, 255]), lossy=True)], {}, "a JPEG file"),
        ([np.zeros((2, 4, 5))], {}, r"\(y, x\); came float64 of shape \(2, 4, 5\)"),
        # orders that disagree
        ([_palette([[0, 1, 2]], WHITE, GREY, BLACK)], {"names": THREE}, "black is index 2"),
        ([_palette([[0, 1, 2]], BLACK, WHITE, GREY)], {"names": THREE}, "not in the order"),
        ([_palette([[0, 1]], WHITE, BLACK)], {"values": {"0": 0, "1": 1}}, "black is index 1"),
        ([_palette([[0, 1]], RED, BLACK)], {}, "black is index 1 of the palette, and not 0"),
        # palettes of one set that differ
        ([_palette([[0, 1, 2]], BLACK, RED, GREEN), _palette([[0, 1]], BLACK, GREEN)],
         {"names": THREE}, "file 1: index 1 of the palette is '#008000', in file 0 '#800000'"),
        ([_palette([[0, 1]], BLACK, RED), _palette([[0, 2]], BLACK, GREEN, RED)],
         {"names": THREE}, "file 1: '#800000' is index 2 of the palette, in file 0 index 1"),
        ([Picture(np.array([[BLACK, RED]], np.uint8))], {"values": BINARY},
         "colour '#800000'.*'#800000': 1"),
        ([_grey([0, 1], bool)], {"names": THREE, "values": {"0": 0, "1": 1, "255": 2}}, "has both"),
        ([_grey([0, 1], bool)], {"values": {"0": 0, "7": 1}}, "values has neither"),
        ([_grey([0, 1])], {"values": {"0": 0, "1": 255}}, r"other way round, \{0: 0, 255: 1\}"),
        ([_grey([0, 1])], {"values": {"0": 0, "1": "tumour"}}, "values.1: classes are 0 to 1"),
        ([_grey([0, 1])], {"values": {"red": 1}}, "values: expected pixel value: class"),
        ([_grey([0, 1])], {"values": {"0.5": 1}}, "values: expected pixel value: class"),
        ([_grey([0, 1])], {"values": {"inf": 1}}, "values: expected pixel value: class"),
        ([_grey([0, 1])], {"values": {"0": 0, "1": 1}, "ignore": 1}, "1 is one of values too"),
    ],
)  # fmt: skip
def test_what_may_be_one_class_or_another_is_refused(files, options, message):
    with pytest.raises(InputError, match=message):
        _classes(files, **options)


def test_the_palette_of_voc_is_that_of_the_real_files():
    """Colours of the first classes as the VOC development kit gives them."""
    assert _voc()[[0, 1, 2, 15, 255]].tolist() == [
        [0, 0, 0], [128, 0, 0], [0, 128, 0], [192, 128, 128], [224, 224, 192],
    ]  # fmt: skip


def test_a_mask_is_the_same_from_every_format(tmp_path):
    from segue.data.sources.folder import files

    mask = (np.add.outer(np.arange(8), np.arange(6)) > 7).astype(np.uint8)
    palette = Image.fromarray(mask).convert("P")
    palette.putpalette([0, 0, 0, 255, 255, 255])
    white_first = Image.fromarray(1 - mask).convert("P")
    white_first.putpalette([255, 255, 255, 0, 0, 0])
    written = {
        "8.png": Image.fromarray(255 * mask),
        "1.png": Image.fromarray(mask.astype(bool)),
        "1.tif": Image.fromarray(mask.astype(bool)),
        "p.png": palette,
        "w.png": white_first,
        "8.bmp": Image.fromarray(255 * mask),
        "rgb.png": Image.fromarray(255 * mask).convert("RGB"),
        "rgba.png": Image.fromarray(255 * mask).convert("RGBA"),
        "la.png": Image.fromarray(255 * mask).convert("LA"),
        "16.tif": Image.fromarray(255 * mask.astype(np.uint16)),
    }
    survey, raws = Survey(), []
    for name, picture in written.items():
        picture.save(tmp_path / name)
        raws.append(files.mask(tmp_path / name, (tmp_path / name).read_bytes()))
        survey.add(raws[-1], name)
    for values in (None, BINARY):
        found = legend(survey, TWO, values_option(values, TWO), None)
        for raw in raws:
            assert_array_equal(found.apply(raw), mask)
