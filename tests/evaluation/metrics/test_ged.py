from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segue.evaluation.metrics.dice import accuracy, dice, iou, overlap
from segue.evaluation.metrics.ged import ged, hm_iou, pairs
from segue.evaluation.metrics.masks import one_hot

A = [[1, 1], [0, 0]]
B = [[0, 0], [1, 1]]
EMPTY = [[0, 0], [0, 0]]
CLASSES = range(1, 3)


def _masks(n):
    return hnp.arrays(np.uint8, (n, 3, 3), elements=st.integers(0, 2))


SEVERAL = st.integers(1, 4).flatmap(_masks)


def _pairs(samples, raters, classes=CLASSES):
    """Pairs of one image, which is the first dimension of masks."""
    both = (one_hot(np.asarray(masks)[None], classes) for masks in (samples, raters))
    return pairs(*both)


def _ged(samples, raters, similarity=dice, classes=CLASSES):
    return ged(_pairs(samples, raters, classes), similarity).item()


def _hm_iou(samples, raters):
    return hm_iou(_pairs(samples, raters).mixed).item()


@pytest.mark.parametrize("similarity", [dice, iou])
@pytest.mark.parametrize(
    ("samples", "raters", "expected"),
    [
        pytest.param([A, A], [A, A], 0, id="equal"),
        pytest.param([EMPTY], [EMPTY, A], 0.5, id="one rater saw nothing"),
        pytest.param([EMPTY, A], [EMPTY, A], 0, id="the same two"),
        pytest.param([A], [B], 2, id="disjoint"),
        pytest.param([A, B], [A], 0.5, id="one sample is off"),
    ],
)
def test_known_energies(similarity, samples, raters, expected):
    assert _ged(samples, raters, similarity, range(1, 2)) == pytest.approx(expected, abs=1e-6)


def _distance(a, b, kind):
    """1 - macro Dice or IoU of the classes 1 and 2, pixel by pixel."""
    found = []
    for c in CLASSES:
        both, a_, b_ = ((a == c) & (b == c)).sum(), (a == c).sum(), (b == c).sum()
        whole = a_ + b_ - both
        part = {dice: (2 * both, a_ + b_), iou: (both, whole)}[kind]
        found.append(part[0] / part[1] if whole else 1)
    return 1 - np.mean(found)


@given(SEVERAL, SEVERAL, st.sampled_from([dice, iou]))
def test_ged_is_that_of_loops_over_pairs(samples, raters, kind):
    def mean(first, second):
        return np.mean([_distance(a, b, kind) for a, b in product(first, second)])

    expected = 2 * mean(samples, raters) - mean(samples, samples) - mean(raters, raters)
    assert _ged(samples, raters, kind) == pytest.approx(expected, abs=1e-6)


@given(SEVERAL, SEVERAL)
def test_ged_of_pixel_accuracy_is_that_of_differing_pixels(samples, raters):
    def mean(first, second):
        return np.mean([(a != b).mean() for a, b in product(first, second)])

    expected = 2 * mean(samples, raters) - mean(samples, samples) - mean(raters, raters)
    assert _ged(samples, raters, accuracy, range(3)) == pytest.approx(expected, abs=1e-6)


@given(SEVERAL, SEVERAL, st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_masks(samples, raters, random):
    shuffled = samples[random.sample(range(len(samples)), len(samples))]
    assert _ged(shuffled, raters) == pytest.approx(_ged(samples, raters), abs=1e-6)
    assert _hm_iou(shuffled, raters) == pytest.approx(_hm_iou(samples, raters), abs=1e-6)


@given(SEVERAL)
def test_the_raters_themselves_are_the_best_samples(raters):
    assert _ged(raters, raters) == pytest.approx(0, abs=1e-6)
    assert _hm_iou(raters, raters) == pytest.approx(1, abs=1e-6)


def test_several_sets_of_samples_share_the_raters():
    rng = np.random.default_rng(0)
    samples, raters = rng.integers(0, 3, (2, 5, 4, 6, 6)), rng.integers(0, 3, (2, 3, 6, 6))
    found = pairs(one_hot(samples, CLASSES), one_hot(raters, CLASSES)[:, :, None])
    each = [[_ged(s, r) for s in sets] for sets, r in zip(samples, raters, strict=True)]
    np.testing.assert_allclose(ged(found, dice), each, atol=1e-6)
    each = [[_hm_iou(s, r) for s in sets] for sets, r in zip(samples, raters, strict=True)]
    np.testing.assert_allclose(hm_iou(found.mixed), each, atol=1e-6)


@pytest.mark.parametrize(
    ("samples", "raters", "expected"),
    [
        pytest.param([A, B], [B, A], 1, id="matched in any order"),
        pytest.param([A, A], [A, B], 0.5, id="one to one"),
        pytest.param([A], [A, A, B], 2 / 3, id="a sample for three raters"),
        pytest.param([A, B], [A, A, B], 5 / 6, id="two samples, three raters: lcm 6"),
    ],
)
def test_known_matchings(samples, raters, expected):
    found = hm_iou(overlap(*(one_hot(np.array([m]), range(1, 2)) for m in (samples, raters))))
    assert found == pytest.approx(expected)


@given(st.integers(1, 4).flatmap(lambda n: st.tuples(_masks(n), _masks(n))))
def test_the_matching_is_the_best_of_all(both):
    samples, raters = both
    similarity = iou(_pairs(samples, raters).mixed)[0]
    n = len(samples)
    best = max(similarity[range(n), order].mean() for order in map(list, permutations(range(n))))
    assert _hm_iou(samples, raters) == pytest.approx(best, abs=1e-6)
