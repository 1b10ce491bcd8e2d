"""Noise that belongs to an image, so that neither batch size nor order changes a sample.

It is drawn where it is used: a GPU that waited for numbers of the CPU would wait most of the time.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

Noise = Callable[[tuple[int, ...]], Tensor]
"""``noise(shape)`` gives standard normals (image, *shape), float32; each call gives new ones."""


def image_noise(seeds: Sequence[int], device: torch.device | str) -> Noise:
    """Return the noise of a batch of images.

    Args:
        seeds: one an image, derived from all that the draw may depend on.
        device: where the normals are drawn, on the CPU by NumPy and on a GPU by torch: on one kind
            of device they are always the same, on another kind they are others.
    """
    device = torch.device(device)
    if device.type != "cpu":
        return _drawn_by_torch(seeds, device)
    generators = [np.random.default_rng(seed) for seed in seeds]

    def noise(shape: tuple[int, ...]) -> Tensor:
        draws = [g.standard_normal(shape, dtype=np.float32) for g in generators]
        return torch.from_numpy(np.stack(draws))

    return noise


def _drawn_by_torch(seeds: Sequence[int], device: torch.device) -> Noise:
    generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]

    def noise(shape: tuple[int, ...]) -> Tensor:
        return torch.stack([torch.randn(shape, generator=g, device=device) for g in generators])

    return noise
