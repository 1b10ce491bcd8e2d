"""Probabilistic U-Net (Kohl et al., NeurIPS 2018).

A latent z with an axis-aligned Gaussian prior(image) and posterior(image, mask) is broadcast onto
the last decoder features and combined with them by 1×1 convolutions.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Independent, Normal, kl_divergence

from segue.models.noise import Noise


class Model(nn.Module):
    """U-Net, prior and posterior nets, and the combiner.

    Args:
        backbone, channels, classes: as in ``softmax``.
        latent: dimensions of z.
        beta: weight of the KL divergence.
        warmup_epochs: over which beta rises linearly from 0.
        width: factor on the widths of the prior and posterior nets.
    """

    def __init__(
        self,
        backbone,
        channels: int,
        classes: int,
        *,
        latent: int,
        beta: float,
        warmup_epochs: int,
        width: float,
    ) -> None:
        super().__init__()
        self.classes, self.latent = classes, latent
        self.beta, self.warmup_epochs = beta, warmup_epochs
        self.network = backbone(channels, None)
        self.prior = backbone.encoder(channels, 2 * latent, width=width)
        self.posterior = backbone.encoder(channels + classes, 2 * latent, width=width)
        self.combiner = Combiner(self.network.width, latent, classes)

    def loss(self, image: Tensor, label: Tensor, generator: torch.Generator, epoch: int) -> Tensor:
        """Cross-entropy (mean over images and pixels) + β·KL(posterior ‖ prior) (mean over images).

        Args:
            image: (image, channel, y, x).
            label: (image, y, x) class indices.
            generator: of the draw of z from the posterior, on the CPU.
            epoch: from 0, for the warm-up of β.
        """
        mask = F.one_hot(label, self.classes).movedim(-1, 1).to(image)
        prior = gaussian(self.prior(image))
        posterior = gaussian(self.posterior(torch.cat([image, mask], 1)))
        noise = torch.randn((len(image), 1, self.latent), generator=generator).to(image.device)
        logits = self.combiner(self.network(image), _draw(posterior, noise))[:, 0]
        warm = epoch >= self.warmup_epochs
        beta = self.beta * (1.0 if warm else epoch / self.warmup_epochs)
        divergence = kl_divergence(posterior, prior).mean()
        return F.cross_entropy(logits.float(), label) + beta * divergence

    def sample(self, image: Tensor, n: int, noise: Noise) -> Tensor:
        """Class probabilities (image, au_sample=n, class, y, x) with z from the prior.

        The U-Net and the prior net run once an image; only the combiner runs for every sample.
        """
        z = _draw(gaussian(self.prior(image)), noise((n, self.latent)))
        return self.combiner(self.network(image), z).float().softmax(2)


class Combiner(nn.Module):
    """1×1 convolutions over the features and the broadcast latent.

    Four layers; the first is split into its two halves, so that the features' half runs once an
    image.
    """

    def __init__(self, width: int, latent: int, classes: int) -> None:
        super().__init__()
        self.features = nn.Conv2d(width, width, 1)
        self.latent = nn.Linear(latent, width, bias=False)
        self.rest = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(width, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, classes, 1),
        )

    def forward(self, features: Tensor, z: Tensor) -> Tensor:
        """Logits (image, n, class, y, x) of features (image, width, y, x), z (image, n, latent)."""
        h = self.features(features)[:, None] + self.latent(z)[..., None, None]
        return self.rest(h.flatten(0, 1)).unflatten(0, z.shape[:2])


def gaussian(parameters: Tensor) -> Independent:
    """Axis-aligned Gaussian of (image, 2·latent): means, then logarithms of standard deviations."""
    mean, log_std = parameters.float().chunk(2, dim=1)
    return Independent(Normal(mean, log_std.exp()), 1)


def _draw(distribution: Independent, noise: Tensor) -> Tensor:
    return distribution.base_dist.loc[:, None] + distribution.base_dist.scale[:, None] * noise
