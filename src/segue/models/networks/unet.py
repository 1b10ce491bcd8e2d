"""Residual U-Net of the ADM family (Dhariwal & Nichol, 2021), and its encoder alone.

Nothing here knows about uncertainty. Shapes are (image, channel, y, x); sides must be divisible by
2**(levels - 1).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.models.networks.dropout import ChannelDropout


@dataclass(frozen=True)
class Backbone:
    """The size of a network; calling it builds one.

    Attributes:
        channels: width of each level, the first at full resolution.
        blocks: residual blocks a level in the encoder (the decoder has one more).
        attention: how many of the deepest levels have self-attention.
        head_channels: channels of one attention head.
        dropout: probability of dropping a channel in each residual block.
    """

    channels: Sequence[int]
    blocks: int
    attention: int
    head_channels: int
    dropout: float = 0.0

    def __call__(self, in_channels: int, out_channels: int | None, *, time: bool = False) -> "UNet":
        """Build a U-Net; see there."""
        return UNet(self, in_channels, out_channels, time=time)

    def encoder(self, in_channels: int, out_features: int, *, width: float = 1.0) -> nn.Module:
        """Build an encoder (image, in_channels, y, x) -> (image, out_features).

        Args:
            width: factor on the channels of every level.
        """
        channels = [max(4, 4 * round(c * width / 4)) for c in self.channels]
        size = Backbone(channels, self.blocks, self.attention, self.head_channels, self.dropout)
        return _PooledEncoder(size, in_channels, out_features)


class UNet(nn.Module):
    """U-Net: encoder, Res-Attn-Res in the middle, decoder with skips by concatenation.

    Args:
        size: widths and depths.
        out_channels: channels of the head's output; None for no head, which returns the last
            decoder features, ``size.channels[0]`` of them.
        time: whether ``forward`` takes a time in [0, 1] for each image.
    """

    def __init__(
        self, size: Backbone, in_channels: int, out_channels: int | None, *, time: bool
    ) -> None:
        super().__init__()
        embedding = 4 * size.channels[0] if time else None
        self.embed = TimeEmbedding(size.channels[0], embedding) if time else None
        self.encoder = _Encoder(size, in_channels, embedding)
        deepest = size.channels[-1]
        self.middle = _Stage(
            [
                ResBlock(deepest, deepest, size.dropout, embedding),
                Attention(deepest, size.head_channels),
                ResBlock(deepest, deepest, size.dropout, embedding),
            ]
        )
        skips = list(self.encoder.skip_channels)
        width, stages = deepest, []
        for level in reversed(range(len(size.channels))):
            target = size.channels[level]
            for _ in range(size.blocks + 1):
                block: list[nn.Module] = [
                    ResBlock(width + skips.pop(), target, size.dropout, embedding)
                ]
                if _attends(size, level):
                    block.append(Attention(target, size.head_channels))
                stages.append(_Stage(block))
                width = target
            if level:
                stages[-1].append(_Up(width))
        self.decoder = nn.ModuleList(stages)
        self.width = width
        self.head = (
            nn.Identity()
            if out_channels is None
            else nn.Sequential(_norm(width), nn.SiLU(), _zero(_conv(width, out_channels)))
        )

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """Map (image, in_channels, y, x), and time (image,) if so built, to (image, out, y, x)."""
        embedding = None if self.embed is None else self.embed(time)
        x, skips = self.encoder(x, embedding)
        x = self.middle(x, embedding)
        for stage in self.decoder:
            x = stage(torch.cat([x, skips.pop()], dim=1), embedding)
        return self.head(x)


class ResBlock(nn.Module):
    """GN-SiLU-conv, + time embedding, GN-SiLU-dropout-zero-initialised conv, + skip."""

    def __init__(
        self, in_channels: int, out_channels: int, dropout: float, embedding: int | None
    ) -> None:
        super().__init__()
        self.first = nn.Sequential(_norm(in_channels), nn.SiLU(), _conv(in_channels, out_channels))
        self.time = None if embedding is None else nn.Linear(embedding, out_channels)
        self.second = nn.Sequential(
            _norm(out_channels),
            nn.SiLU(),
            ChannelDropout(out_channels, dropout),
            _zero(_conv(out_channels, out_channels)),
        )
        same = in_channels == out_channels
        self.skip = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, embedding: Tensor | None) -> Tensor:
        """Map (image, in, y, x) and embedding (image, feature) or None to (image, out, y, x)."""
        h = self.first(x)
        if self.time is not None:
            h = h + self.time(F.silu(embedding))[..., None, None]
        return self.skip(x) + self.second(h)


class Attention(nn.Module):
    """Multi-head self-attention over all pixels, with a zero-initialised projection."""

    def __init__(self, channels: int, head_channels: int) -> None:
        super().__init__()
        self.heads = max(1, channels // head_channels)
        self.norm = _norm(channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = _zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor, embedding: Tensor | None = None) -> Tensor:
        """Map (image, channel, y, x) to the same shape; ``embedding`` is not used."""
        b, c, h, w = x.shape
        qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        attended = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(attended.transpose(-1, -2).reshape(b, c, h, w))


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


class _Encoder(nn.Module):
    def __init__(self, size: Backbone, in_channels: int, embedding: int | None) -> None:
        super().__init__()
        width = size.channels[0]
        self.stem = _conv(in_channels, width)
        stages, self.skip_channels = [], [width]
        for level, target in enumerate(size.channels):
            if level:
                stages.append(_Stage([_Down(width)]))
                self.skip_channels.append(width)
            for _ in range(size.blocks):
                block: list[nn.Module] = [ResBlock(width, target, size.dropout, embedding)]
                if _attends(size, level):
                    block.append(Attention(target, size.head_channels))
                stages.append(_Stage(block))
                self.skip_channels.append(target)
                width = target
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor, embedding: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        x = self.stem(x)
        skips = [x]
        for stage in self.stages:
            x = stage(x, embedding)
            skips.append(x)
        return x, skips


class _PooledEncoder(nn.Module):
    def __init__(self, size: Backbone, in_channels: int, out_features: int) -> None:
        super().__init__()
        self.encoder = _Encoder(size, in_channels, None)
        width = size.channels[-1]
        self.norm = _norm(width)
        self.head = nn.Linear(width, out_features)

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.encoder(x, None)
        return self.head(F.silu(self.norm(x)).mean((2, 3)))


class _Stage(nn.ModuleList):
    def forward(self, x: Tensor, embedding: Tensor | None) -> Tensor:
        for module in self:
            x = module(x, embedding)
        return x


class _Down(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor, embedding: Tensor | None) -> Tensor:
        return self.conv(x)


class _Up(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = _conv(channels, channels)

    def forward(self, x: Tensor, embedding: Tensor | None) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


def _attends(size: Backbone, level: int) -> bool:
    return level >= len(size.channels) - size.attention


def _norm(channels: int) -> nn.GroupNorm:
    groups = next(g for g in (32, 16, 8, 4, 2, 1) if channels % g == 0 and channels >= 4 * g)
    return nn.GroupNorm(groups, channels)


def _conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
