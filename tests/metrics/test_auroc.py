import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from segue.metrics.auroc import auroc

SCORES = st.lists(st.integers(0, 5), min_size=1, max_size=12).map(np.array)


@pytest.mark.parametrize(
    ("negative", "positive", "expected"),
    [([1, 2], [3, 4], 1), ([3, 4], [1, 2], 0), ([1, 1], [1], 0.5), ([1, 3], [2, 3], 0.625)],
)
def test_known_areas(negative, positive, expected):
    assert auroc(np.array(negative), np.array(positive)) == pytest.approx(expected)


@given(SCORES, SCORES)
def test_it_is_the_share_of_pairs_in_the_right_order(negative, positive):
    statistic = mannwhitneyu(positive, negative, method="asymptotic").statistic
    expected = statistic / (len(negative) * len(positive))
    assert auroc(negative, positive) == pytest.approx(expected)
    assert auroc(positive, negative) == pytest.approx(1 - expected)
