"""Calibration in bootstrap draws, against fits and curves of the drawn images themselves."""

import numpy as np
import pytest
from scipy.special import expit

from segue.evaluation.metrics import refit
from segue.evaluation.metrics.calibration import (
    Histogram,
    ace,
    bin_of,
    curve,
    ece,
    histogram,
    platt,
)

BINS, CONFIDENCES = 256, 20
RATERS, SHAPE = 4, (24, 24)


def _images(count, seed):
    """Maps in [0, ln 2], skewed as those of a border, and raters that the prediction agrees with.

    Images differ in how uncertain they are and in how far they are right: there is something to
    fit anew.
    """
    random = np.random.default_rng(seed)
    level = random.uniform(1, 6, (count, 1, 1))
    u = np.log(2) * random.beta(0.3, level, (count, *SHAPE))
    share = expit(random.normal(4, 1, (count, 1, 1)) - 8 * u)
    return u, random.binomial(RATERS, share)


def _sparse(u, right, index, bins):
    return refit.joined([refit.sparse(histogram(u, right, RATERS, index, bins))])


def _pooled(u, right):
    sums = histogram(u, right, RATERS, bin_of(u, BINS), BINS)
    return Histogram(*(each.sum(axis=0) for each in sums))


def _drawn(images, draws, seed):
    random = np.random.default_rng(seed)
    weights = random.multinomial(images, np.full(images, 1 / images), size=draws)
    return weights.astype(np.float32)


def _case(seed=0, count=30, draws=40):
    """val and another split, the weights of both, and (a, b) of all images of val."""
    val, test = _images(count, seed), _images(count, seed + 1)
    weights = [_drawn(count, draws, seed + 2 + i) for i in range(2)]
    return val, test, weights, platt(_pooled(*val))


def _fitted(val, weights, start):
    return refit.sigmoids(_sparse(*val, bin_of(val[0], BINS), BINS), weights, start)


def _curves(test, weights, start, sigmoids):
    u, right = test
    a, b = start
    confidence = expit(a * u - b)
    index = refit.parted(bin_of(u, BINS), confidence, CONFIDENCES, a > 0)
    bins = BINS + refit.PARTS * CONFIDENCES
    sums = histogram(u, right, RATERS, index, bins)
    sure = histogram(confidence, right, RATERS, index, bins).uncertainty
    images = refit.joined([refit.sparse(refit.Parted(*sums, sure))])
    return refit.curves(images, weights, sigmoids, start, CONFIDENCES)


def _exact(test, weights, sigmoids):
    """The curve of each draw's images, every pixel at its own confidence."""
    u, right = test
    parts = [curve(expit(a * u - b), right, RATERS, CONFIDENCES) for a, b in sigmoids]
    return [np.stack([w @ each for w, each in zip(weights, sums, strict=True)])
            for sums in zip(*parts, strict=True)]  # fmt: skip


def test_the_sigmoid_of_a_draw_is_that_of_its_images():
    val, _, (weights, _), start = _case()
    found = _fitted(val, weights, start)
    for draw, (a, b) in zip(weights.astype(int), found, strict=True):
        expected = platt(_pooled(*(each.repeat(draw, axis=0) for each in val)))
        np.testing.assert_allclose((a, b), expected, rtol=1e-5)
    assert np.std(found[:, 0]) > 0.1


@pytest.mark.parametrize("start", [(0.0, 0.0), (30.0, -9.0), (-200.0, 5.0)])
def test_where_the_fit_sets_out_does_not_matter(start):
    val, _, (weights, _), point = _case(seed=5, draws=5)
    np.testing.assert_allclose(
        _fitted(val, weights, start), _fitted(val, weights, point), rtol=1e-5
    )


def test_draws_of_one_bin_of_no_sample_and_of_one_outcome():
    u = np.array([[0.2, 0.2], [0.2, 0.2], [0.1, 0.6]])
    right = np.array([[4, 1], [2, 2], [4, 4]])
    weights = np.array([[1, 1, 0], [0, 0, 1], [0, 0, 0]], np.float32)
    one_bin, all_right, nothing = _fitted((u, right), weights, (1.0, 0.0))
    n = 9, 7
    smoothed = (9 * (n[0] + 1) / (n[0] + 2) + 7 / (n[1] + 2)) / 16
    assert one_bin[0] == 0
    assert expit(-one_bin[1]) == pytest.approx(smoothed)
    np.testing.assert_allclose(expit(all_right[0] * u[2] - all_right[1]), 0.9)
    assert np.isnan(nothing).all()


def test_a_draw_of_every_image_once_is_the_value_of_all():
    val, test, (weights, _), start = _case()
    once = np.ones_like(weights[:1])
    found = _fitted(val, once, start)
    np.testing.assert_allclose(found[0], start, rtol=1e-9)
    curves = _curves(test, once, start, found)
    exact = curve(expit(start[0] * test[0] - start[1]), test[1], RATERS, CONFIDENCES)
    for sums, whole in zip(curves, exact, strict=True):
        np.testing.assert_allclose(sums[0], whole.sum(axis=0), rtol=1e-9)


@pytest.mark.parametrize("seed", [0, 10, 20])
def test_the_errors_of_a_draw_are_those_of_its_images_at_its_sigmoid(seed):
    """Within .001 in the mean and .005 at most, where those of draws differ by .03 (sd)."""
    val, test, (of_val, of_test), start = _case(seed)
    sigmoids = _fitted(val, of_val, start)
    found, exact = (
        _curves(test, of_test, start, sigmoids),
        _exact(test, of_test, sigmoids),
    )
    exact = type(found)(*exact)
    difference, spread = np.abs(ace(found) - ace(exact)), np.std(ace(exact))
    assert difference.mean() < 0.001
    assert difference.max() < 0.005
    assert abs((ace(found) - ace(exact)).mean()) < 0.0005
    assert spread > 0.02
    assert np.abs(ece(found) - ece(exact)).max() < 0.001


def test_a_sigmoid_that_turns_round_is_followed():
    """All images have confidence falling with u, the draw has it rising."""
    _, test, (_, weights), _ = _case()
    sigmoids = np.tile([2.0, -1.0], (len(weights), 1))
    found = _curves(test, weights, (-0.5, -1.0), sigmoids)
    exact = type(found)(*_exact(test, weights, sigmoids))
    np.testing.assert_allclose(ace(found), ace(exact), atol=0.01)


def test_parted_bins_are_numbered_upwards_with_u_and_lie_within_a_bin_of_confidence():
    u = np.sort(np.random.default_rng(0).lognormal(-3, 2, 5000))
    for a, b in ((3, 1), (-40, -3), (0.0, -2)):
        confidence = expit(a * u - b)
        index = refit.parted(bin_of(u, BINS), confidence, CONFIDENCES, a > 0)
        assert (np.diff(index) >= 0).all()
        assert 0 <= index.min() <= index.max() < BINS + refit.PARTS * CONFIDENCES
        whole = np.ceil(confidence * CONFIDENCES)
        fine = bin_of(u, BINS)
        for each in np.unique(index):
            assert np.ptp(whole[index == each]) == 0
            assert np.ptp(fine[index == each]) == 0


def test_a_draw_without_a_sigmoid_has_no_error():
    _, test, (_, weights), start = _case(draws=2)
    found = _curves(test, weights, start, np.array([start, (np.nan, np.nan)]))
    assert np.isnan(ace(found)).tolist() == [False, True]
