import pytest
import torch
from torch import nn

from segue.models.aleatoric.prob_unet import Combiner, Model, gaussian
from segue.models.networks.unet import Backbone
from segue.models.noise import image_noise

OPTIONS = {"latent": 3, "beta": 0.5, "warmup_epochs": 4, "width": 0.75}


def build(**options: float) -> Model:
    torch.manual_seed(0)
    return Model(Backbone([8, 8], 1, 1, 8), 1, 2, **OPTIONS | options)


def test_divergence_enters_the_loss_with_a_linear_warm_up():
    model = build()
    image, label = torch.randn(2, 1, 8, 8), torch.randint(2, (2, 8, 8))
    loss = [model.loss(image, label, torch.Generator().manual_seed(1), e) for e in (0, 1, 2, 4, 9)]
    steps = torch.stack(loss).diff()
    torch.testing.assert_close(steps[1], steps[0])
    torch.testing.assert_close(steps[2], 2 * steps[0])
    assert steps[0] > 0
    assert steps[3].item() == pytest.approx(0, abs=1e-6)


def test_without_a_warm_up_the_divergence_counts_in_full_from_the_first_epoch():
    model = build(warmup_epochs=0)
    image, label = torch.randn(2, 1, 8, 8), torch.randint(2, (2, 8, 8))
    first, later = (model.loss(image, label, torch.Generator().manual_seed(1), e) for e in (0, 9))
    torch.testing.assert_close(first, later)
    model.beta = 0.0
    assert first > model.loss(image, label, torch.Generator().manual_seed(1), 0)


def test_split_first_layer_equals_one_convolution_of_features_and_broadcast_latent():
    torch.manual_seed(0)
    combiner = Combiner(4, 3, 2)
    features, z = torch.randn(2, 4, 5, 5), torch.randn(2, 6, 3)
    joint = nn.Conv2d(7, 4, 1)
    joint.weight.data = torch.cat(
        [combiner.features.weight, combiner.latent.weight[..., None, None]], 1
    )
    joint.bias.data = combiner.features.bias.data
    for s in range(6):
        broadcast = z[:, s, :, None, None].expand(-1, -1, 5, 5)
        expected = combiner.rest(joint(torch.cat([features, broadcast], 1)))
        torch.testing.assert_close(combiner(features, z)[:, s], expected)


def test_the_backbone_runs_once_an_image_however_many_samples():
    model, calls = build().eval(), []
    model.network.register_forward_hook(lambda *_: calls.append(1))
    samples = model.sample(torch.randn(2, 1, 8, 8), 7, image_noise([0, 1], "cpu"))
    assert samples.shape == (2, 7, 2, 8, 8)
    assert len(calls) == 1


def test_gaussian_parameters_are_means_then_log_standard_deviations():
    g = gaussian(torch.tensor([[1.0, 2.0, 0.0, 1.0]]))
    torch.testing.assert_close(g.mean, torch.tensor([[1.0, 2.0]]))
    torch.testing.assert_close(g.stddev, torch.tensor([[1.0, torch.e]]))
