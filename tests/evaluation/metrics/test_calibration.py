import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from segue.evaluation.metrics.calibration import (
    HIGH,
    LOW,
    Curve,
    Histogram,
    ace,
    bin_of,
    curve,
    ece,
    histogram,
    platt,
)

RNG = np.random.default_rng(0)


def _centres(bins):
    return np.geomspace(LOW, HIGH, 2 * bins + 1)[1::2]


def _samples(a, b, n=4000, u=None):
    u = RNG.lognormal(-3, 2, n) if u is None else u
    return u, RNG.random(len(u)) < expit(a * u - b)


def _histogram(u, right, total, bins):
    """Of samples that are not of images."""
    u, right = (np.reshape(each, (1, -1)) for each in (u, right))
    total = total if np.isscalar(total) else np.reshape(total, (1, -1))
    return Histogram(*(each[0] for each in histogram(u, right, total, bin_of(u, bins), bins)))


def _fit(u, right, bins=256):
    return platt(_histogram(u, right, 1, bins))


def test_bins_are_even_on_a_log_scale():
    u = np.array([0, 1e-12, 1.5e-12, 1e-5, 99, 100, 1e5])
    expected, _ = np.histogram(np.clip(u, LOW, HIGH), np.geomspace(LOW, HIGH, 15))
    np.testing.assert_array_equal(_histogram(u, np.zeros(7), 1, 14).total, expected)


def test_histograms_of_blocks_add_up():
    u = RNG.lognormal(-5, 4, 500).astype(np.float32)
    right, total = RNG.integers(0, 3, 500), RNG.integers(3, 5, 500)
    parts = [_histogram(u[s], right[s], total[s], 256) for s in (slice(200), slice(200, None))]
    whole = _histogram(u, right, total, 256)
    np.testing.assert_allclose(np.sum(parts, axis=0), whole)
    sums = (right.sum(), total.sum(), total @ u.astype(float))
    np.testing.assert_allclose([each.sum() for each in whole], sums)


@pytest.mark.parametrize(("a", "b"), [(-3, -2), (5, 1), (-40, -3), (0, -4)])
def test_platt_is_the_logistic_regression_of_scikit_learn_on_smoothed_targets(a, b):
    u, right = _samples(a, b)
    positive, total, sums = _histogram(u, right, 1, 256)
    means = np.divide(sums, total, out=np.zeros(256), where=total > 0)
    n_right, n_wrong = right.sum(), (~right).sum()
    target = positive * (n_right + 1) / (n_right + 2) + (total - positive) / (n_wrong + 2)
    oracle = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000, solver="newton-cholesky")
    oracle.fit(
        np.tile(means, 2)[:, None],
        np.repeat([1, 0], 256),
        sample_weight=np.concatenate([target, total - target]),
    )
    found = platt(Histogram(positive, total, sums))
    np.testing.assert_allclose(found, [oracle.coef_[0, 0], -oracle.intercept_[0]], rtol=1e-4)


@pytest.mark.parametrize(("a", "b"), [(-8, -3), (2, 0.5)])
def test_platt_finds_the_sigmoid_that_made_the_samples(a, b):
    u = np.repeat(_centres(256)[150:230], 50_000)
    u = u[u < 1]
    np.testing.assert_allclose(_fit(*_samples(a, b, u=u)), [a, b], rtol=0.05)


@pytest.mark.parametrize(("a", "b"), [(-30, -4), (-3, -2), (4, 0)])
def test_the_bins_of_the_fit_barely_move_the_confidence(a, b):
    """Against scikit-learn's fit of every single sample, without smoothing."""
    u, right = _samples(a, b, 20_000)
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(u[:, None], right)
    slope, offset = _fit(u, right)
    expected = expit(oracle.coef_[0, 0] * u + oracle.intercept_[0])
    np.testing.assert_allclose(expit(slope * u - offset), expected, atol=0.01)


def test_a_bin_stands_at_the_mean_of_its_samples():
    """Two bins: the line goes through the smoothed share of each at its mean u."""
    u = np.repeat([0.9e-3, 0.91e-3, 0.5], [10, 30, 20])
    right = np.repeat([1, 0, 1, 0], [30, 10, 5, 15])
    a, b = _fit(u, right, bins=14)
    up, down = (35 + 1) / (35 + 2), 1 / (25 + 2)
    shares = (30 * up + 10 * down) / 40, (5 * up + 15 * down) / 20
    means = np.array([(10 * 0.9e-3 + 30 * 0.91e-3) / 40, 0.5])
    np.testing.assert_allclose(expit(a * means - b), shares, rtol=1e-6)


@pytest.mark.parametrize("right", [0, 1], ids=["all wrong", "all right"])
@pytest.mark.parametrize("equal", [False, True], ids=["u varies", "u is constant"])
def test_platt_of_one_outcome_is_its_smoothed_share(right, equal):
    u = np.full(98, 1e-6) if equal else RNG.random(98)
    a, b = _fit(u, np.full(98, right))
    np.testing.assert_allclose(expit(a * u - b), 0.99 if right else 0.01, rtol=1e-6)


def test_platt_of_a_constant_is_the_share_of_right_samples():
    a, b = _fit(np.zeros(1000), np.repeat([1, 0], [750, 250]))
    assert a == 0
    assert expit(-b) == pytest.approx((750 * 751 / 752 + 250 / 252) / 1000)


@given(st.integers(-150, 40))
def test_in_other_units_of_uncertainty_the_sigmoid_is_the_same(shift):
    """Units a whole number of bins away, so that the histogram is the same but for its place."""
    centres = _centres(256)
    total = np.zeros(256)
    total[200:215] = 1e6
    positive = total * expit(2 - centres / centres[210])
    a, b = platt(Histogram(positive, total, total * centres))
    unit = centres[210 + shift] / centres[210]
    moved = platt(
        Histogram(
            np.roll(positive, shift), np.roll(total, shift), np.roll(total * centres, shift) * unit
        )
    )
    np.testing.assert_allclose(moved, [a / unit, b], rtol=1e-4)


def _pixels(shape=(3, 10, 10)):
    confidence = RNG.beta(4, 1, shape)
    return confidence, (RNG.random(shape) < confidence**2).astype(int)


def test_errors_are_those_of_scikit_learn_s_calibration_curve():
    confidence, right = _pixels()
    curves = curve(confidence, right, raters=1, bins=20)
    for i, (p, y) in enumerate(zip(confidence, right, strict=True)):
        accuracy, mean = calibration_curve(y.ravel(), p.ravel(), n_bins=20)
        weights = np.histogram(p, np.linspace(0, 1, 21))[0] / p.size
        gaps = np.abs(accuracy - mean)
        assert ace(curves)[i] == pytest.approx(gaps.mean())
        assert ece(curves)[i] == pytest.approx(gaps @ weights[weights > 0])


def test_all_right_at_confidence_99_leaves_one_percent():
    curves = curve(np.full((1, 8, 8), 0.99), np.ones((1, 8, 8)), raters=1, bins=20)
    assert ace(curves) == pytest.approx(0.01)
    assert ece(curves) == pytest.approx(0.01)


def test_bins_count_alike_in_ace_and_by_their_samples_in_ece():
    confidence = np.array([[[0.975, 0.975, 0.975, 0.525]]])
    curves = curve(confidence, np.array([[[1, 1, 1, 0]]]), raters=1, bins=20)
    assert ace(curves) == pytest.approx((0.025 + 0.525) / 2)
    assert ece(curves) == pytest.approx((3 * 0.025 + 0.525) / 4)


def test_each_rater_is_a_sample():
    confidence = RNG.random((1, 6, 6))
    labels = RNG.integers(0, 2, (4, 6, 6))
    together = curve(confidence, labels.sum(axis=0)[None], raters=4, bins=20)
    each = [curve(confidence, label[None], raters=1, bins=20) for label in labels]
    for found, parts in zip(together, zip(*each, strict=True), strict=True):
        np.testing.assert_allclose(found, sum(parts))


def test_what_no_rater_labelled_is_no_sample():
    confidence, labels = RNG.random((1, 6, 6)), RNG.integers(0, 2, (3, 6, 6))
    labelled = RNG.random((3, 6, 6)) < 0.7
    right = (labels * labelled).sum(axis=0)[None]
    found = curve(confidence, right, raters=labelled.sum(axis=0)[None], bins=5)
    samples = [np.broadcast_to(confidence[0], labelled.shape)[labelled], labels[labelled]]
    each = curve(*(s.reshape(1, 1, -1) for s in samples), raters=1, bins=5)
    for sums, expected in zip(found, each, strict=True):
        np.testing.assert_allclose(sums, expected)


def test_errors_of_no_sample_are_undefined():
    nothing = Curve(*np.zeros((3, 2, 5)))
    assert np.isnan(ace(nothing)).all()
    assert np.isnan(ece(nothing)).all()


def test_images_add_up_to_the_pooled_curve():
    confidence, right = _pixels()
    images = curve(confidence, right, raters=1, bins=20)
    pooled = curve(confidence.reshape(1, 30, 10), right.reshape(1, 30, 10), raters=1, bins=20)
    for sums, whole in zip(images, pooled, strict=True):
        np.testing.assert_allclose(sums.sum(axis=0), whole[0])


@pytest.mark.parametrize("confidence", [0.0, 0.05, 0.5, 1.0])
def test_every_confidence_has_a_bin(confidence):
    curves = curve(np.full((1, 2, 2), confidence), np.zeros((1, 2, 2)), raters=1, bins=20)
    assert isinstance(curves, Curve)
    assert curves.total.sum() == 4
    assert ace(curves) == pytest.approx(confidence)


@pytest.mark.parametrize(("reduction", "error"), [("average", ace), ("expected", ece)])
def test_errors_are_those_of_monai(reduction, error):
    monai = pytest.importorskip("monai.metrics")
    torch = pytest.importorskip("torch")
    confidence, right = _pixels()
    oracle = monai.CalibrationErrorMetric(num_bins=20, calibration_reduction=reduction)
    expected = oracle(*(torch.tensor(each)[:, None] for each in (confidence, right)))
    curves = curve(confidence, right, raters=1, bins=20)
    np.testing.assert_allclose(error(curves), expected.ravel(), rtol=1e-5)
