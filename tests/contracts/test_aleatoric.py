"""What every AU model on disk must hold."""

import inspect
from contextlib import suppress

import pytest
import torch
from plugged import is_deterministic, options
from torch.utils._python_dispatch import TorchDispatchMode

from segue import plugins
from segue.dims import UNLABELLED
from segue.models.networks.unet import Backbone
from segue.models.noise import image_noise

every_model = pytest.mark.parametrize("name", plugins.available("aleatoric"))
every_shape = pytest.mark.parametrize(("channels", "classes"), [(1, 2), (3, 4)])


def build(name: str, channels: int = 1, classes: int = 2, patch: int = 1) -> torch.nn.Module:
    torch.manual_seed(0)
    backbone = Backbone([8, 8], blocks=1, attention=1, heads=1, group_channels=4, patch=patch)
    model = plugins.load("aleatoric", name).Model(
        backbone, channels, classes, **options("aleatoric", name, "Model.__init__")
    )
    for p in model.parameters():  # zero-initialised heads would make every sample the same
        torch.nn.init.normal_(p, std=0.3)
    return model


def draw(model, name, images, seeds, n=6):
    noise, sampler = image_noise(seeds, "cpu"), options("aleatoric", name, "Model.sample")
    with torch.inference_mode():
        return model.eval().sample(images, n, noise, **sampler)


@every_model
@every_shape
@pytest.mark.parametrize("patch", [1, 2])
def test_samples_are_probabilities_with_the_dimensions_in_order(name, channels, classes, patch):
    model = build(name, channels, classes, patch)
    probs = draw(model, name, torch.randn(3, channels, 8, 8), [1, 2, 3])
    assert probs.shape[:1] + probs.shape[2:] == (3, classes, 8, 8)
    assert probs.shape[1] == (1 if is_deterministic(name) else 6)
    assert probs.dtype == torch.float32
    assert probs.min() >= 0
    torch.testing.assert_close(probs.sum(2), torch.ones_like(probs.sum(2)))


@every_model
def test_same_image_and_noise_give_the_same_samples_whatever_the_batch(name):
    model, images = build(name), torch.randn(5, 1, 8, 8)
    together = draw(model, name, images, range(5))
    torch.testing.assert_close(draw(model, name, images, range(5)), together, rtol=0, atol=0)
    for i in range(5):
        alone = draw(model, name, images[i : i + 1], [i])
        torch.testing.assert_close(alone[0], together[i], rtol=0, atol=1e-5)


@every_model
def test_samples_differ_by_noise_and_only_where_there_are_several(name):
    """Of many: where there are few readings of an image, two draws may be the same."""
    model, images = build(name), torch.randn(1, 1, 8, 8)
    a, b = draw(model, name, images, [1], n=32), draw(model, name, images, [2], n=32)
    assert torch.equal(a, b) == (a.shape[1] == 1)
    if a.shape[1] > 1:
        assert not torch.equal(a[:, :1].expand_as(a), a)


@every_model
@every_shape
def test_loss_is_a_finite_scalar_that_reaches_every_parameter(name, channels, classes):
    model = build(name, channels, classes)
    label = torch.randint(classes, (4, 8, 8))
    generator = torch.Generator().manual_seed(0)
    loss = model.loss(torch.randn(4, channels, 8, 8), label, generator, 5)
    assert loss.shape == ()
    assert loss.isfinite()
    loss.backward()
    missing = [n for n, p in model.named_parameters() if p.grad is None]
    assert missing == []


@every_model
@every_shape
def test_pixels_without_a_label_leave_loss_and_gradients_finite(name, channels, classes):
    model = build(name, channels, classes)
    label = torch.randint(classes, (4, 8, 8))
    label[0, :4], label[1] = UNLABELLED, UNLABELLED
    label[2], label[2, 3, 3] = UNLABELLED, 1
    generator = torch.Generator().manual_seed(0)
    loss = model.loss(torch.randn(4, channels, 8, 8), label, generator, 5)
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad.isfinite().all() for p in model.parameters())


class Draws(TorchDispatchMode):
    """Notes where random numbers are drawn."""

    def __init__(self):
        super().__init__()
        self.devices = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if torch.Tag.nondeterministic_seeded in func.tags:
            self.devices.append(out.device.type)
        return out


@every_model
def test_losses_and_measures_draw_on_the_device_of_the_image(name):
    """On a GPU the CPU's numbers would be waited for. No generator: that of the device itself."""
    model = build(name).to("meta")
    image, label = torch.zeros(2, 1, 8, 8), torch.zeros(2, 8, 8, dtype=torch.long)
    batch = image.to("meta"), label.to("meta")
    with Draws() as draws:
        model.loss(*batch, None, 5)
        if hasattr(model, "measures"):
            with suppress(RuntimeError):  # meta tensors have no values to return
                model.measures(*batch, None)
    assert set(draws.devices) <= {"meta"}


@every_model
@every_shape
def test_bfloat16_changes_losses_and_samples_by_little(name, channels, classes):
    """As on a GPU, where convolutions and products are in bfloat16; what is drawn stays float32."""
    model = build(name, channels, classes)
    image, label = torch.randn(4, channels, 8, 8), torch.randint(classes, (4, 8, 8))

    def outcome():
        loss = model.train().loss(image, label, torch.Generator().manual_seed(0), 5)
        loss.backward()
        gradients = torch.cat([p.grad.flatten() for p in model.parameters()])
        model.zero_grad()
        return loss.detach(), gradients, draw(model, name, image, range(4))

    loss, gradients, probs = outcome()
    with torch.autocast("cpu", torch.bfloat16):
        rounded_loss, rounded_gradients, rounded_probs = outcome()
    assert rounded_loss.dtype == rounded_probs.dtype == torch.float32
    torch.testing.assert_close(rounded_loss, loss, rtol=0.03, atol=0)
    same = torch.nn.functional.cosine_similarity(rounded_gradients, gradients, dim=0)
    assert same > 0.98
    assert (rounded_probs - probs).abs().mean() < 0.01
    total = rounded_probs.sum(2)
    torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=1e-6)


@every_model
def test_images_need_not_be_square(name):
    model, image = build(name), torch.randn(2, 1, 24, 32)
    loss = model.loss(image, torch.randint(2, (2, 24, 32)), torch.Generator().manual_seed(0), 5)
    assert loss.isfinite()
    probs = draw(model, name, image, [1, 2], n=3)
    assert probs.shape[2:] == (2, 24, 32)
    torch.testing.assert_close(probs.sum(2), torch.ones_like(probs.sum(2)))


@every_model
def test_loss_falls_when_one_mask_is_learned(name):
    model = build(name)
    image = torch.randn(4, 1, 8, 8)
    label = (image[:, 0] > 0).long()
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for step in range(60):
        loss = model.loss(image, label, torch.Generator().manual_seed(step), 5)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


@every_model
def test_options_have_no_second_home_for_their_defaults(name):
    parameters = inspect.signature(plugins.load("aleatoric", name).Model.__init__).parameters
    options = [p for p in parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert [p.name for p in options if p.default is not p.empty] == []
