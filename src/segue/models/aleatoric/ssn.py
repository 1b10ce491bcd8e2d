"""Stochastic segmentation network (Monteiro et al., NeurIPS 2020).

The logits of all pixels and classes are one Gaussian, η ~ N(μ, PPᵀ + diag(d)), with a low-rank
factor P that correlates pixels. Draws are η = μ + Pε + √d·ε′, which needs no factorisation.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.models.labels import cross_entropy
from segue.models.noise import Noise
from segue.models.precision import full

TEST_OPTIONS = {"rank": 3, "loss_samples": 4, "diagonal_epochs": 1}


class Model(nn.Module):
    """U-Net that gives mean, diagonal and factor of the Gaussian over the logits.

    Args:
        backbone, channels, classes: as in ``softmax``.
        rank: columns of P.
        loss_samples: draws of the logits in each loss.
        diagonal_epochs: first epochs, in which P is left out (the authors' stabilisation). What
            gives P has weights of its own, which have no gradient then: the optimiser's moments of
            them must not age before it starts.
    """

    min_variance = 1e-5

    def __init__(
        self,
        backbone,
        channels: int,
        classes: int,
        *,
        rank: int,
        loss_samples: int,
        diagonal_epochs: int,
    ) -> None:
        super().__init__()
        self.classes, self.rank = classes, rank
        self.loss_samples, self.diagonal_epochs = loss_samples, diagonal_epochs
        self.network = backbone(channels, None)
        self.diagonal_head = backbone.head(2 * classes)
        self.factor_head = backbone.head(rank * classes)

    def loss(self, image: Tensor, label: Tensor, generator: torch.Generator, epoch: int) -> Tensor:
        """−log of the Monte-Carlo likelihood of the whole mask, mean over images, in nats.

        −mean_b [logsumexp_s Σ_pixels log p(y | η_s) − log S], the sum over labelled pixels.

        Args:
            image: (image, channel, y, x).
            label: (image, y, x) class indices, or ``UNLABELLED``.
            generator: of the draws of the logits, on the device of the image.
            epoch: from 0; P is left out before ``diagonal_epochs``.
        """
        mean, variance, factor = self.distribution(image)
        if epoch < self.diagonal_epochs:
            factor = torch.zeros_like(factor)

        def noise(shape: tuple[int, ...]) -> Tensor:
            size = (len(image), *shape)
            return torch.randn(size, generator=generator, device=image.device)

        logits = draw_logits(mean, variance, factor, self.loss_samples, noise)
        targets = label[:, None].expand(-1, self.loss_samples, -1, -1)
        log_p = -cross_entropy(logits.flatten(0, 1), targets.flatten(0, 1), "none").sum((1, 2))
        log_p = log_p.reshape(len(image), self.loss_samples)
        return -(log_p.logsumexp(1) - math.log(self.loss_samples)).mean()

    def sample(self, image: Tensor, n: int, noise: Noise) -> Tensor:
        """Class probabilities (image, au_sample=n, class, y, x): softmax of draws of the logits."""
        return draw_logits(*self.distribution(image), n, noise).softmax(2)

    def distribution(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean μ and variance d (image, class, y, x), factor P (image, rank, class, y, x)."""
        features = self.network(image)
        mean, raw = self.diagonal_head(features).float().chunk(2, dim=1)
        factor = self.factor_head(features).float().unflatten(1, (self.rank, self.classes))
        return mean, F.softplus(raw) + self.min_variance, factor


def draw_logits(mean: Tensor, variance: Tensor, factor: Tensor, n: int, noise: Noise) -> Tensor:
    """Draw (image, n, class, y, x) from N(mean, PPᵀ + diag(variance)); see ``distribution``.

    In float32 also where networks run in bfloat16.
    """
    weights, pixel = noise((n, factor.shape[1])), noise((n, *mean.shape[1:]))
    with full(mean.device):
        correlated = torch.einsum("bnr,brcyx->bncyx", weights, factor)
    return mean[:, None] + correlated + variance.sqrt()[:, None] * pixel
