import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score

from segue.evaluation.metrics.auroc import auroc, weighted_auroc

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


WEIGHED = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=9)


@given(WEIGHED, WEIGHED)
def test_weights_count_as_items_that_occur_so_often(negative, positive):
    (low, low_weights), (high, high_weights) = (
        map(np.array, zip(*items, strict=True)) for items in (negative, positive)
    )
    found = weighted_auroc(low, high, np.stack([low_weights] * 2), np.stack([high_weights] * 2))
    expected = auroc(low.repeat(low_weights), high.repeat(high_weights))
    np.testing.assert_allclose(found, [expected, expected])


def test_a_weighted_area_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    negative, positive = random.normal(0, 1, 7), random.normal(1, 1, 5)
    weights = [random.exponential(size=(3, len(each))) for each in (negative, positive)]
    truth, scores = [0] * 7 + [1] * 5, np.concatenate([negative, positive])
    found = weighted_auroc(negative, positive, *weights)
    for area, each in zip(found, np.concatenate(weights, axis=1), strict=True):
        assert area == pytest.approx(roc_auc_score(truth, scores, sample_weight=each))
