import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import spearmanr

from segue.evaluation.metrics.spearman import spearman, weighted_spearman

ITEMS = hnp.arrays(np.float64, (2, 12), elements=st.integers(0, 6).map(float))
COUNTS = hnp.arrays(np.float32, (3, 12), elements=st.integers(0, 3).map(float))


def _scipy(first, second):
    if len(set(first)) < 2 or len(set(second)) < 2:
        return 0
    return spearmanr(first, second).statistic


def test_by_hand():
    assert spearman(np.array([1, 2, 3]), np.array([10, 30, 20])) == pytest.approx(0.5)
    assert spearman(np.array([1, 2, 3]), np.array([3, 2, 1])) == -1
    assert spearman(np.array([1, 1, 1]), np.array([3, 2, 1])) == 0
    assert spearman(np.array([1]), np.array([3])) == 0


@given(ITEMS)
def test_it_is_that_of_scipy(items):
    assert spearman(*items) == pytest.approx(_scipy(*items), abs=1e-12)


@given(ITEMS, COUNTS)
def test_weights_repeat_items(items, counts):
    counts[:, 0] += 1
    found = weighted_spearman(*items, counts)
    for weights, value in zip(counts.astype(int), found, strict=True):
        repeated = items.repeat(weights, axis=1)
        assert value == pytest.approx(_scipy(*repeated), abs=1e-12)
