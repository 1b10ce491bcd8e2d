import math

import pytest
import torch

from segue.models.aleatoric.diffusion import Model, ddim, gamma, weights
from segue.models.networks.unet import Backbone

SCALE = 0.1


@pytest.mark.parametrize(
    ("time", "share", "log_snr"),
    [
        (0.0, 0.999955, 10.000),
        (0.1, 0.285036, -0.920),
        (0.3, 0.037132, -3.255),
        (0.5, 0.009945, -4.601),
        (0.9, 0.000296, -8.124),
        (1.0, 0.000045, -10.000),
    ],
)
def test_schedule_has_the_protocol_s_values(time, share, log_snr):
    value = float(gamma(torch.tensor(time), SCALE))
    assert value == pytest.approx(share, abs=1e-6)
    assert math.log(value / (1 - value)) == pytest.approx(log_snr, abs=2e-3)


def test_perfect_denoiser_keeps_the_schedule_s_marginals_at_every_step():
    torch.manual_seed(0)
    clean = torch.randint(2, (20000,)).float()
    seen = []

    def oracle(x, time):
        seen.append((time, x))
        return clean

    out = ddim(oracle, torch.randn(20000), 10, SCALE)
    assert torch.equal(out, clean)
    assert [t for t, _ in seen] == pytest.approx([1 - i / 10 for i in range(10)])
    for time, x in seen:
        signal, sigma = (float(w) for w in weights(torch.tensor(time), SCALE))
        for value in (0.0, 1.0):
            part = x[clean == value]
            assert part.mean().item() == pytest.approx(signal * value, abs=4 / 100)
            assert part.std().item() == pytest.approx(sigma, rel=0.03)


def test_ddim_recovers_a_gaussian_whose_denoiser_is_known():
    """For x0 ~ N(m, v), E[x0|x_t] is linear; many steps must carry N(0, 1) to N(m, v)."""
    mean, variance = 0.7, 0.04

    def posterior_mean(x, time):
        signal, sigma = (float(w) for w in weights(torch.tensor(time), SCALE))
        gain = signal * variance / (signal**2 * variance + sigma**2)
        return mean + gain * (x - signal * mean)

    low, high = ddim(posterior_mean, torch.tensor([-1.0, 1.0]), 5000, SCALE).tolist()
    assert (low + high) / 2 == pytest.approx(mean, abs=0.005)
    assert (high - low) / 2 == pytest.approx(variance**0.5, rel=0.01)


def test_training_times_are_stratified_over_the_batch():
    model, seen = Model(Backbone([8, 8], 1, 1, 1, 4), 1, 2, input_scale=SCALE), []
    model.denoise = lambda image, noisy, time: seen.append(time) or noisy.softmax(1)
    label = torch.zeros(8, 8, 8, dtype=torch.long)
    model.loss(torch.zeros(8, 1, 8, 8), label, torch.Generator().manual_seed(0), 0)
    assert sorted((seen[0] * 8).long().tolist()) == list(range(8))


def test_loss_of_a_perfect_denoiser_is_zero():
    model = Model(Backbone([8, 8], 1, 1, 1, 4), 1, 2, input_scale=SCALE)
    label = torch.randint(2, (4, 8, 8))
    model.denoise = lambda *_: torch.nn.functional.one_hot(label, 2).movedim(-1, 1).float()
    loss = model.loss(torch.zeros(4, 1, 8, 8), label, torch.Generator().manual_seed(0), 0)
    assert loss.item() == 0
