"""The posterior of the last layer against that of logistic regression, worked out by autograd."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import nn

from segue.dims import UNLABELLED
from segue.errors import InputError
from segue.models.checkpoint import Checkpoint, build
from segue.models.epistemic.laplace import evidence, gauss_newton, hypotheses

NETWORK = {"channels": [4], "blocks": 1, "attention": 0, "heads": 1, "group_channels": 4}


class Regression(nn.Module):
    """Logistic regression of each pixel on its channels; its weights are all that it has."""

    def __init__(self, channels: int, classes: int, side: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(channels, classes, side, padding=side // 2)

    def sample(self, image, n, noise):
        return self.layer(image).softmax(1)[:, None]


def batches(classes, channels=2, side=4, images=4, unlabelled=False):
    generator = torch.Generator().manual_seed(0)
    for _ in range(2):
        image = torch.randn(images, channels, side, side, generator=generator)
        label = torch.randint(classes, (images, side, side), generator=generator)
        if unlabelled:
            label[0, :2] = UNLABELLED
        yield image, label


def hessian(model, layer, data) -> torch.Tensor:
    """Of the negative log-likelihood, by weights and biases in their own order, (p, p) float64."""
    shapes = [layer.weight.shape, layer.bias.shape]

    def loss(flat):
        weight, bias = flat.split([s.numel() for s in shapes])
        given = {"weight": weight.reshape(shapes[0]), "bias": bias}
        names = {f"{name}.{key}": value for key, value in given.items()}
        total = 0
        for image, label in data:
            logits = torch.func.functional_call(model, names, (image.double(),))
            total = total + cross_entropy_sum(logits, label)
        return total

    name = next(n for n, m in model.named_modules() if m is layer)
    flat = torch.cat([layer.weight.detach().flatten(), layer.bias.detach()]).double()
    return torch.autograd.functional.hessian(loss, flat)


def cross_entropy_sum(logits, label):
    return F.cross_entropy(logits, label, ignore_index=UNLABELLED, reduction="sum")


def in_groups(matrix, layer, groups) -> torch.Tensor:
    """From the layer's own order to (group, parameter, parameter), as ``gauss_newton`` gives it."""
    size = layer.weight.numel()
    weights = torch.arange(size).reshape(len(layer.weight), -1)
    index = torch.cat([weights, size + torch.arange(len(layer.bias))[:, None]], 1)
    index = index.unflatten(0, (-1, groups)).transpose(0, 1).flatten(1)
    between = matrix.clone()
    for rows in index:
        between[rows[:, None], rows] = 0
    assert between.abs().max() < 1e-9  # no curvature between groups
    return torch.stack([matrix[rows[:, None], rows] for rows in index])


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("side", [1, 3])
@pytest.mark.parametrize("unlabelled", [False, True])
def test_it_is_the_hessian_of_logistic_regression(classes, side, unlabelled):
    torch.manual_seed(0)
    model = Regression(2, classes, side)
    found = gauss_newton(model, model.layer, batches(classes, unlabelled=unlabelled))
    data = list(batches(classes, unlabelled=unlabelled))
    expected = hessian(nn.Sequential(model.layer), model.layer, data)
    torch.testing.assert_close(found, in_groups(expected, model.layer, 1), rtol=1e-4, atol=1e-5)


def test_by_hand():
    """One pixel of value 2, no bias to speak of: p(1 − p)·[4, 2; 2, 1] between the classes."""
    model = Regression(1, 2, 1)
    model.layer.weight.data[:, 0, 0, 0] = torch.tensor([0.0, 0.5])
    model.layer.bias.data.zero_()
    data = iter([(torch.full((1, 1, 1, 1), 2.0), torch.zeros(1, 1, 1, dtype=torch.long))])
    p = 1 / (1 + np.exp(-1))
    one = p * (1 - p) * np.array([[4, 2], [2, 1]])
    expected = np.block([[one, -one], [-one, one]])
    np.testing.assert_allclose(gauss_newton(model, model.layer, data)[0], expected, rtol=1e-5)


def softmax(patch=1, classes=2):
    model = build(
        aleatoric={"method": "softmax"},
        network={**NETWORK, "patch": patch},
        dropout=0.0,
        channels=1,
        classes=classes,
        seed=0,
    )
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=generator)
    return model.eval()


@pytest.mark.parametrize("patch", [1, 2])
def test_of_a_network_it_is_that_of_its_last_convolution(patch):
    model = softmax(patch, classes=3)
    layer = model.network.head[2]
    data = list(batches(3, channels=1, side=8, images=1))
    found = gauss_newton(model, layer, iter(data))
    assert len(found) == patch**2
    double = softmax(patch, classes=3).double()
    expected = hessian(double.network, double.network.head[2], data)
    torch.testing.assert_close(found, in_groups(expected, layer, patch**2), rtol=1e-3, atol=1e-4)


def drawn(model, n, data, prior_precision=2.0):
    """The last layer's parameters in each of ``n`` hypotheses."""
    found, given = [], {"prior_precision": prior_precision}
    checkpoint = Checkpoint({k: v.clone() for k, v in model.state_dict().items()}, None, {})
    for each in hypotheses(model, [checkpoint], n, 0, data, **given):
        found.append(of_layer(each.layer))
    return torch.stack(found)


def of_layer(layer) -> torch.Tensor:
    """Parameters as (class, input), the bias last."""
    rows = torch.cat([layer.weight.flatten(1), layer.bias[:, None]], 1)
    return rows.flatten().detach().double()


def test_draws_have_the_posterior_s_mean_and_covariance():
    torch.manual_seed(0)
    model = Regression(2, 2, 1)
    curvature = gauss_newton(model, model.layer, batches(2))[0]
    covariance = torch.linalg.inv(curvature + 2.0 * torch.eye(6))
    mean = of_layer(model.layer)
    draws = drawn(model, 4000, lambda: batches(2))
    error = (covariance.diagonal() / len(draws)).sqrt()
    assert ((draws.mean(0) - mean).abs() < 4 * error).all()
    torch.testing.assert_close(draws.T.cov(), covariance, rtol=0, atol=0.02)
    assert covariance.diagonal().max() > 0.1  # so the tolerance is one


def test_more_data_leave_less_doubt():
    torch.manual_seed(0)
    model = Regression(2, 2, 1)
    few, many = (
        drawn(model, 50, lambda n=n: batches(2, images=n), prior_precision=0.1) for n in (1, 50)
    )
    # The same constant in both classes' outputs is what no data determine: it changes nothing.
    differences = [each[:, :3] - each[:, 3:] for each in (few, many)]
    assert differences[1].std(0).max() < 0.3 * differences[0].std(0).min()


def test_the_precision_is_that_of_the_greatest_marginal_likelihood():
    rng = np.random.default_rng(0)
    values, mean = torch.from_numpy(rng.exponential(9, 20)), torch.from_numpy(rng.normal(size=20))

    def negative(log_precision):
        precision = np.exp(log_precision)
        fit = precision * float(mean.square().sum()) + float((values + precision).log().sum())
        return 0.5 * (fit - len(mean) * log_precision)

    best = minimize_scalar(negative, bounds=(-9, 9), method="bounded", options={"xatol": 1e-8}).x
    assert evidence(values, mean) == pytest.approx(np.exp(best), rel=1e-4)


def test_a_precision_that_is_none_is_refused():
    with pytest.raises(InputError, match="expected a number above 0, or null, found -1"):
        drawn(Regression(2, 2, 1), 1, lambda: batches(2), prior_precision=-1)


def test_data_are_read_when_the_first_hypothesis_is_asked_for():
    asked = []

    def data():
        asked.append(True)
        return batches(2)

    model = Regression(2, 2, 1)
    checkpoint = Checkpoint(model.state_dict(), None, {})
    found = hypotheses(model, [checkpoint], 2, 0, data, prior_precision=None)
    assert not asked
    assert len(list(found)) == 2
    assert asked == [True]


class Twice(Regression):
    """A model whose prediction is another function of its last convolution."""

    def sample(self, image, n, noise):
        return (2 * self.layer(image)).softmax(1)[:, None]


def test_a_prediction_that_is_no_softmax_of_the_last_convolution_is_refused():
    model = Twice(2, 2, 1)
    with pytest.raises(InputError, match="not the softmax of its last convolution"):
        gauss_newton(model, model.layer, batches(2))
