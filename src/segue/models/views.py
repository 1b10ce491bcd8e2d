"""The eight views of an image: turns by 90 degrees and their mirror images, and their undoing.

They are the symmetries of a square. A segmentation of a view, turned back, is one of the image: of
a network that does the same to a view as to the image (an equivariant one), all eight are equal.
Test-time augmentation takes what they differ by for uncertainty (Wang et al., Neurocomputing 2019,
https://arxiv.org/abs/1807.07356).
"""

import torch
from torch import Tensor

COUNT = 8


def seen(image: Tensor, view: int) -> Tensor:
    """A view of images (..., y, x), of the same sides or with both changed over.

    Args:
        view: in 0..7; 0 is the image as it is, above 3 it is mirrored before it is turned.
    """
    mirrored = image.flip(-1) if view >= 4 else image
    return torch.rot90(mirrored, view % 4, (-2, -1))


def undone(image: Tensor, view: int) -> Tensor:
    """The images (..., y, x) of which ``seen`` made these; exactly."""
    turned = torch.rot90(image, -(view % 4), (-2, -1))
    return turned.flip(-1) if view >= 4 else turned
