import numpy as np
import pytest
from sklearn.metrics import log_loss

from segue.evaluation.metrics.likelihood import brier, nll
from segue.evaluation.metrics.masks import frequencies


@pytest.fixture(params=[2, 4], ids=["2 classes", "4 classes"])
def predicted(request):
    """Probabilities (image, class, y, x) and labels (image, rater, y, x)."""
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(request.param), (3, 5, 6)).transpose(0, 3, 1, 2)
    return probs, rng.integers(0, request.param, (3, 4, 5, 6))


def test_nll_is_the_log_loss_of_scikit_learn(predicted):
    probs, labels = predicted
    classes = probs.shape[1]
    flat = np.moveaxis(probs, 1, -1).reshape(3, -1, classes)
    expected = [
        np.mean([log_loss(y.ravel(), p, labels=range(classes)) for y in raters])
        for p, raters in zip(flat, labels, strict=True)
    ]
    np.testing.assert_allclose(nll(probs, frequencies(labels, classes)), expected)


def test_brier_is_the_squared_distance_from_each_rater_s_one_hot(predicted):
    probs, labels = predicted
    classes = probs.shape[1]
    truth = (labels[:, :, None] == np.arange(classes)[:, None, None]).astype(float)
    expected = ((probs[:, None] - truth) ** 2).sum(axis=2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(brier(probs, frequencies(labels, classes)), expected)


def test_known_scores():
    certain = np.array([1.0, 0.0]).reshape(1, 2, 1, 1)
    uniform = np.full((1, 2, 1, 1), 0.5)
    right, wrong = certain, certain[:, ::-1]
    assert brier(certain, right) == 0
    assert brier(certain, wrong) == 2
    assert brier(uniform, right) == pytest.approx(0.5)
    assert nll(certain, right) == 0
    assert nll(uniform, right) == pytest.approx(np.log(2))


def test_a_wrong_certainty_costs_no_more_than_half_precision_can_tell():
    certain = np.array([1.0, 0.0], np.float32).reshape(1, 2, 1, 1)
    assert nll(certain, certain[:, ::-1]) == pytest.approx(24 * np.log(2), rel=1e-6)
