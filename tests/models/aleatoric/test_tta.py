import torch
from torch import nn

from segue import plugins
from segue.models import views
from segue.models.aleatoric.tta import PASSES, Model
from segue.models.noise import image_noise
from segue.study import cost


def symmetric(in_channels: int, out_channels: int) -> nn.Module:
    """A 3×3 convolution that does to a view what it does to the image."""
    layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)
    with torch.no_grad():
        weight = torch.stack([views.seen(layer.weight, v) for v in range(views.COUNT)]).mean(0)
        layer.weight.copy_(weight)
    return layer


def draws(backbone, image, n=10, seeds=(1, 2)):
    torch.manual_seed(0)
    with torch.no_grad():
        model = Model(backbone, 1, 3).eval()
        return model, model.sample(image, n, image_noise(seeds, "cpu"))


def test_of_an_equivariant_network_all_draws_are_equal():
    _, probs = draws(symmetric, torch.randn(2, 1, 6, 9))
    torch.testing.assert_close(probs, probs[:, :1].expand_as(probs), rtol=0, atol=1e-6)


def test_eight_draws_are_the_answers_for_the_eight_views():
    image = torch.randn(2, 1, 6, 6)
    model, probs = draws(lambda i, o: nn.Conv2d(i, o, 3, padding=1), image, n=16)
    with torch.no_grad():
        each = [views.undone(model.network(views.seen(image, v)).softmax(1), v) for v in range(8)]
    expected = torch.stack(each, 1).flatten(2)
    for i in range(2):
        for part in (probs[i, :8], probs[i, 8:]):
            distance = torch.cdist(part.flatten(1), expected[i])
            assert sorted(distance.argmin(1).tolist()) == list(range(8))
            assert distance.min(1).values.max() < 1e-5


def test_the_plan_counts_a_pass_for_each_view():
    assert PASSES == views.COUNT
    assert plugins.literal("segue.models.aleatoric.tta", "PASSES", 1) == views.COUNT
    assert cost.passes({"method": "tta"}, hypotheses=3, au_samples=10) == 3 * views.COUNT
    assert cost.passes({"method": "softmax"}, hypotheses=3, au_samples=10) == 3
