"""Softmax: the categorical distribution of each pixel, the baseline.

One deterministic prediction: it has a single AU sample, and its aleatoric uncertainty is the
entropy of the class probabilities.
"""

import torch
from torch import Tensor, nn

from segue.models.labels import cross_entropy
from segue.models.noise import Noise

DETERMINISTIC = True  # one sample, whatever it is asked for


class Model(nn.Module):
    """U-Net with a softmax over the classes.

    Args:
        backbone: builds the network (``networks.unet.Backbone``).
        channels: of the image.
        classes: background included.
    """

    def __init__(self, backbone, channels: int, classes: int) -> None:
        super().__init__()
        self.network = backbone(channels, classes)

    def loss(self, image: Tensor, label: Tensor, generator: torch.Generator, epoch: int) -> Tensor:
        """Cross-entropy, mean over the labelled pixels of all images, in nats.

        Args:
            image: (image, channel, y, x).
            label: (image, y, x) class indices, or ``UNLABELLED``.
            generator: not used; epoch: not used.
        """
        return cross_entropy(self.network(image), label)

    def sample(self, image: Tensor, n: int, noise: Noise) -> Tensor:
        """Class probabilities (image, au_sample=1, class, y, x), whatever ``n``."""
        return self.network(image).float().softmax(1)[:, None]
