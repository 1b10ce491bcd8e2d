"""Test-time augmentation as an aleatoric model (Wang et al., Neurocomputing 2019).

https://arxiv.org/abs/1807.07356. The softmax U-Net, of which a draw is the prediction for a view of
the image, turned or mirrored, turned back: see ``segue.models.views``. It is trained as softmax is,
on images as they are, so draws differ by what the network does to views that it has not seen. As
hypotheses of any trained model they are the epistemic method of the same name.
"""

import torch
from torch import Tensor, nn

from segue.models import views
from segue.models.labels import cross_entropy
from segue.models.noise import Noise

PASSES = 8  # of the network, an image and hypothesis


class Model(nn.Module):
    """U-Net with a softmax over the classes, asked for eight views of each image.

    Args:
        backbone, channels, classes: as in ``softmax``.
    """

    def __init__(self, backbone, channels: int, classes: int) -> None:
        super().__init__()
        self.network = backbone(channels, classes)

    def loss(self, image: Tensor, label: Tensor, generator: torch.Generator, epoch: int) -> Tensor:
        """Cross-entropy, as in ``softmax``; same arguments."""
        return cross_entropy(self.network(image), label)

    def sample(self, image: Tensor, n: int, noise: Noise) -> Tensor:
        """Class probabilities (image, au_sample=n, class, y, x): each draw's view, turned back.

        Args:
            image: (image, channel, y, x).
            n: samples an image.
            noise: of the images; it gives the order of the views. Of eight draws in a row no two
                have the same view.
        """
        each = [views.undone(self._predict(views.seen(image, v)), v) for v in range(views.COUNT)]
        rounds = -(-n // views.COUNT)
        order = noise((rounds, views.COUNT)).argsort(2).flatten(1)[:, :n]
        rows = torch.arange(len(image), device=image.device)[:, None]
        return torch.stack(each, 1)[rows, order]

    def _predict(self, image: Tensor) -> Tensor:
        return self.network(image).float().softmax(1)
