"""A network of somebody else in the place of the U-Net: any module that keeps the sides.

``network.own.name`` in the config is ``package.module:Class``. ``Class(in_channels, features,
**options)`` has to be a ``torch.nn.Module`` that maps (image, in_channels, y, x) to (image,
features, y, x). Patches, dropout and head are put around it, so that every AU model and every EU
method works on it.
"""

import importlib
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.errors import InputError
from segue.models.networks.dropout import ChannelDropout

_WHERE = "network.own.name"


class OwnNetwork(nn.Module):
    """As ``networks.unet.UNet``: patches, the own network, channel dropout, the head.

    Args:
        size: a ``networks.unet.Backbone``: its ``own``, ``patch`` and ``dropout`` count, and
            ``channels[0]``, the number of features.
        in_channels, out_channels: as of ``UNet``.
        time: whether ``forward`` takes a time in [0, 1] for each image; the own network is given it
            as one more channel, the same in every pixel.
    """

    def __init__(
        self, size: Any, in_channels: int, out_channels: int | None, *, time: bool
    ) -> None:
        super().__init__()
        self.width = size.channels[0]
        self.name = size.own["name"]
        self.to_patches = nn.Sequential(*size.to_patches())
        self.network = build(size.own, in_channels * size.patch**2 + time, self.width)
        self.dropout = ChannelDropout(self.width, size.dropout)
        self.head = nn.Identity() if out_channels is None else size.head(out_channels)

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """Map (image, in_channels, y, x), and time (image,) if so built, to (image, out, y, x)."""
        x = self.to_patches(x)
        if time is not None:
            x = torch.cat([x, time.to(x)[:, None, None, None].expand(-1, 1, *x.shape[2:])], dim=1)
        features = self.network(x)
        expected = (len(x), self.width, *x.shape[2:])
        if not isinstance(features, Tensor) or features.shape != expected:
            found = tuple(features.shape) if isinstance(features, Tensor) else type(features)
            raise InputError(
                f"{_WHERE}: {self.name} has to map {tuple(x.shape)} to {expected} (image, feature, "
                f"y, x), found {found}"
            )
        return self.head(self.dropout(features))


class OwnEncoder(nn.Module):
    """(image, in_channels, y, x) -> (image, out_features): the own network's features, pooled."""

    def __init__(self, size: Any, in_channels: int, out_features: int) -> None:
        super().__init__()
        self.network = OwnNetwork(size, in_channels, None, time=False)
        self.norm = size.norm(self.network.width)
        self.head = nn.Linear(self.network.width, out_features)

    def forward(self, x: Tensor) -> Tensor:
        """GN-SiLU, the mean over pixels, and a linear layer."""
        return self.head(F.silu(self.norm(self.network(x))).mean((2, 3)))


def build(own: dict[str, Any], in_channels: int, features: int) -> nn.Module:
    """Build an own network.

    Args:
        own: its ``name`` and perhaps ``options``.

    Raises:
        InputError: it cannot be imported or built, is no module, or has layers that trainings here
            cannot have: dropout of torch, which draws from the global generator, and norms with
            running statistics, which averaged weights do not have.
    """
    name = own["name"]
    path, _, wanted = name.partition(":")
    try:
        kind = getattr(importlib.import_module(path), wanted)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{_WHERE}: cannot import {name!r}: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise InputError(f"{_WHERE}: expected a subclass of torch.nn.Module, found {name!r}")
    try:
        network = kind(in_channels, features, **own.get("options", {}))
    except TypeError as error:
        raise InputError(
            f"{_WHERE}: {name} cannot be built as {wanted}(in_channels, features, **options): "
            f"{error}"
        ) from error
    for layer in network.modules():
        if isinstance(layer, nn.modules.dropout._DropoutNd):
            raise InputError(
                f"{_WHERE}: {name} has {type(layer).__name__}, whose draws no training could "
                "repeat; use segue.models.networks.dropout.ChannelDropout, or none"
            )
        if getattr(layer, "track_running_stats", False):
            raise InputError(
                f"{_WHERE}: {name} has {type(layer).__name__} with running statistics, which the "
                "averaged weights do not have; use GroupNorm, or track_running_stats=False"
            )
    return network
