"""Channel dropout whose evaluation mask can be frozen.

Tompson et al. (2015) drop whole channels; Gal & Ghahramani (2016) read a mask as a draw of the
weights. A mask that stays the same from call to call makes that draw a hypothesis: one function of
the image, whatever the batch.
"""

import torch
from scipy.special import ndtri
from torch import Tensor, nn

from segue.models.noise import Noise
from segue.seeds import derive


class ChannelDropout(nn.Module):
    """Zero whole channels with probability ``p`` and scale the others by 1/(1-p).

    Training: a new mask for each image at each call, from ``generator``. Evaluation: the mask set
    by ``freeze``, the same for every image and call; or after ``thaw``, a new mask at each call for
    each image, or each of its draws, from ``noise``; the identity where neither was done.
    """

    def __init__(self, channels: int, p: float) -> None:
        super().__init__()
        self.channels, self.p = channels, p
        self.generator: torch.Generator | None = None
        self.mask: Tensor | None = None
        self.redraws = False
        self.noise: tuple[Noise, int] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Map (image, channel, y, x) to the same shape."""
        if self.training and self.p > 0:
            return x * self._draw((len(x), self.channels), self.generator).to(x)[..., None, None]
        if self.redraws and self.p > 0:
            return x * self._redraw(len(x)).to(x)[..., None, None]
        return x if self.mask is None else x * self.mask.to(x)[:, None, None]

    def _draw(self, shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
        if generator is None:
            raise RuntimeError("dropout is training without a generator: call draw_from first")
        drawn = torch.rand(shape, generator=generator, device=generator.device)
        return (drawn >= self.p) / (1 - self.p)

    def _redraw(self, rows: int) -> Tensor:
        """A mask (row, channel) for each row of a batch, in which an image's rows are together."""
        if self.noise is None:
            raise RuntimeError("dropout is to redraw its masks without noise: call redraw_from")
        noise, images = self.noise
        kept = noise((rows // images, self.channels)) >= ndtri(self.p)
        return kept.flatten(0, 1) / (1 - self.p)


def draw_from(model: nn.Module, generator: torch.Generator) -> None:
    """Draw the training masks of every dropout in ``model`` from ``generator``, in call order.

    Args:
        generator: on the device of the model.
    """
    for layer in _layers(model):
        layer.generator = generator


def freeze(model: nn.Module, seed: int) -> None:
    """Set the evaluation mask of every dropout in ``model`` to one drawn from ``seed``.

    They are drawn on the CPU: a hypothesis is the same on every device.
    """
    device = next(model.parameters(), torch.empty(0)).device
    for depth, layer in enumerate(_layers(model)):
        generator = torch.Generator().manual_seed(derive(seed, "dropout", depth))
        layer.mask = layer._draw((layer.channels,), generator).to(device)


def thaw(model: nn.Module) -> None:
    """Let every dropout in ``model`` draw a new mask at each call in evaluation."""
    for layer in _layers(model):
        layer.redraws = True


def redraw_from(model: nn.Module, noise: Noise, images: int) -> None:
    """Draw the masks of dropouts after ``thaw`` from the noise of so many images, in call order."""
    for layer in _layers(model):
        layer.noise = noise, images


def count(model: nn.Module) -> int:
    """Number of dropouts in ``model`` that can drop anything."""
    return sum(layer.p > 0 for layer in _layers(model))


def _layers(model: nn.Module) -> list[ChannelDropout]:
    return [m for m in model.modules() if isinstance(m, ChannelDropout)]
