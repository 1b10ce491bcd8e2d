import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segue.evaluation.aggregation import (
    area,
    border,
    leading_bits,
    mean,
    patch,
    quantile,
    threshold,
)


def _square(side, k, start=1):
    mask = np.zeros((1, side, side), np.uint8)
    mask[:, start : start + k, start : start + k] = 1
    return mask


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_border_of_a_square_has_four_pairs_a_pixel_of_its_side(k):
    maps = np.ones((1, 1, 8, 8), np.float32)
    assert border(maps, _square(8, k)) == pytest.approx(64 / (4 * k))


def test_the_border_counts_pairs_of_any_two_classes():
    maps = np.full((1, 1, 1, 4), 0.5)
    assert border(maps, np.array([[[0, 1, 2, 2]]])) == pytest.approx(2 / 2)


@pytest.mark.parametrize("value", [0, 1], ids=["empty", "full"])
def test_without_a_border_its_score_is_the_sum(value):
    """Protocol §10.3: as in the study's code; the variant `corrected` leaves such images out."""
    maps = np.full((1, 1, 4, 4), 0.25)
    assert border(maps, np.full((1, 4, 4), value)) == pytest.approx(4)


def test_area_divides_by_what_is_not_background():
    maps = np.full((2, 1, 4, 4), 0.5)
    masks = np.concatenate([2 * _square(4, 2), np.zeros((1, 4, 4), np.uint8)])
    np.testing.assert_allclose(area(maps, masks), [[8 / 4], [8]])


def test_patch_is_the_largest_window_sum():
    maps = np.zeros((1, 2, 20, 20))
    maps[0, 0, 5:15, 8:18] = 0.5
    maps[0, 1, 0, 0] = maps[0, 1, 9, 9] = maps[0, 1, 10, 10] = 1
    np.testing.assert_allclose(patch(maps, 10), [[50, 2]])


@given(hnp.arrays(np.float32, (2, 3, 6, 7), elements=st.floats(0, 1, width=32)), st.integers(1, 6))
def test_patch_is_that_of_a_loop_over_windows(maps, size):
    rows, columns = 6 - size + 1, 7 - size + 1
    sums = [
        maps[..., y : y + size, x : x + size].sum(axis=(-1, -2), dtype=float)
        for y in range(rows)
        for x in range(columns)
    ]
    np.testing.assert_allclose(patch(maps, size), np.max(sums, axis=0), atol=1e-9)


def test_a_patch_larger_than_the_image_is_the_image():
    maps = np.random.default_rng(0).random((3, 2, 4, 5))
    np.testing.assert_allclose(patch(maps, 10), maps.sum(axis=(-1, -2)))


def test_mean_and_threshold_by_hand():
    maps = np.array([[[[0.1, 0.2], [0.3, 0.6]]], [[[0.0, 0.0], [0.0, 0.1]]]])
    np.testing.assert_allclose(mean(maps, np.zeros((2, 2, 2))), [[0.3], [0.025]])
    np.testing.assert_allclose(threshold(maps, np.array([0.3])), [[0.45], [0]])


VALUES = hnp.arrays(
    np.float32,
    st.integers(1, 60),
    elements=st.floats(-2, 2, width=32, allow_subnormal=False),
)


@settings(max_examples=30)
@given(VALUES, st.floats(0, 1))
def test_the_quantile_of_counts_is_that_of_the_values(values, level):
    exact = np.quantile(values, level, method="inverted_cdf")
    found = quantile(leading_bits(values), level)
    if level > 0:
        assert exact - abs(exact) * 2**-11 - 1e-38 <= found <= exact
    else:
        assert found == -np.inf


@settings(max_examples=20)
@given(VALUES, VALUES)
def test_counts_of_blocks_add_up(first, second):
    together = leading_bits(np.concatenate([first, second]))
    np.testing.assert_array_equal(leading_bits(first) + leading_bits(second), together)


def test_the_quantile_of_values_below_zero_by_hand():
    """What the jackknife gives in single pixels; of zeros it is 0."""
    values = np.array([-1, -0.5, -0.25, 0, 0, 0.25, 0.5, 1], np.float32)
    found = [quantile(leading_bits(values), level / 8) for level in range(1, 9)]
    np.testing.assert_allclose(found, values, rtol=2**-11)
