"""What a pixel without a label does in each model's loss: nothing."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import kl_divergence

from segue.dims import UNLABELLED
from segue.models.aleatoric import diffusion, prob_unet, softmax, ssn
from segue.models.labels import cross_entropy, labelled_mean, one_hot
from segue.models.networks.unet import Backbone

BACKBONE = Backbone([8, 8], 1, 1, 1, 4)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def trained(model: torch.nn.Module) -> torch.nn.Module:
    """The model with random weights, in the memory layout of a training."""
    torch.manual_seed(0)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return model.to(memory_format=torch.channels_last)


def softmax_loss(model, image, label):
    return F.cross_entropy(model.network(image).float(), label)


def ssn_loss(model, image, label):
    mean, variance, factor = model.distribution(image)
    noise = generator()

    def normal(shape):
        return torch.randn((len(image), *shape), generator=noise)

    logits = ssn.draw_logits(mean, variance, factor, 3, normal).flatten(0, 1)
    targets = label[:, None].expand(-1, 3, -1, -1).flatten(0, 1)
    log_p = -F.cross_entropy(logits, targets, reduction="none").sum((1, 2)).reshape(-1, 3)
    return -(log_p.logsumexp(1) - math.log(3)).mean()


def prob_unet_loss(model, image, label):
    mask = F.one_hot(label, 3).movedim(-1, 1).to(image)
    prior = prob_unet.gaussian(model.prior(image))
    posterior = prob_unet.gaussian(model.posterior(torch.cat([image, mask], 1)))
    z = posterior.mean + posterior.stddev * torch.randn((len(image), 2), generator=generator())
    logits = model.combiner(model.network(image), z[:, None])[:, 0]
    return F.cross_entropy(logits, label) + 0.5 * kl_divergence(posterior, prior).mean()


def diffusion_loss(model, image, label):
    clean, random = F.one_hot(label, 3).movedim(-1, 1).float(), generator()
    b = len(image)
    order = torch.randperm(b, generator=random)
    time = (order + torch.rand(b, generator=random)) / b
    noise = torch.randn(clean.shape, generator=random)
    signal, sigma = (w[:, None, None, None] for w in diffusion.weights(time, 0.1))
    return F.mse_loss(model.denoise(image, signal * clean + sigma * noise, time), clean)


MODELS = {
    "softmax": (softmax.Model, {}, softmax_loss),
    "ssn": (ssn.Model, {"rank": 2, "loss_samples": 3, "diagonal_epochs": 0}, ssn_loss),
    "prob_unet": (
        prob_unet.Model,
        {"latent": 2, "beta": 0.5, "warmup_epochs": 0, "width": 1.0},
        prob_unet_loss,
    ),
    "diffusion": (diffusion.Model, {"input_scale": 0.1}, diffusion_loss),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("images", [3, 4])
def test_where_nothing_is_missing_loss_and_gradients_are_to_the_bit_the_plain_ones(name, images):
    kind, options, plain = MODELS[name]
    model = trained(kind(BACKBONE, 1, 3, **options))
    image = torch.randn(images, 1, 8, 24).to(memory_format=torch.channels_last)
    label = torch.randint(3, (images, 8, 24))
    found = []
    for loss in (model.loss(image, label, generator(), 9), plain(model, image, label)):
        model.zero_grad()
        loss.backward()
        found.append([loss.detach(), *(p.grad.clone() for p in model.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_cross_entropy_is_the_mean_over_labelled_pixels_and_pulls_at_no_other():
    logits = torch.tensor([[[[0.0, 1.0, 5.0]], [[2.0, 0.0, 5.0]]]], requires_grad=True)
    label = torch.tensor([[[0, 1, UNLABELLED]]])
    loss = cross_entropy(logits, label)
    p = [1 / (1 + math.exp(2)), 1 / (1 + math.exp(1))]  # of the labels
    assert loss.item() == pytest.approx(-(math.log(p[0]) + math.log(p[1])) / 2, rel=1e-6)
    loss.backward()
    pull = [(1 - p[0]) / 2, (1 - p[1]) / 2]
    expected = torch.tensor([[[[-pull[0], pull[1], 0.0]], [[pull[0], -pull[1], 0.0]]]])
    torch.testing.assert_close(logits.grad, expected)


def test_one_hot_gives_all_classes_the_same_where_there_is_no_label():
    found = one_hot(torch.tensor([[[2, UNLABELLED, 0]]]), 3, unlabelled=0.25)
    assert found[0, :, 0].T.tolist() == [[0, 0, 1], [0.25, 0.25, 0.25], [1, 0, 0]]
    assert found.dtype == torch.float32


def gaps() -> torch.Tensor:
    """Labels (2, 8, 8) of 3 classes: the left half is labelled, of the second image two pixels."""
    label = torch.randint(3, (2, 8, 8), generator=generator())
    label[0, :, 4:] = UNLABELLED
    label[1] = UNLABELLED
    label[1, 0, :2] = torch.tensor([0, 2])
    return label


def test_ssn_s_likelihood_is_the_sum_over_labelled_pixels():
    kind, options, _ = MODELS["ssn"]
    model, label = kind(BACKBONE, 1, 3, **options), gaps()
    mean = torch.randn(2, 3, 8, 8, generator=generator()).requires_grad_()
    model.distribution = lambda image: (mean, torch.zeros_like(mean), torch.zeros(2, 2, 3, 8, 8))
    loss = model.loss(torch.zeros(2, 1, 8, 8), label, generator(), 0)
    there = label != UNLABELLED
    one, two = (
        -mean[i].log_softmax(0)[label[i][there[i]], *there[i].nonzero().T].sum() for i in (0, 1)
    )
    torch.testing.assert_close(loss, (one + two) / 2)
    loss.backward()
    assert torch.equal(mean.grad.abs().sum(1) > 0, there)


def test_the_posterior_sees_no_class_where_there_is_no_label():
    kind, options, _ = MODELS["prob_unet"]
    model, label, seen = trained(kind(BACKBONE, 1, 3, **options)), gaps(), []
    model.posterior.register_forward_hook(lambda _, given, out: seen.append(given[0]))
    model.loss(torch.zeros(2, 1, 8, 8), label, generator(), 0)
    there = (label != UNLABELLED)[:, None]
    assert torch.equal(seen[0][:, 1:].sum(1, keepdim=True), there.float())
    labelled = seen[0][:, 1:].argmax(1)[there[:, 0]]
    assert torch.equal(labelled, label[there[:, 0]])


def test_diffusion_s_error_is_the_mean_over_labelled_pixels_of_a_mask_that_is_noisy_everywhere():
    kind, options, _ = MODELS["diffusion"]
    model, label, seen = kind(BACKBONE, 1, 3, **options), gaps(), []
    predicted = torch.rand(2, 3, 8, 8, generator=generator()).requires_grad_()

    def denoise(image, noisy, time):
        seen.append((noisy, time))
        return predicted

    model.denoise = denoise
    loss = model.loss(torch.zeros(2, 1, 8, 8), label, generator(), 0)
    there = label != UNLABELLED
    clean = F.one_hot(torch.where(there, label, 0), 3).float()
    error = (predicted.movedim(1, -1)[there] - clean[there]).square().mean()
    torch.testing.assert_close(loss, error)
    loss.backward()
    assert torch.equal(predicted.grad.abs().sum(1) > 0, there)
    # without a label x0 is 1/3 for each class, and the noise is that of a whole mask
    random = generator()
    torch.rand(2, generator=(torch.randperm(2, generator=random), random)[1])
    noise = torch.randn(2, 3, 8, 8, generator=random)
    signal, sigma = (w[:, None, None, None] for w in diffusion.weights(seen[0][1], 0.1))
    x0 = (seen[0][0] - sigma * noise) / signal
    expected = torch.where(there[..., None], clean, 1 / 3).movedim(-1, 1)
    torch.testing.assert_close(x0, expected, atol=2e-3, rtol=0)


def test_the_mean_that_a_gpu_takes_in_a_fixed_order_is_the_same_mean():
    logits, label = torch.randn(3, 4, 9, 7, requires_grad=True), torch.randint(4, (3, 9, 7))
    label[0], label[1, 2:5] = UNLABELLED, UNLABELLED
    expected = cross_entropy(logits, label)
    found = labelled_mean(cross_entropy(logits, label, "none"), label)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)
    (gradient,) = torch.autograd.grad(expected, logits)
    assert torch.equal(torch.autograd.grad(found, logits)[0], gradient)
