"""Layers of networks of any size. Shapes are (image, channel, y, x)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TimeEmbedding(nn.Module):
    """Sinusoidal embedding of a time in [0, 1], then a two-layer perceptron."""

    max_period = 10.0

    def __init__(self, features: int, out_features: int) -> None:
        super().__init__()
        half = features // 2
        frequencies = torch.exp(-math.log(self.max_period) * torch.arange(half) / half)
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.mlp = nn.Sequential(
            nn.Linear(2 * half, out_features), nn.SiLU(), nn.Linear(out_features, out_features)
        )

    def forward(self, time: Tensor) -> Tensor:
        """Map time (image,) to (image, out_features)."""
        angle = time[:, None] * self.frequencies
        return self.mlp(torch.cat([angle.cos(), angle.sin()], dim=1))


class Stage(nn.ModuleList):
    """Layers one after another, each of which is given the time's embedding."""

    def forward(self, x: Tensor, embedding: Tensor | None) -> Tensor:
        """Map an image, and embedding (image, feature) or None, as the layers do."""
        for module in self:
            x = module(x, embedding)
        return x


class Down(nn.Module):
    """Convolution that halves both sides."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor, embedding: Tensor | None) -> Tensor:
        """Map (image, channel, y, x) to (image, channel, y/2, x/2); no use of ``embedding``."""
        return self.conv(x)


class Up(nn.Module):
    """Repetition of every pixel that doubles both sides, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = conv(channels, channels)

    def forward(self, x: Tensor, embedding: Tensor | None) -> Tensor:
        """Map (image, channel, y, x) to (image, channel, 2y, 2x); no use of ``embedding``."""
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


def conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    """Build a 3×3 convolution that keeps the sides."""
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


def zero(layer: nn.Conv2d) -> nn.Conv2d:
    """Set the weights of ``layer`` to 0 and return it."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
