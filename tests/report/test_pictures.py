"""Pictures."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib.figure import Figure

from segue import dims
from segue.report import pictures


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


def test_the_unlabelled_is_not_outlined():
    mask = np.zeros((3, 6, 6), "uint8")
    mask[0, 1:4, 1:4], mask[1, 2:5, 2:5], mask[2] = 2, dims.UNLABELLED, dims.UNLABELLED
    ax = Figure().subplots()
    pictures.outline(ax, mask)
    assert len(ax.lines) == 1
