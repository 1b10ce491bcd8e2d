"""As many images at a time as a GPU's memory holds."""

import logging
from collections.abc import Callable, Sequence

import torch
import xarray as xr
from torch import Tensor, nn

Draw = Callable[[nn.Module, xr.DataArray, Sequence], Tensor]
"""``draw(model, images, seeds)`` gives a result (image, ...); one seed an image."""

_log = logging.getLogger(__name__)


def fitting(draw: Draw, most: int) -> Draw:
    """``draw`` in parts of as many images as fit, ``most`` of them at first.

    Where the memory is too small for a part, this and all later ones have half as many. Draws
    belong to their images, so it changes no more than the last digits.

    Raises:
        torch.OutOfMemoryError: a single image does not fit.
    """
    fits = most

    def in_parts(model: nn.Module, images: xr.DataArray, seeds: Sequence) -> Tensor:
        nonlocal fits
        before, done, start = fits, [], 0
        while start < len(images):
            part = slice(start, start + fits)
            there = len(images[part])
            try:
                done.append(draw(model, images[part], seeds[part]))
                start += there
                continue
            except torch.OutOfMemoryError:
                if there == 1:
                    raise
            # Not before here has the exception let go of what was in memory.
            torch.cuda.empty_cache()
            fits = there // 2
        if fits < before:
            _log.warning("the GPU's memory holds %d images of %d at a time", fits, most)
        return torch.cat(done)

    return in_parts
