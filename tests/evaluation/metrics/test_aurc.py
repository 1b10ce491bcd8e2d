from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.evaluation.metrics.aurc import aurc, weighted_aurc

ITEMS = st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("uncertainty", "risk", "expected"),
    [
        pytest.param([1, 2, 3], [0, 0, 1], (0 + 0 + 1 / 3) / 3, id="the bad one last"),
        pytest.param([1, 2, 3], [1, 0, 0], (1 + 1 / 2 + 1 / 3) / 3, id="the bad one first"),
        pytest.param([3, 1, 2], [1, 0, 0], (0 + 0 + 1 / 3) / 3, id="not sorted"),
        pytest.param([1, 1], [0, 1], 1 / 2, id="ties"),
    ],
)
def test_known_areas(uncertainty, risk, expected):
    assert aurc(np.array(uncertainty), np.array(risk, float)) == pytest.approx(expected)


@given(ITEMS)
def test_ties_count_as_the_mean_over_their_orders(items):
    uncertainty, risk = map(np.array, zip(*items, strict=True))
    areas = []
    for order in map(list, permutations(range(len(items)))):
        if (np.diff(uncertainty[order]) >= 0).all():
            means = risk[order].cumsum() / np.arange(1, len(items) + 1)
            areas.append(means.mean())
    assert aurc(uncertainty, risk) == pytest.approx(np.mean(areas))


def test_weights_of_one_change_nothing():
    uncertainty, risk = np.array([1, 3, 3, 2.0]), np.array([0.1, 0.9, 0.3, 0.5])
    found = weighted_aurc(uncertainty, risk, np.ones((2, 4), np.float32))
    np.testing.assert_allclose(found, aurc(uncertainty, risk))


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.floats(0, 1), st.integers(0, 4), st.integers(0, 4)),
        min_size=1,
        max_size=8,
    )
)
def test_weights_count_as_items_that_occur_so_often(items):
    uncertainty, risk, *weights = map(np.array, zip(*items, strict=True))
    found = weighted_aurc(uncertainty, risk, np.stack(weights).astype(np.float32))
    for area, times in zip(found, weights, strict=True):
        if times.any():
            expected = aurc(np.repeat(uncertainty, times), np.repeat(risk, times))
            assert area == pytest.approx(expected, rel=1e-9, abs=1e-12)
        else:
            assert np.isnan(area)


def test_a_weighted_area_by_hand():
    """Weights 1, 2, 1: mean risks of the 1 to 4 most certain are 0, 1/2, 2/3 and 3/4."""
    found = weighted_aurc(np.array([1, 2, 3]), np.array([0, 1, 1.0]), np.array([[1, 2, 1.0]]))
    np.testing.assert_allclose(found, (0 + 1 / 2 + 2 / 3 + 3 / 4) / 4)


def test_weighted_items_of_equal_uncertainty_share_their_risk():
    found = weighted_aurc(np.array([1, 1]), np.array([0, 1.0]), np.array([[3.0, 1], [1, 3]]))
    np.testing.assert_allclose(found, [1 / 4, 3 / 4])
