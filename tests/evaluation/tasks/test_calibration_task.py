import numpy as np
import pytest
from handmade import by_key, random_split
from scipy.special import expit
from sklearn.calibration import calibration_curve

from segue import dims
from segue.evaluation.metrics.calibration import histogram, platt
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


@pytest.fixture(scope="module", params=dims.MEASURES)
def oracle(request, splits):
    """Measure, and accuracy, confidence and count of samples in bins, by image and pooled."""
    u, right = _binary(splits["val"], request.param)
    a, b = platt(histogram(u, right, 256), histogram(u, np.ones(u.shape), 256))
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


def test_a_sigmoid_belongs_to_the_cell_and_not_to_the_split(splits, found):
    """What is scored beside a split does not matter, if only val is the same."""
    alone = {"val": splits["val"], "id": splits["id"].isel(image=slice(5))}
    few = by_key(calibration.score(alone, [CORRECTED], ace_bins=20, platt_bins=256))
    key = ("corrected", "ace", "id", "TU", "image")
    np.testing.assert_allclose(few[key], found[key][:5])
