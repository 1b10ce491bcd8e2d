"""SWAG (Maddox et al., NeurIPS 2019): a Gaussian through the last snapshots of the weights.

θ = θ̄ + √s·[√v·ε₁ + Dᵀε₂/√(K − 1)] with the mean θ̄ and the variances v of the K snapshots and their
deviations D from θ̄. One ε₂ is shared by all weights, so layers stay correlated. The low-rank draws
have the snapshots' variance at s = ½; without the second term, at s = 1.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from segue.errors import InputError
from segue.models.checkpoint import Checkpoint, unflatten
from segue.seeds import derive

NEEDS = {"snapshots": 2}
TEST_OPTIONS = {"low_rank": True, "scale": 0.5}


def hypotheses(
    model: nn.Module,
    checkpoints: Sequence[Checkpoint],
    n: int,
    seed: int,
    *,
    low_rank: bool,
    scale: float,
) -> Iterator[nn.Module]:
    """Yield ``model`` with one draw of the weights after another (``model`` is changed).

    Args:
        low_rank: whether the second term is there (SWAG) or not (SWAG-diagonal).
        scale: s, the factor on the covariance.

    Raises:
        InputError: the checkpoint holds fewer than two snapshots.
    """
    snapshots = checkpoints[0].snapshots
    if len(snapshots) < 2:
        raise InputError(
            f"epistemic method swag: the checkpoint holds {len(snapshots)} snapshots, needs at "
            "least 2; raise `snapshots` of its recipe"
        )
    model.load_state_dict(checkpoints[0].weights)
    mean, variance, deviations = moments(snapshots)
    for index in range(n):
        generator = torch.Generator().manual_seed(derive(seed, "draw", index))
        unflatten(draw(mean, variance, deviations if low_rank else None, scale, generator), model)
        yield model


def moments(snapshots: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (parameter,), variance (parameter,) and deviations (snapshot, parameter)."""
    mean = snapshots.mean(0)
    deviations = snapshots - mean
    return mean, deviations.square().mean(0), deviations


def draw(
    mean: Tensor,
    variance: Tensor,
    deviations: Tensor | None,
    scale: float,
    generator: torch.Generator,
) -> Tensor:
    """Draw (parameter,) from N(mean, s·(diag(variance) + DᵀD/(K − 1))); no D for ``None``."""
    step = variance.sqrt() * torch.randn(mean.shape, generator=generator)
    if deviations is not None:
        k = len(deviations)
        step = step + torch.randn(k, generator=generator) @ deviations / math.sqrt(k - 1)
    return mean + math.sqrt(scale) * step
