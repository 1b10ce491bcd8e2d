"""Continuous-time Gaussian diffusion on the one-hot mask, conditioned on the image.

x_t = √γ(t)·x0 + √(1 − γ(t))·ε with x0 ∈ {0, 1}; the network predicts x0 (Kingma et al., 2021, for
continuous time; Chen, 2023, for the input scale; Song et al., 2021, for the DDIM sampler).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.dims import UNLABELLED
from segue.models.labels import one_hot
from segue.models.noise import Noise

TEST_OPTIONS = {"input_scale": 0.1, "steps": 4}

_MAX_LOG_SNR = 10.0


class Model(nn.Module):
    """U-Net that sees image, noisy mask and time, and gives the clean mask's probabilities.

    Args:
        backbone, channels, classes: as in ``softmax``.
        input_scale: b of the noise schedule; smaller means noisier at equal t.
    """

    def __init__(self, backbone, channels: int, classes: int, *, input_scale: float) -> None:
        super().__init__()
        self.classes, self.input_scale = classes, input_scale
        self.network = backbone(channels + classes, classes, time=True)

    def loss(self, image: Tensor, label: Tensor, generator: torch.Generator, epoch: int) -> Tensor:
        """Mean squared error of the predicted mask, at times stratified over the batch.

        The mean is over labelled pixels. The network sees the noisy mask of all pixels, so x0 has
        to be something where there is no label: 1/classes for every class. That prefers none and
        sums to 1, as do the predicted masks that the sampler makes noisy again, where the network
        will meet such values; noise is added to it as everywhere.

        Args:
            image: (image, channel, y, x).
            label: (image, y, x) class indices, or ``UNLABELLED``.
            generator: of times and noise, on the device of the image.
            epoch: not used.
        """
        labelled = (label != UNLABELLED)[:, None]
        clean = one_hot(label, self.classes, unlabelled=1 / self.classes)
        b, drawn = len(image), {"generator": generator, "device": image.device}
        time = (torch.randperm(b, **drawn) + torch.rand(b, **drawn)) / b
        noise = torch.randn(clean.shape, **drawn)
        signal, sigma = (w[:, None, None, None] for w in weights(time, self.input_scale))
        predicted = self.denoise(image, signal * clean + sigma * noise, time)
        error = F.mse_loss(predicted, clean, reduction="none") * labelled
        return error.mean() / labelled.float().mean()

    def sample(self, image: Tensor, n: int, noise: Noise, *, steps: int) -> Tensor:
        """Class probabilities (image, au_sample=n, class, y, x): the last predicted clean mask.

        Args:
            image: (image, channel, y, x).
            n: samples an image.
            noise: of the images; one draw gives x at t = 1, after which all is deterministic.
            steps: network calls a sample.
        """
        start = noise((n, self.classes, *image.shape[2:])).flatten(0, 1)
        repeated = image.repeat_interleave(n, dim=0)

        def denoise(x: Tensor, time: float) -> Tensor:
            return self.denoise(repeated, x, torch.full((len(x),), time, device=x.device))

        return ddim(denoise, start, steps, self.input_scale).unflatten(0, (len(image), n))

    def denoise(self, image: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        """Predict the clean mask (image, class, y, x), a softmax over the classes."""
        return self.network(torch.cat([image, noisy], 1), time).float().softmax(1)


def gamma(time: Tensor, input_scale: float) -> Tensor:
    """Share γ(t) of the signal's power, with logSNR(0) = 10 and logSNR(1) = −10.

    γ0 = cos²(πt/2) is scaled to b²γ0/((b² − 1)γ0 + 1), then mapped affinely onto [γ(1), γ(0)].
    """
    cosine = torch.cos(0.5 * math.pi * time.double()) ** 2
    b2 = input_scale**2
    scaled = b2 * cosine / ((b2 - 1) * cosine + 1)
    low, high = 1 / (1 + math.exp(_MAX_LOG_SNR)), 1 / (1 + math.exp(-_MAX_LOG_SNR))
    return low + (high - low) * scaled


def weights(time: Tensor, input_scale: float) -> tuple[Tensor, Tensor]:
    """Weights √γ of the signal and √(1 − γ) of the noise at each time, float32."""
    share = gamma(time, input_scale)
    return share.sqrt().float(), (1 - share).sqrt().float()


def ddim(denoise, start: Tensor, steps: int, input_scale: float) -> Tensor:
    """DDIM (η = 0) from t = 1 to 0 in equal steps; the last returns the predicted clean mask.

    Args:
        denoise: (x, time) -> predicted clean mask, of x's shape.
        start: standard normals, x at t = 1.
        steps: calls of ``denoise``, at t = 1, 1 − 1/steps, ..., 1/steps.
    """
    times = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    signal, sigma = weights(times, input_scale)
    x = start
    for i in range(steps):
        clean = denoise(x, float(times[i]))
        noise = (x - signal[i] * clean) / sigma[i]
        x = signal[i + 1] * clean + sigma[i + 1] * noise
    return clean
