"""Mixture of experts: each expert is one reading of the image, a gate says how likely each is.

p(mask | image) = Σ_k π_k(image) Π_pixels p_k(y | image), experts p_k and gate π on one U-Net
(Jacobs et al., Neural Computation 1991). After the mixture of stochastic experts of Gao et al.
(ICLR 2023, https://arxiv.org/abs/2212.07328), whose experts are themselves stochastic and whose
loss is an optimal transport to all masks of an image; here a step sees one rater's mask, of which
the likelihood of the mixture is the loss. There are as many different draws as experts.
"""

import torch
from torch import Tensor, nn

from segue.models.labels import cross_entropy
from segue.models.noise import Noise

TEST_OPTIONS = {"experts": 3}


class Model(nn.Module):
    """U-Net features, a head for each expert, and a gate of the features' means.

    Args:
        backbone, channels, classes: as in ``softmax``.
        experts: how many.
    """

    def __init__(self, backbone, channels: int, classes: int, *, experts: int) -> None:
        super().__init__()
        self.experts, self.classes = experts, classes
        self.network = backbone(channels, None)
        self.heads = backbone.head(experts * classes)
        for layer in self.heads:  # from zero, all experts would learn the same for ever
            if isinstance(layer, nn.Conv2d):
                layer.reset_parameters()
        self.gate = nn.Linear(self.network.width, experts)

    def loss(self, image: Tensor, label: Tensor, generator: torch.Generator, epoch: int) -> Tensor:
        """−log of the likelihood of the whole mask, mean over images, in nats.

        −mean_b log Σ_k π_k Π_pixels p_k(y), the product over labelled pixels.

        Args:
            image: (image, channel, y, x).
            label: (image, y, x) class indices, or ``UNLABELLED``.
            generator: not used; epoch: not used.
        """
        logits, log_gate = self.distribution(image)
        targets = label[:, None].expand(-1, self.experts, -1, -1).flatten(0, 1)
        log_p = -cross_entropy(logits.flatten(0, 1), targets, "none").sum((1, 2))
        return -(log_gate + log_p.unflatten(0, (-1, self.experts))).logsumexp(1).mean()

    def sample(self, image: Tensor, n: int, noise: Noise) -> Tensor:
        """Class probabilities (image, au_sample=n, class, y, x): the gate draws an expert for each.

        Draws of the same expert are equal.
        """
        logits, log_gate = self.distribution(image)
        uniform = torch.special.ndtr(noise((n,)))  # of a standard normal
        # Not by cumsum, which a GPU adds up in any order.
        up_to = torch.ones(self.experts - 1, self.experts, device=image.device).tril()
        reached = (log_gate.exp()[:, None] * up_to).sum(2)[:, None]  # (image, 1, expert but one)
        chosen = (uniform[..., None] >= reached).sum(2)  # (image, au_sample)
        rows = torch.arange(len(image), device=image.device)[:, None]
        return logits[rows, chosen].softmax(2)

    def distribution(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (image, expert, class, y, x) and log π (image, expert), float32."""
        features = self.network(image)
        logits = self.heads(features).float().unflatten(1, (self.experts, self.classes))
        return logits, self.gate(features.mean((2, 3))).float().log_softmax(1)
