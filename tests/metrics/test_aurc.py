from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.metrics.aurc import aurc

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
