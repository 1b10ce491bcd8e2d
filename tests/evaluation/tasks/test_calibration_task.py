import numpy as np
import pytest
import xarray as xr
from handmade import by_key, random_split
from scipy.special import expit
from sklearn.calibration import calibration_curve

from segue import dims
from segue.evaluation.metrics.calibration import Histogram, bin_of, histogram, platt
from segue.evaluation.tasks import calibration
from segue.evaluation.variants import CORRECTED


@pytest.fixture(scope="module")
def splits():
    sizes = {"images": 20, "raters": 3, "classes": 3}
    return {name: random_split(name, **sizes) for name in ("val", "id")}


@pytest.fixture(scope="module")
def found(splits):
    return by_key(calibration.score(splits, [CORRECTED], ace_bins=20, platt_bins=256))


def _binary(split, measure):
    """Uncertainty and correctness of every rater and pixel, (image, rater, y, x)."""
    u = split["uncertainty"].sel(measure=measure).values[:, None].astype(float)
    right = split["labels"].values == split["prediction"].values.argmax(axis=1)[:, None]
    return np.broadcast_to(u, right.shape), right


def _fit(u, right):
    u = np.asarray(u).reshape(1, -1)
    whole = histogram(u, np.reshape(right, u.shape), 1, bin_of(u, 256), 256)
    return platt(Histogram(*(each[0] for each in whole)))


@pytest.fixture(scope="module", params=dims.MEASURES)
def oracle(request, splits):
    """Measure, and accuracy, confidence and count of samples in bins, by image and pooled."""
    u, right = _binary(splits["val"], request.param)
    a, b = _fit(u, right)
    u, right = _binary(splits["id"], request.param)
    confidence = expit(a * u - b)
    images = zip(confidence, right, strict=True)
    return request.param, [_bins(confidence, right)], [_bins(*image) for image in images]


def _bins(confidence, right):
    accuracy, mean = calibration_curve(right.ravel(), confidence.ravel(), n_bins=20)
    counts, _ = np.histogram(confidence, np.linspace(0, 1, 21))
    return np.abs(accuracy - mean), counts[counts > 0]


def test_ace_is_that_of_scikit_learn(found, oracle):
    measure, *expected = oracle
    for how, each in zip(("pooled", "image"), expected, strict=True):
        values = found["corrected", "ace", "id", measure, how]
        np.testing.assert_allclose(np.atleast_1d(values), [gaps.mean() for gaps, _ in each])


def test_ece_is_that_of_scikit_learn(found, oracle):
    measure, *expected = oracle
    for how, each in zip(("pooled", "image"), expected, strict=True):
        values = found["corrected", "ece", "id", measure, how]
        means = [np.average(gaps, weights=counts) for gaps, counts in each]
        np.testing.assert_allclose(np.atleast_1d(values), means)


def test_a_label_that_lacks_is_no_sample_in_the_fit_and_in_the_errors(splits):
    lacking = {}
    for name, split in splits.items():
        labels = split["labels"].copy()
        labels[:, 0, :6] = dims.UNLABELLED
        labels[:9, 1, 3:] = dims.UNLABELLED
        labels[4, 2] = dims.UNLABELLED
        lacking[name] = split.assign(labels=labels)
    found = by_key(calibration.score(lacking, [CORRECTED], ace_bins=20, platt_bins=256))
    for measure in dims.MEASURES:
        samples = {}
        for name, split in lacking.items():
            there = split["labels"].values != dims.UNLABELLED
            samples[name] = [each[there] for each in _binary(split, measure)]
        a, b = _fit(*samples["val"])
        u, right = samples["id"]
        gaps, counts = _bins(expit(a * u - b), right)
        errors = {"ace": gaps.mean(), "ece": np.average(gaps, weights=counts)}
        for metric, expected in errors.items():
            value = found["corrected", metric, "id", measure, "pooled"]
            assert value == pytest.approx(expected)


def test_without_a_reading_in_val_there_is_no_confidence(splits):
    nothing = xr.full_like(splits["val"]["labels"], dims.UNLABELLED)
    unread = splits | {"val": splits["val"].assign(labels=nothing)}
    for score in calibration.score(unread, [CORRECTED], ace_bins=20, platt_bins=256):
        assert np.isnan(score.values).all()
        assert score.reason == "no image of val that a rater read, so no confidence"


def test_without_a_reading_in_a_split_it_has_no_error(splits):
    nothing = xr.full_like(splits["id"]["labels"], dims.UNLABELLED)
    unread = splits | {"id": splits["id"].assign(labels=nothing)}
    for score in calibration.score(unread, [CORRECTED], ace_bins=20, platt_bins=256):
        assert np.isnan(score.values).all() == (score.split == "id")
        assert bool(score.reason) == (score.split == "id")


def test_a_sigmoid_belongs_to_the_cell_and_not_to_the_split(splits, found):
    """What is scored beside a split does not matter, if only val is the same."""
    alone = {"val": splits["val"], "id": splits["id"].isel(image=slice(5))}
    few = by_key(calibration.score(alone, [CORRECTED], ace_bins=20, platt_bins=256))
    key = ("corrected", "ace", "id", "TU", "image")
    np.testing.assert_allclose(few[key], found[key][:5])


def test_in_a_draw_the_confidence_is_fitted_anew(splits):
    """On the first ten images of val, as if there were no others, and not on all of them."""
    scores = calibration.score(splits, [CORRECTED], ace_bins=20, platt_bins=256)
    (score,) = (
        each
        for each in scores
        if (each.metric, each.split, each.measure, each.aggregation)
        == ("ace", "id", "TU", "pooled")
    )
    first = np.repeat([[1.0, 0.0]], 10, axis=1)  # ten ones, then ten zeros
    found = score.weighted(
        {"val": np.concatenate([np.ones((1, 20)), first]), "id": np.ones((2, 20))}
    )
    few = splits | {"val": splits["val"].isel(image=slice(10))}
    few = by_key(calibration.score(few, [CORRECTED], ace_bins=20, platt_bins=256))
    key = ("corrected", "ace", "id", "TU", "pooled")
    assert found[0] == pytest.approx(float(score.values), abs=1e-3)
    assert found[1] == pytest.approx(float(few[key]), abs=1e-3)
    assert abs(float(few[key]) - float(score.values)) > 3e-3


def test_a_draw_without_a_reading_in_val_has_no_error(splits):
    labels = splits["val"]["labels"].copy()
    labels[10:] = dims.UNLABELLED
    some = splits | {"val": splits["val"].assign(labels=labels)}
    weights = np.ones((2, 20))
    weights[0, :10] = 0
    for score in calibration.score(some, [CORRECTED], ace_bins=20, platt_bins=256):
        if score.aggregation == "pooled" and score.split == "id":
            found = score.weighted({"val": weights, "id": np.ones((2, 20))})
            assert np.isnan(found).tolist() == [True, False]
