"""Channel dropout whose evaluation mask can be frozen.

Tompson et al. (2015) drop whole channels; Gal & Ghahramani (2016) read a mask as a draw of the
weights. A mask that stays the same from call to call makes that draw a hypothesis: one function of
the image, whatever the batch.
"""

import torch
from torch import Tensor, nn

from segue.seeds import derive


class ChannelDropout(nn.Module):
    """Zero whole channels with probability ``p`` and scale the others by 1/(1-p).

    Training: a new mask for each image at each call, from ``generator``. Evaluation: the mask set
    by ``freeze``, the same for every image and call; the identity where none is set.
    """

    def __init__(self, channels: int, p: float) -> None:
        super().__init__()
        self.channels, self.p = channels, p
        self.generator: torch.Generator | None = None
        self.mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Map (image, channel, y, x) to the same shape."""
        if self.training and self.p > 0:
            return x * self._draw((len(x), self.channels), self.generator).to(x)[..., None, None]
        return x if self.mask is None else x * self.mask.to(x)[:, None, None]

    def _draw(self, shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
        if generator is None:
            raise RuntimeError("dropout is training without a generator: call draw_from first")
        return (torch.rand(shape, generator=generator) >= self.p) / (1 - self.p)


def draw_from(model: nn.Module, generator: torch.Generator) -> None:
    """Draw the training masks of every dropout in ``model`` from ``generator``, in call order."""
    for layer in _layers(model):
        layer.generator = generator


def freeze(model: nn.Module, seed: int) -> None:
    """Set the evaluation mask of every dropout in ``model`` to one drawn from ``seed``."""
    for depth, layer in enumerate(_layers(model)):
        generator = torch.Generator().manual_seed(derive(seed, "dropout", depth))
        layer.mask = layer._draw((layer.channels,), generator)


def count(model: nn.Module) -> int:
    """Number of dropouts in ``model`` that can drop anything."""
    return sum(layer.p > 0 for layer in _layers(model))


def _layers(model: nn.Module) -> list[ChannelDropout]:
    return [m for m in model.modules() if isinstance(m, ChannelDropout)]
