from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segue.evaluation.metrics.ged import pairs
from segue.evaluation.metrics.insight import insight
from segue.evaluation.metrics.masks import one_hot

A = [[1, 1], [0, 0]]
B = [[0, 0], [1, 1]]
CORNER = [[1, 0], [0, 0]]
EMPTY = [[0, 0], [0, 0]]


def _insight(samples, raters, classes=2):
    """Of one image; all masks have the same shape."""
    both = [one_hot(np.asarray(masks)[None], range(1, classes)) for masks in (samples, raters)]
    pixels = np.array([np.asarray(raters)[0].size])
    return [each.item() for each in insight(*both, pixels, pairs(*both))]


@pytest.mark.parametrize(
    ("samples", "raters", "expected"),
    [
        # S, D and A; a variance between A and B is 1, between A and EMPTY 1/4
        pytest.param([A, A], [A, A], (1, 1, 1), id="equal"),
        pytest.param([A, B], [B, A], (1, 1, 1), id="in any order"),
        pytest.param([EMPTY], [EMPTY], (1, 1, 1), id="nothing to find"),
        pytest.param([A], [EMPTY], (1, 0, 1), id="one sees what is not there"),
        pytest.param([EMPTY, A], [EMPTY, EMPTY], (1, 1, 3 / 4), id="one of two does"),
        pytest.param([A, A], [A, B], (1 / 2, 1 / 2, 0), id="half, and no diversity"),
        pytest.param([A], [B], (0, 0, 1), id="disjoint"),
        pytest.param([CORNER], [A], (1 / 2, 2 / 3, 1), id="a part"),
        # three pairs: A-B 1, A-EMPTY and B-EMPTY 1/4: least 1/4, greatest 1
        pytest.param([A, B, EMPTY], [A, A], (1, 1, 1 - (1 / 4 + 1) / 2), id="too diverse"),
    ],
)
def test_known_insights(samples, raters, expected):
    collective, *parts = _insight(samples, raters)
    assert parts == pytest.approx(expected, abs=1e-6)
    assert collective == pytest.approx(3 * np.prod(expected) / np.sum(expected), abs=1e-6)


def _masks(n):
    return hnp.arrays(np.uint8, (n, 3, 3), elements=st.integers(0, 2))


SEVERAL = st.integers(1, 4).flatmap(_masks)


def _of_loops(samples, raters):
    """The published definition of one class, pixel by pixel."""
    there, found = raters.any(axis=0), samples.any(axis=0)
    sensitivity = (there & found).sum() / there.sum() if there.any() else 1

    def dice(a, b):
        return 2 * (a & b).sum() / (a.sum() + b.sum()) if (a | b).any() else 1

    matching = np.mean([max(dice(s, r) for s in samples) for r in raters])

    def extremes(masks):
        found = [np.var(a.astype(int) - b.astype(int)) for a, b in combinations(masks, 2)] or [0]
        return np.array([min(found), max(found)])

    agreement = 1 - np.abs(extremes(samples) - extremes(raters)).sum() / 2
    parts = np.array([sensitivity, matching, agreement])
    return [3 * parts.prod() / parts.sum() if parts.any() else 0, *parts]


@given(SEVERAL, SEVERAL)
def test_it_is_that_of_loops_over_pixels_and_pairs(samples, raters):
    expected = np.mean([_of_loops(samples == c, raters == c) for c in (1, 2)], axis=0)
    assert _insight(samples, raters, classes=3) == pytest.approx(expected, abs=1e-6)


@given(SEVERAL, SEVERAL)
def test_all_are_shares(samples, raters):
    assert all(-1e-9 <= each <= 1 + 1e-6 for each in _insight(samples, raters, classes=3))


@given(SEVERAL)
def test_the_raters_themselves_have_all_insight(raters):
    assert _insight(raters, raters, classes=3) == pytest.approx([1, 1, 1, 1], abs=1e-6)
