"""Noise that belongs to an image, so that neither batch size nor order changes a sample."""

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
        device: where the normals are to lie. They are drawn on the CPU: the same on every device.
    """
    generators = [np.random.default_rng(seed) for seed in seeds]

    def noise(shape: tuple[int, ...]) -> Tensor:
        draws = [g.standard_normal(shape, dtype=np.float32) for g in generators]
        return torch.from_numpy(np.stack(draws)).to(device)

    return noise
