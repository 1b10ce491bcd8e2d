import math
from itertools import product

import pytest
import torch
from torch import nn

from segue.dims import UNLABELLED
from segue.models.aleatoric.moe import Model
from segue.models.networks.unet import Backbone
from segue.models.noise import image_noise

BACKBONE = Backbone([4, 4], blocks=1, attention=0, heads=1, group_channels=4)


def build(experts, classes=2):
    torch.manual_seed(0)
    model = Model(BACKBONE, 1, classes, experts=experts)
    for p in model.parameters():
        nn.init.normal_(p, std=0.5)
    return model.eval()


def likelihood(model, image, label):
    return float(model.loss(image, label, torch.Generator(), 0).neg().exp().detach())


def test_probabilities_of_all_masks_add_up_to_one():
    """Of three labelled pixels of two classes, in 8 ways; the loss is the mixture's, of a mask."""
    model, image = build(3), torch.randn(1, 1, 4, 4)
    total = 0.0
    for classes in product(range(2), repeat=3):
        label = torch.full((1, 4, 4), UNLABELLED)
        label[0, 1, :3] = torch.tensor(classes)
        total += likelihood(model, image, label)
    assert total == pytest.approx(1, abs=1e-5)


def test_the_loss_is_that_of_a_loop_over_experts():
    model, image = build(3), torch.randn(2, 1, 4, 4)
    label = torch.randint(2, (2, 4, 4))
    logits, log_gate = (each.detach() for each in model.distribution(image))
    losses = []
    for b in range(2):
        mixture = 0.0
        for k in range(3):
            p = logits[b, k].softmax(0).gather(0, label[b][None])
            mixture += math.exp(log_gate[b, k]) * math.exp(p.log().sum())
        losses.append(-math.log(mixture))
    found = model.loss(image, label, torch.Generator(), 0)
    assert float(found.detach()) == pytest.approx(sum(losses) / 2, rel=1e-4)


def test_draws_are_the_experts_as_often_as_the_gate_says():
    model, image = build(3), torch.randn(1, 1, 4, 4)
    with torch.no_grad():
        logits, log_gate = model.distribution(image)
        draws = model.sample(image, 4000, image_noise([0], "cpu"))[0]
    distance = (draws[:, None] - logits[0].softmax(1)).abs().flatten(2).amax(2)
    assert distance.amin(1).max() < 1e-5
    shares = distance.argmin(1).bincount(minlength=3) / 4000
    torch.testing.assert_close(shares, log_gate[0].exp(), rtol=0, atol=0.03)


def test_untrained_experts_differ():
    torch.manual_seed(0)
    model = Model(BACKBONE, 1, 2, experts=3)
    logits, _ = model.distribution(torch.randn(1, 1, 4, 4))
    assert torch.pdist(logits[0].flatten(1)).min() > 1e-3
