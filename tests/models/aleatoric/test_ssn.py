import pytest
import torch
import torch.nn.functional as F
from torch.distributions import LowRankMultivariateNormal

from segue.models.aleatoric.ssn import Model, draw_logits
from segue.models.networks.unet import Backbone
from segue.models.noise import image_noise

BACKBONE = Backbone([8, 8], 1, 1, 1, 4)


def test_covariance_of_drawn_logits_is_that_of_the_low_rank_gaussian():
    torch.manual_seed(0)
    mean, variance, factor = (
        torch.randn(1, 2, 1, 2),
        torch.rand(1, 2, 1, 2),
        torch.randn(1, 3, 2, 1, 2),
    )
    oracle = LowRankMultivariateNormal(
        mean.flatten(), factor.reshape(3, 4).T.contiguous(), variance.flatten()
    )
    logits = draw_logits(mean, variance, factor, 200_000, image_noise([5], "cpu")).reshape(-1, 4)
    torch.testing.assert_close(logits.mean(0), oracle.mean, atol=0.02, rtol=0)
    torch.testing.assert_close(logits.T.cov(), oracle.covariance_matrix, atol=0.1, rtol=0.02)


def test_at_zero_variance_the_loss_is_the_cross_entropy_of_the_whole_mask():
    model = Model(BACKBONE, 1, 3, rank=2, loss_samples=4, diagonal_epochs=0)
    torch.manual_seed(0)
    mean, label = torch.randn(2, 3, 8, 8), torch.randint(3, (2, 8, 8))
    model.distribution = lambda image: (mean, torch.zeros_like(mean), torch.zeros(2, 2, 3, 8, 8))
    loss = model.loss(torch.zeros(2, 1, 8, 8), label, torch.Generator().manual_seed(0), 0)
    torch.testing.assert_close(loss, F.cross_entropy(mean, label) * 64)


def test_the_factor_is_left_out_in_the_first_epochs():
    model = Model(BACKBONE, 1, 2, rank=2, loss_samples=3, diagonal_epochs=1)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    image, label = torch.randn(2, 1, 8, 8), torch.zeros(2, 8, 8, dtype=torch.long)

    def without_gradient(epoch: int) -> set[str]:
        model.zero_grad(set_to_none=True)
        model.loss(image, label, torch.Generator().manual_seed(0), epoch).backward()
        return {name for name, p in model.named_parameters() if p.grad is None}

    head = {f"factor_head.{name}" for name, _ in model.factor_head.named_parameters()}
    assert len(head) == 4
    assert without_gradient(0) == head
    assert without_gradient(1) == set()
    assert all(p.grad.abs().sum() > 0 for p in model.factor_head.parameters())


def test_without_a_factor_the_loss_is_that_of_the_diagonal_gaussian():
    model = Model(BACKBONE, 1, 2, rank=2, loss_samples=3, diagonal_epochs=1)
    torch.manual_seed(0)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    image, label = torch.randn(2, 1, 8, 8), torch.randint(2, (2, 8, 8))
    first = model.loss(image, label, torch.Generator().manual_seed(0), 0)
    for p in model.factor_head.parameters():
        torch.nn.init.zeros_(p)
    later = model.loss(image, label, torch.Generator().manual_seed(0), 1)
    assert torch.equal(first, later)


def test_correlated_logits_move_all_pixels_together():
    mean, variance = torch.zeros(1, 2, 8, 8), torch.full((1, 2, 8, 8), 1e-12)
    factor = torch.zeros(1, 1, 2, 8, 8)
    factor[:, :, 1] = 5
    logits = draw_logits(mean, variance, factor, 10, image_noise([0], "cpu"))[0, :, 1]
    assert logits.std((1, 2)).max().item() == pytest.approx(0, abs=1e-4)
    assert logits.mean((1, 2)).std().item() > 1


def test_draws_of_logits_are_as_exact_where_networks_run_in_bfloat16():
    mean, variance, factor = (
        torch.randn(2, 3, 8, 8),
        torch.rand(2, 3, 8, 8),
        torch.randn(2, 5, 3, 8, 8),
    )
    exact = draw_logits(mean, variance, factor, 4, image_noise([0, 1], "cpu"))
    with torch.autocast("cpu", torch.bfloat16):
        found = draw_logits(mean, variance, factor, 4, image_noise([0, 1], "cpu"))
    assert torch.equal(found, exact)
