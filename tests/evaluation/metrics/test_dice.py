import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import accuracy_score, f1_score, jaccard_score

from segue.evaluation.metrics.dice import accuracy, dice, iou, overlap
from segue.evaluation.metrics.masks import one_hot

MASKS = hnp.arrays(np.uint8, (3, 4, 4), elements=st.integers(0, 2))


def _pairs(first, second, classes=range(1, 3)):
    return overlap(one_hot(np.asarray(first), classes), one_hot(np.asarray(second), classes))


@pytest.mark.parametrize(
    ("first", "second", "dices", "ious"),
    [
        pytest.param([1, 1, 0, 0], [1, 1, 0, 0], 1, 1, id="equal"),
        pytest.param([1, 1, 0, 0], [0, 1, 1, 0], 1 / 2, 1 / 3, id="half"),
        pytest.param([1, 1, 0, 0], [0, 0, 1, 1], 0, 0, id="disjoint"),
        pytest.param([0, 0, 0, 0], [0, 0, 0, 0], 1, 1, id="both empty"),
        pytest.param([0, 0, 0, 0], [0, 1, 0, 0], 0, 0, id="one empty"),
    ],
)
def test_known_overlaps(first, second, dices, ious):
    pairs = _pairs([[first]], [[second]], range(1, 2))
    assert dice(pairs).item() == pytest.approx(dices)
    assert iou(pairs).item() == pytest.approx(ious)


@settings(max_examples=15)
@given(MASKS, MASKS)
def test_every_pair_is_scored_as_scikit_learn_does(first, second):
    found = {name: score(_pairs(first, second)) for name, score in (("f1", dice), ("j", iou))}
    equal = accuracy(_pairs(first, second, range(3)))
    macro = {"labels": [1, 2], "average": "macro", "zero_division": 1}
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            a_, b_ = a.ravel(), b.ravel()
            assert found["f1"][i, j] == pytest.approx(f1_score(a_, b_, **macro), abs=1e-6)
            assert found["j"][i, j] == pytest.approx(jaccard_score(a_, b_, **macro), abs=1e-6)
            assert equal[i, j] == pytest.approx(accuracy_score(a_, b_), abs=1e-6)


@given(MASKS, MASKS)
def test_overlap_is_symmetric(first, second):
    for score in (dice, iou):
        np.testing.assert_allclose(score(_pairs(first, second)), score(_pairs(second, first)).T)
