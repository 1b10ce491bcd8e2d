"""Residual U-Net of the ADM family (Dhariwal & Nichol, 2021), and its encoder alone.

Nothing here knows about uncertainty. Shapes are (image, channel, y, x); sides must be divisible by
patch·2**(levels - 1).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.errors import InputError
from segue.models.networks.dropout import ChannelDropout
from segue.models.networks.layers import Down, Stage, TimeEmbedding, Up, conv, zero
from segue.models.networks.own import OwnEncoder, OwnNetwork


@dataclass(frozen=True)
class Backbone:
    """The size of a network; calling it builds one.

    Attributes:
        channels: width of each level, the first at full resolution.
        blocks: residual blocks a level in the encoder (the decoder has one more).
        attention: how many of the deepest levels have self-attention, as the middle always has.
        heads: of each self-attention; divide every width.
        group_channels: fewest channels of a group in GroupNorm, which has at most 32 groups.
        dropout: probability of dropping a channel in each residual block.
        patch: side of the squares of pixels that become channels before the first layer, and again
            pixels after the last (space to depth, and back): all layers work on images that are so
            many times smaller along each side. 1 is the network of the paper.
        own: ``name`` and ``options`` of a network that takes the place of the U-Net between patches
            and head, see ``networks.own``; it has ``channels[0]`` features.
    """

    channels: Sequence[int]
    blocks: int
    attention: int
    heads: int
    group_channels: int
    dropout: float = 0.0
    patch: int = 1
    own: Mapping[str, Any] | None = None

    def __call__(
        self, in_channels: int, out_channels: int | None, *, time: bool = False
    ) -> "UNet | OwnNetwork":
        """Build a U-Net, or what takes its place; see there."""
        kind = OwnNetwork if self.own else UNet
        return kind(self, in_channels, out_channels, time=time)

    def encoder(self, in_channels: int, out_features: int) -> nn.Module:
        """Build an encoder (image, in_channels, y, x) -> (image, out_features)."""
        kind = OwnEncoder if self.own else _PooledEncoder
        return kind(self, in_channels, out_features)

    def head(self, out_channels: int) -> nn.Sequential:
        """Build what maps a U-Net's last features to its output (image, out_channels, y, x).

        GN-SiLU-convolution; the convolution starts at zero, and so does the output. The features
        are (image, channels[0], y / patch, x / patch).
        """
        width = self.channels[0]
        last = zero(conv(width, out_channels * self.patch**2))
        return nn.Sequential(self.norm(width), nn.SiLU(), last, *self.to_pixels())

    def to_patches(self) -> list[nn.Module]:
        """What makes channels of each square of ``patch`` × ``patch`` pixels; nothing for 1."""
        return [nn.PixelUnshuffle(self.patch)] if self.patch > 1 else []

    def to_pixels(self) -> list[nn.Module]:
        """What makes pixels of channels again; nothing where ``patch`` is 1."""
        return [nn.PixelShuffle(self.patch)] if self.patch > 1 else []

    def scaled(self, width: float) -> "Backbone":
        """The same with every level ``width`` times as wide.

        Widths are rounded up to multiples of what divides all of ``channels``: three quarters of
        32, 64, 128, 256 are 32, 64, 96, 192, the published Prob. U-Net's.
        """
        step = math.gcd(*self.channels)
        wanted = [round(width * c / step, 9) for c in self.channels]  # 0.7 · 10 is above 7
        return replace(self, channels=[step * math.ceil(multiple) for multiple in wanted])

    def norm(self, channels: int) -> nn.GroupNorm:
        """Build a GroupNorm of as many groups, 32 at most, as ``group_channels`` allows."""
        least = self.group_channels
        groups = (g for g in (32, 16, 8, 4, 2, 1) if channels % g == 0 and channels >= least * g)
        return nn.GroupNorm(next(groups, 1), channels)


class UNet(nn.Module):
    """U-Net: encoder, Res-Attn-Res in the middle, decoder with skips by concatenation.

    Args:
        size: widths and depths.
        out_channels: channels of the head's output; None for no head, which returns the last
            decoder features, ``size.channels[0]`` of them, at sides divided by ``size.patch``.
        time: whether ``forward`` takes a time in [0, 1] for each image.
    """

    def __init__(
        self, size: Backbone, in_channels: int, out_channels: int | None, *, time: bool
    ) -> None:
        super().__init__()
        embedding = 4 * size.channels[0] if time else None
        self.embed = TimeEmbedding(size.channels[0], embedding) if time else None
        self.encoder = _Encoder(size, in_channels, embedding)
        self.middle = _middle(size, embedding)
        skips = list(self.encoder.skip_channels)
        width, stages = size.channels[-1], []
        for level in reversed(range(len(size.channels))):
            target = size.channels[level]
            for _ in range(size.blocks + 1):
                block: list[nn.Module] = [ResBlock(width + skips.pop(), target, size, embedding)]
                if _attends(size, level):
                    block.append(Attention(target, size))
                stages.append(Stage(block))
                width = target
            if level:
                stages[-1].append(Up(width))
        self.decoder = nn.ModuleList(stages)
        self.width = width
        self.head = nn.Identity() if out_channels is None else size.head(out_channels)

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
        self, in_channels: int, out_channels: int, size: Backbone, embedding: int | None
    ) -> None:
        super().__init__()
        self.first = nn.Sequential(
            size.norm(in_channels), nn.SiLU(), conv(in_channels, out_channels)
        )
        self.time = None if embedding is None else nn.Linear(embedding, out_channels)
        self.second = nn.Sequential(
            size.norm(out_channels),
            nn.SiLU(),
            ChannelDropout(out_channels, size.dropout),
            zero(conv(out_channels, out_channels)),
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
    """Multi-head self-attention over all pixels, with a zero-initialised projection.

    Raises:
        InputError: the heads cannot share the channels evenly.
    """

    def __init__(self, channels: int, size: Backbone) -> None:
        super().__init__()
        if channels % size.heads:
            raise InputError(
                f"network.heads: expected a divisor of every width, found {size.heads} for "
                f"{channels} channels; change heads or network.channels"
            )
        self.heads = size.heads
        self.norm = size.norm(channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor, embedding: Tensor | None = None) -> Tensor:
        """Map (image, channel, y, x) to the same shape; ``embedding`` is not used."""
        b, c, h, w = x.shape
        qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        attended = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(attended.transpose(-1, -2).reshape(b, c, h, w))


class _Encoder(nn.Module):
    def __init__(self, size: Backbone, in_channels: int, embedding: int | None) -> None:
        super().__init__()
        width = size.channels[0]
        self.to_patches = nn.Sequential(*size.to_patches())
        self.stem = conv(in_channels * size.patch**2, width)
        stages, self.skip_channels = [], [width]
        for level, target in enumerate(size.channels):
            if level:
                stages.append(Stage([Down(width)]))
                self.skip_channels.append(width)
            for _ in range(size.blocks):
                block: list[nn.Module] = [ResBlock(width, target, size, embedding)]
                if _attends(size, level):
                    block.append(Attention(target, size))
                stages.append(Stage(block))
                self.skip_channels.append(target)
                width = target
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor, embedding: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        x = self.stem(self.to_patches(x))
        skips = [x]
        for stage in self.stages:
            x = stage(x, embedding)
            skips.append(x)
        return x, skips


class _PooledEncoder(nn.Module):
    def __init__(self, size: Backbone, in_channels: int, out_features: int) -> None:
        super().__init__()
        self.encoder = _Encoder(size, in_channels, None)
        self.middle = _middle(size, None)
        width = size.channels[-1]
        self.norm = size.norm(width)
        self.head = nn.Linear(width, out_features)

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.encoder(x, None)
        x = self.middle(x, None)
        return self.head(F.silu(self.norm(x)).mean((2, 3)))


def _middle(size: Backbone, embedding: int | None) -> Stage:
    deepest = size.channels[-1]
    return Stage(
        [
            ResBlock(deepest, deepest, size, embedding),
            Attention(deepest, size),
            ResBlock(deepest, deepest, size, embedding),
        ]
    )


def _attends(size: Backbone, level: int) -> bool:
    return level >= len(size.channels) - size.attention
