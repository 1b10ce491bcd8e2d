"""Labels with gaps: a pixel to which the rater gave no class (``UNLABELLED``) counts in no loss."""

import torch
import torch.nn.functional as F
from torch import Tensor

from segue.dims import UNLABELLED


def cross_entropy(logits: Tensor, label: Tensor, reduction: str = "mean") -> Tensor:
    """−log p(label) under the softmax of logits, in nats.

    Args:
        logits: (image, class, y, x).
        label: (image, y, x) class indices, or ``UNLABELLED``.
        reduction: ``mean`` over all labelled pixels, of which there has to be one; ``none``, which
            gives (image, y, x), 0 where there is no label.
    """
    if reduction == "mean" and logits.is_cuda:  # torch's own adds up in any order there
        return labelled_mean(cross_entropy(logits, label, "none"), label)
    return F.cross_entropy(logits.float(), label, ignore_index=UNLABELLED, reduction=reduction)


def labelled_mean(losses: Tensor, label: Tensor) -> Tensor:
    """Mean over labelled pixels of losses (image, y, x) that are 0 elsewhere."""
    return losses.sum() / (label != UNLABELLED).sum()


def one_hot(label: Tensor, classes: int, *, unlabelled: float) -> Tensor:
    """1 for the class of a pixel and 0 for the others, as (image, class, y, x) float32.

    Args:
        label: (image, y, x) class indices, or ``UNLABELLED``.
        unlabelled: what all classes are given where there is no label.
    """
    # Not by F.one_hot, which reads the labels to check them: a GPU would be waited for.
    hot = (label[..., None] == torch.arange(classes, device=label.device)).float()
    return torch.where((label != UNLABELLED)[..., None], hot, unlabelled).movedim(-1, 1)
