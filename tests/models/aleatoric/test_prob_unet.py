import pytest
import torch
from torch import nn

from segue.models.aleatoric.prob_unet import Combiner, Model, diversity, gaussian
from segue.models.networks.unet import Backbone
from segue.models.noise import image_noise

OPTIONS = {"latent": 3, "beta": 0.5, "warmup_epochs": 4, "width": 0.75}


def build(**options: float) -> Model:
    torch.manual_seed(0)
    return Model(Backbone([8, 8], 1, 1, 1, 4), 1, 2, **OPTIONS | options)


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
    combiner = Combiner(4, 3, 2, Backbone([4], 1, 0, 1, 4))
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


def test_all_three_nets_are_of_the_scaled_width():
    model = Model(Backbone([4, 8, 16], 1, 1, 1, 4), 1, 2, **OPTIONS)
    for net in (model.network, model.prior, model.posterior):
        encoder = net.encoder
        assert encoder.stem.out_channels == 4
        assert encoder.stages[-1][0].second[0].num_channels == 12
    assert model.combiner.features.in_channels == 4


def test_diversity_is_the_mean_distance_of_pairs_of_masks():
    empty, left, whole = (torch.zeros(2, 2).long() for _ in range(3))
    left[:, 0], whole[:] = 1, 1
    # 1 - Dice: empty-left 1, empty-whole 1, left-whole 1 - 2*2/6
    assert diversity(torch.stack([empty, left, whole])[None], 2) == pytest.approx((2 + 1 / 3) / 3)
    assert diversity(torch.stack([empty, empty])[None], 2) == 0
    same = torch.stack([left, left])
    assert diversity(torch.stack([same, torch.stack([empty, left])]), 2) == pytest.approx(0.5)
    # class 2 is in neither of the two; class 1 in one
    assert diversity(torch.stack([empty, left])[None], 3) == pytest.approx(0.5)


def set_gaussian(net: nn.Module, mean: float) -> None:
    """Let a latent net give N(mean, 1) in each of its three dimensions."""
    nn.init.zeros_(net.head.weight)
    net.head.bias.data = torch.tensor([mean] * 3 + [0.0] * 3)


def test_measures_are_the_divergence_in_nats_and_the_diversity_of_prior_draws():
    model = build()
    set_gaussian(model.prior, 0)
    set_gaussian(model.posterior, 1)
    image, label = torch.randn(2, 1, 8, 8), torch.randint(2, (2, 8, 8))

    def measured():
        with torch.no_grad():
            return model.measures(image, label, torch.Generator().manual_seed(0))

    assert measured()["kl"] == pytest.approx(1.5)
    nn.init.zeros_(model.combiner.latent.weight)
    found = measured()
    assert found["diversity"] == 0
    assert "KL 1.500 nats" in model.concern(found)
    # The sign of one dimension of z decides which class all pixels have.
    for layer in (model.combiner.features, *model.combiner.rest[1::2]):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    for layer in model.combiner.rest[1:4:2]:
        nn.init.dirac_(layer.weight)
    model.combiner.latent.weight.data[0, 0] = 1
    last = model.combiner.rest[-1]
    last.weight.data[1, 0], last.bias.data[0] = 1, 1e-6
    masks = torch.randn((2, 4, 3), generator=torch.Generator().manual_seed(0))[..., 0] > 0
    differ = (masks[:, :, None] != masks[:, None]).float().sum((1, 2)) / 12
    found = measured()
    assert found["diversity"] == pytest.approx(float(differ.mean()))
    assert found["diversity"] > 0
    assert model.concern(found) == ""
    assert "KL 0.050 nats" in model.concern({**found, "kl": 0.05})


def test_gaussian_parameters_are_means_then_log_standard_deviations():
    g = gaussian(torch.tensor([[1.0, 2.0, 0.0, 1.0]]))
    torch.testing.assert_close(g.mean, torch.tensor([[1.0, 2.0]]))
    torch.testing.assert_close(g.stddev, torch.tensor([[1.0, torch.e]]))
