import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage.draw import polygon_perimeter

from segue.data.contours.database import Outline
from segue.data.contours.masks import Mask, cut_out, join, overlap, rasterise

POSITIONS = np.array([0.0, 2.0, 4.0])


def square(row, column, side, *, inclusion=True, z=2.0):
    """Outline on the rim of a square of ``side`` pixels."""
    rim = np.ones((side, side), bool)
    rim[1:-1, 1:-1] = False
    angle = np.arctan2(*(np.argwhere(rim) - (side - 1) / 2).T)
    points = np.argwhere(rim)[np.argsort(angle)] + (row, column)
    return Outline(inclusion, z, points)


def whole(masks, index=1, shape=(40, 40)):
    return cut_out(masks[index], (0, 0), shape)


def block(row, column, height, width, shape=(40, 40)):
    mask = np.zeros(shape, bool)
    mask[row : row + height, column : column + width] = True
    return mask


def test_an_outline_runs_on_the_first_pixel_outside_the_nodule():
    masks = rasterise([square(10, 20, 5)], POSITIONS)
    np.testing.assert_array_equal(whole(masks), block(11, 21, 3, 3))


def test_an_exclusion_is_removed_with_its_outline():
    outlines = [square(10, 10, 11), square(13, 13, 5, inclusion=False)]
    expected = block(11, 11, 9, 9) & ~block(13, 13, 5, 5)
    np.testing.assert_array_equal(whole(rasterise(outlines, POSITIONS)), expected)


def test_exclusions_come_after_inclusions_whatever_their_order_in_the_file():
    outlines = [square(13, 13, 5, inclusion=False), square(10, 10, 11), square(10, 25, 5)]
    expected = (block(11, 11, 9, 9) & ~block(13, 13, 5, 5)) | block(11, 26, 3, 3)
    for order in (outlines, outlines[::-1]):
        np.testing.assert_array_equal(whole(rasterise(order, POSITIONS)), expected)


def test_inclusions_that_overlap_are_joined():
    outlines = [square(10, 10, 9), square(14, 14, 9)]
    expected = block(11, 11, 7, 7) | block(15, 15, 7, 7)
    np.testing.assert_array_equal(whole(rasterise(outlines, POSITIONS)), expected)


def test_an_outline_that_is_closed_by_its_first_point_encloses_the_same():
    outline = square(10, 20, 5)
    closed = outline._replace(points=np.concatenate([outline.points, outline.points[:1]]))
    np.testing.assert_array_equal(
        whole(rasterise([closed], POSITIONS)), whole(rasterise([outline], POSITIONS))
    )


def test_an_outline_belongs_to_the_nearest_slice():
    masks = rasterise([square(0, 0, 5, z=0.4), square(0, 0, 7, z=3.1)], POSITIONS)
    assert {index: m.pixels.sum() for index, m in masks.items()} == {0: 9, 2: 25}


def test_an_outline_that_encloses_nothing_gives_no_mask():
    point = Outline(True, 2.0, np.array([[5, 5]]))
    assert rasterise([point, square(9, 9, 2)], POSITIONS) == {}
    assert rasterise([square(5, 5, 5), square(5, 5, 5, inclusion=False)], POSITIONS) == {}


@given(
    half=st.tuples(st.floats(3, 15), st.floats(3, 15)),
    tilt=st.floats(0, np.pi),
    start=st.integers(0, 1000),
)
def test_an_oval_outline_encloses_what_flooding_from_outside_cannot_reach(half, tilt, start):
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    u, v = half[0] * np.cos(angle), half[1] * np.sin(angle)
    rows = np.rint(20 + u * np.cos(tilt) - v * np.sin(tilt)).astype(int)
    columns = np.rint(20 + u * np.sin(tilt) + v * np.cos(tilt)).astype(int)
    points = np.column_stack(polygon_perimeter(rows, columns))
    rim = np.zeros((40, 40), bool)
    rim[tuple(points.T)] = True
    expected = ndimage.binary_fill_holes(rim) & ~rim
    outline = Outline(True, 2.0, np.roll(points, start, axis=0))
    np.testing.assert_array_equal(whole(rasterise([outline], POSITIONS)), expected)


@given(st.integers(-6, 12), st.integers(-6, 12))
def test_a_window_shows_what_the_whole_slice_has_there(row, column):
    pixels = np.arange(12).reshape(3, 4) % 3 > 0
    mask = Mask(4, 5, pixels)
    padded = np.zeros((40, 40), bool)
    padded[14:17, 15:19] = pixels
    window = cut_out(mask, (row, column), (5, 6))
    np.testing.assert_array_equal(window, padded[row + 10 : row + 15, column + 10 : column + 16])


def test_overlap_counts_all_slices():
    full = np.ones((2, 2), bool)
    first = {0: Mask(0, 0, full), 1: Mask(0, 0, full)}
    second = {1: Mask(0, 1, full), 2: Mask(0, 0, full)}
    assert overlap(first, first) == 1
    assert overlap(first, second) == pytest.approx(2 / 14)
    assert overlap(first, {5: Mask(0, 0, full)}) == 0


def test_joined_parts_cover_what_either_covers():
    full = np.ones((2, 2), bool)
    joined = join([{0: Mask(0, 0, full), 1: Mask(3, 3, full)}, {0: Mask(1, 3, full)}])
    assert sorted(joined) == [0, 1]
    expected = block(0, 0, 2, 2, (6, 6)) | block(1, 3, 2, 2, (6, 6))
    np.testing.assert_array_equal(whole(joined, 0, (6, 6)), expected)
    np.testing.assert_array_equal(whole(joined, 1, (6, 6)), block(3, 3, 2, 2, (6, 6)))
