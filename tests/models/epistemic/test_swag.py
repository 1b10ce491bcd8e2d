import pytest
import torch
from torch import nn

from segue.errors import InputError
from segue.models.checkpoint import Checkpoint, flatten, unflatten
from segue.models.epistemic.swag import draw, hypotheses, moments


def draws(snapshots: torch.Tensor, low_rank: bool, scale: float, n: int = 40_000) -> torch.Tensor:
    mean, variance, deviations = moments(snapshots)
    generator = torch.Generator().manual_seed(0)
    chosen = deviations if low_rank else None
    return torch.stack([draw(mean, variance, chosen, scale, generator) for _ in range(n)])


@pytest.mark.parametrize("low_rank", [True, False])
def test_draws_have_the_stated_mean_and_covariance(low_rank):
    torch.manual_seed(0)
    snapshots = torch.randn(5, 3) @ torch.tensor([[1.0, 0.9, 0], [0, 0.3, 0], [0, 0, 2]]) + 4
    out = draws(snapshots, low_rank, 0.5)
    centred = snapshots - snapshots.mean(0)
    covariance = torch.diag(centred.square().mean(0))
    if low_rank:
        covariance = covariance + centred.T @ centred / 4
    torch.testing.assert_close(out.mean(0), snapshots.mean(0), atol=0.03, rtol=0)
    torch.testing.assert_close(out.T.cov(), 0.5 * covariance, atol=0.05, rtol=0.03)


def test_low_rank_draws_at_one_half_have_about_the_snapshots_variance():
    torch.manual_seed(0)
    snapshots = torch.randn(30, 4)
    out = draws(snapshots, True, 0.5)
    torch.testing.assert_close(out.var(0), snapshots.var(0), rtol=0.05, atol=0)


def test_constant_weights_have_no_variance():
    out = draws(torch.ones(4, 6), True, 1.0, n=10)
    assert torch.equal(out, torch.ones(10, 6))


def test_correlation_across_layers_is_kept():
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    common = torch.randn(10, 1, generator=torch.Generator().manual_seed(0))
    note = Checkpoint(model.state_dict(), common.expand(10, 2), {})
    drawn = [
        flatten(m).clone() for m in hypotheses(model, [note], 4000, 3, low_rank=True, scale=0.5)
    ]
    # equal trajectories: the shared term alone gives 1/(1 + (K-1)/K) = .526
    assert torch.stack(drawn).T.corrcoef()[0, 1].item() == pytest.approx(0.526, abs=0.05)


def test_weights_survive_the_way_to_a_vector_and_back_in_any_memory_format():
    model = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    vector = torch.arange(sum(p.numel() for p in model.parameters())).float()
    unflatten(vector, model)
    assert torch.equal(flatten(model), vector)
    assert torch.equal(model.weight[0, 0].flatten(), torch.arange(9).float())


def test_too_few_snapshots_are_refused():
    model = nn.Linear(1, 1)
    note = Checkpoint(model.state_dict(), torch.zeros(1, 2), {})
    with pytest.raises(InputError, match="snapshots"):
        next(hypotheses(model, [note], 1, 0, low_rank=True, scale=1.0))
