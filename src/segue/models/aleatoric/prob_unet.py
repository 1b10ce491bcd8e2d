"""Probabilistic U-Net (Kohl et al., NeurIPS 2018).

A latent z with an axis-aligned Gaussian prior(image) and posterior(image, mask) is broadcast onto
the last decoder features and combined with them by 1×1 convolutions.
"""

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal, kl_divergence

from segue.models.labels import cross_entropy, one_hot
from segue.models.noise import Noise

TEST_OPTIONS = {"latent": 2, "beta": 0.001, "warmup_epochs": 2, "width": 0.75}

LEAST_KL = 0.35
"""Nats an image. To tell which of two equally likely readings of an image a mask is takes ln 2 =
0.69: a latent of less than half of that cannot do so for most images."""
LEAST_DIVERSITY = 0.05
"""1 - Dice: draws that differ by less are one mask. Radiologists differ by 0.4 on LIDC."""
_DRAWS = 4  # from the prior for the diversity: six pairs an image


class Model(nn.Module):
    """U-Net, prior and posterior nets, and the combiner.

    Args:
        backbone, channels, classes: as in ``softmax``.
        latent: dimensions of z.
        beta: weight of the KL divergence of an image against the mean over its pixels of the
            cross-entropy. The evidence lower bound has the sum over pixels there and weight 1: this
            is that bound at the weight beta·H·W (41 for the published 0.0025 on 128×128 pixels),
            so the same beta is the stricter, the larger the images are.
        warmup_epochs: over which beta rises linearly from 0.
        width: of the U-Net and of the prior and posterior nets, relative to ``backbone``.
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
        backbone = backbone.scaled(width)
        self.network = backbone(channels, None)
        self.prior = backbone.encoder(channels, 2 * latent)
        self.posterior = backbone.encoder(channels + classes, 2 * latent)
        self.combiner = Combiner(self.network.width, latent, classes, backbone)

    def loss(self, image: Tensor, label: Tensor, generator: torch.Generator, epoch: int) -> Tensor:
        """Cross-entropy (mean over labelled pixels) + β·KL(posterior ‖ prior) (mean over images).

        Args:
            image: (image, channel, y, x).
            label: (image, y, x) class indices, or ``UNLABELLED``: of such a pixel the posterior
                sees 0 for every class.
            generator: of the draw of z from the posterior, on the device of the image.
            epoch: from 0, for the warm-up of β.
        """
        prior, posterior = self.latents(image, label)
        shape = (len(image), 1, self.latent)
        noise = torch.randn(shape, generator=generator, device=image.device)
        logits = self.combiner(self.network(image), _draw(posterior, noise))[:, 0]
        warm = epoch >= self.warmup_epochs
        beta = self.beta * (1.0 if warm else epoch / self.warmup_epochs)
        divergence = kl_divergence(posterior, prior).mean()
        return cross_entropy(logits, label) + beta * divergence

    def sample(self, image: Tensor, n: int, noise: Noise) -> Tensor:
        """Class probabilities (image, au_sample=n, class, y, x) with z from the prior.

        The U-Net and the prior net run once an image; only the combiner runs for every sample.
        """
        z = _draw(gaussian(self.prior(image)), noise((n, self.latent)))
        return self.combiner(self.network(image), z).float().softmax(2)

    def latents(self, image: Tensor, label: Tensor) -> tuple[Independent, Independent]:
        """Prior(image) and posterior(image, label) of z, one Gaussian an image."""
        mask = one_hot(label, self.classes, unlabelled=0).to(image)
        return gaussian(self.prior(image)), gaussian(self.posterior(torch.cat([image, mask], 1)))

    def measures(
        self, image: Tensor, label: Tensor, generator: torch.Generator
    ) -> dict[str, float]:
        """Whether the latent is used: numbers that training notes once an epoch.

        Args:
            image, label: as in ``loss``.
            generator: of the draws of z from the prior, on the device of the image.

        Returns:
            ``kl``: KL(posterior ‖ prior), mean over images, in nats: what a mask tells of z beyond
            the image. ``diversity`` in [0, 1], see there, of draws from the prior.
        """
        prior, posterior = self.latents(image, label)
        shape = (len(image), _DRAWS, self.latent)
        noise = torch.randn(shape, generator=generator, device=image.device)
        masks = self.combiner(self.network(image), _draw(prior, noise)).argmax(2)
        return {
            "kl": float(kl_divergence(posterior, prior).mean()),
            "diversity": diversity(masks, self.classes),
        }

    def concern(self, measures: dict[str, float]) -> str:
        """What the last ``measures`` of a training give reason to warn of; empty for nothing."""
        if measures["kl"] >= LEAST_KL and measures["diversity"] >= LEAST_DIVERSITY:
            return ""
        return (
            f"the latent is hardly used: KL {measures['kl']:.3f} nats an image (expected at least "
            f"{LEAST_KL}), 1 - Dice {measures['diversity']:.3f} between draws from the prior "
            f"(expected at least {LEAST_DIVERSITY}), so all samples of an image are nearly the "
            "same; lower the option beta or train longer, unless the raters agree as much"
        )


class Combiner(nn.Module):
    """1×1 convolutions over the features and the broadcast latent.

    Four layers; the first is split into its two halves, so that the features' half runs once an
    image.

    Args:
        width: channels of the features.
        latent: dimensions of z.
        classes: of the logits.
        backbone: of the U-Net, whose patches the last layer makes pixels of.
    """

    def __init__(self, width: int, latent: int, classes: int, backbone) -> None:
        super().__init__()
        self.features = nn.Conv2d(width, width, 1)
        self.latent = nn.Linear(latent, width, bias=False)
        self.rest = nn.Sequential(
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, classes * backbone.patch**2, 1),
            *backbone.to_pixels(),
        )

    def forward(self, features: Tensor, z: Tensor) -> Tensor:
        """Logits (image, n, class, y, x) of the U-Net's features and z (image, n, latent)."""
        h = self.features(features)[:, None] + self.latent(z)[..., None, None]
        return self.rest(h.flatten(0, 1)).unflatten(0, z.shape[:2])


def diversity(masks: Tensor, classes: int) -> float:
    """Mean of 1 − Dice over pairs of an image's masks, classes but for background, and images.

    Two masks that both lack a class differ by 0 in it.

    Args:
        masks: (image, n, y, x) class indices, n at least 2.
    """
    first, second = torch.combinations(torch.arange(masks.shape[1])).T
    distances = []
    for index in range(1, classes):
        there = masks == index
        a, b = there[:, first], there[:, second]
        overlap, total = (a & b).sum((2, 3)), a.sum((2, 3)) + b.sum((2, 3))
        distances.append((1 - 2 * overlap / total).nan_to_num(0))  # 0/0: neither has the class
    return float(torch.stack(distances).mean())


def gaussian(parameters: Tensor) -> Independent:
    """Axis-aligned Gaussian of (image, 2·latent): means, then logarithms of standard deviations."""
    mean, log_std = parameters.float().chunk(2, dim=1)
    normal = Normal(mean, log_std.exp(), validate_args=False)  # training sees a NaN in its loss
    return Independent(normal, 1, validate_args=False)


def _draw(distribution: Independent, noise: Tensor) -> Tensor:
    return distribution.base_dist.loc[:, None] + distribution.base_dist.scale[:, None] * noise
