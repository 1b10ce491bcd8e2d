"""Pictures, and the choice of pictures."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib.figure import Figure

from segue import dims
from segue.errors import InputError
from segue.report import pictures


def _split(labels):
    return xr.Dataset({"labels": (dims.LABELS, np.asarray(labels, "uint8"))})


def _voted(votes, side=4):
    """Labels of images whose upper half is marked by that many of four raters."""
    labels = np.zeros((len(votes), 4, side, side), "uint8")
    for image, marking in enumerate(votes):
        labels[image, :marking, : side // 2] = 1
    return labels


def test_images_run_from_agreement_to_disagreement():
    split = _split(_voted([2, 0, 4, 3]))  # disagreement 1/2, none marked, 0 and 3/8
    assert pictures.choose(split, 3, "id") == [2, 3, 0]


def test_one_image_is_the_median():
    assert pictures.choose(_split(_voted([2, 4, 3])), 1, "id") == [2]


def test_more_images_than_there_are_gives_all():
    assert pictures.choose(_split(_voted([2, 4])), 9, "id") == [1, 0]


def test_small_marks_are_left_out():
    labels = _voted([2, 3, 4])
    labels[1, :, 1:] = 0
    assert pictures.choose(_split(labels), 3, "id") == [2, 0]


def test_the_choice_does_not_depend_on_how_many_images_are_read_at_a_time():
    labels = _voted([2, 3] * 70, side=8)
    labels[100] = 1
    assert pictures.choose(_split(labels), 2, "id") == [100, 138]


def test_without_any_mark_there_is_nothing_to_show():
    with pytest.raises(InputError, match="lung/id: no rater marked anything"):
        pictures.choose(_split(_voted([0, 0])), 1, "lung/id")


@given(arrays.arrays(np.float32, (1, 4, 5), elements=st.floats(-1e3, 1e3, width=32)))
def test_pictures_lie_within_the_range_of_colours(image):
    shown = pictures.picture(image)
    assert shown.shape == (4, 5, 3)
    assert shown.min() >= 0
    assert shown.max() <= 1


def test_three_channels_are_red_green_and_blue():
    image = np.stack([np.full((2, 2), value, "float32") for value in (0, 1, 2)])
    assert (np.diff(pictures.picture(image), axis=-1) > 0.4).all()


def test_a_pixel_that_is_sure_has_the_colour_of_its_class():
    for classes in (2, 3, 9):
        colours = pictures.class_colours(classes)
        assert len({tuple(colour) for colour in colours}) == classes
        sure = np.eye(classes)[:, :, None]  # (class, y, x): row y is class y
        step = 0.5 / pictures.LEVELS
        np.testing.assert_allclose(pictures.blend(sure)[:, 0], colours, atol=step + 1e-9)


def test_each_rater_has_outlines_of_a_colour_and_none_where_nothing_is_marked():
    labels = np.zeros((3, 8, 8), "uint8")
    labels[0, 2:4, 2:4] = 1
    labels[2, 1:7, 1:7] = 1
    labels[2, 3:5, 3:5] = 2
    ax = Figure().add_subplot()
    pictures.outline(ax, labels)
    # The first rater has one outline; the third has a ring with two and a centre with one.
    assert len(ax.lines) == 1 + 0 + 3
    colours = [line.get_color() for line in ax.lines]
    assert colours[0] not in colours[1:]
    assert len(set(colours[1:])) == 1


def test_outlines_run_between_the_pixels_inside_and_outside():
    labels = np.zeros((1, 6, 8), "uint8")
    labels[0, 1:3, 4:7] = 1
    ax = Figure().add_subplot()
    pictures.outline(ax, labels)
    x, y = ax.lines[0].get_data()
    assert (x.min(), x.max(), y.min(), y.max()) == (3.5, 6.5, 0.5, 2.5)


def test_what_no_rater_labelled_is_neither_marked_nor_disagreed_on():
    labels = _voted([2, 0, 4, 3, 4])
    labels[2, 1:] = dims.UNLABELLED  # one reading is left: full agreement
    labels[1, 0] = dims.UNLABELLED  # nobody marked anything
    labels[4, :2] = dims.UNLABELLED
    labels[4, 2, :2] = 0  # of two readings one marks: 1/2
    assert pictures.choose(_split(labels), 4, "id") == [2, 3, 0, 4]


def test_the_unlabelled_is_not_outlined():
    mask = np.zeros((3, 6, 6), "uint8")
    mask[0, 1:4, 1:4], mask[1, 2:5, 2:5], mask[2] = 2, dims.UNLABELLED, dims.UNLABELLED
    ax = Figure().subplots()
    pictures.outline(ax, mask)
    assert len(ax.lines) == 1
