"""The counted multiply-adds against those that torch counts while the networks run."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from segue.data.corruptions import CORRUPTIONS
from segue.models.checkpoint import build
from segue.models.noise import image_noise
from segue.study import cost

SMALL = {"channels": [8, 16], "blocks": 1, "attention": 1, "heads": 2, "group_channels": 4}
PAPER = {
    "channels": [32, 64, 128, 256],
    "blocks": 2,
    "attention": 2,
    "heads": 4,
    "group_channels": 1,
}
MODELS = {
    "softmax": {},
    "ssn": {"rank": 3, "loss_samples": 2, "diagonal_epochs": 0},
    "prob_unet": {"latent": 2, "beta": 1.0, "warmup_epochs": 1, "width": 0.75},
    "diffusion": {"input_scale": 0.1},
}


def counted(model, network, size):
    """Operations of one forward pass of the loss, as torch counts them."""
    shape = (size.side, size.side)
    built = build(
        aleatoric=model,
        network=network,
        dropout=0.0,
        channels=size.channels,
        classes=size.classes,
        seed=0,
    )
    image = torch.zeros(1, size.channels, *shape)
    # The fused attention of the CPU is none of those that torch counts.
    math = sdpa_kernel(SDPBackend.MATH)
    with FlopCounterMode(display=False) as counter, torch.no_grad(), math:
        label = torch.zeros(1, *shape, dtype=torch.long)
        built.loss(image, label, torch.Generator().manual_seed(0), 1)
    return counter.get_total_flops()


@pytest.mark.parametrize("method", MODELS)
@pytest.mark.parametrize(
    ("network", "size"),
    [
        (SMALL, cost.Size({}, 16, 3, 3)),
        ({**SMALL, "patch": 2}, cost.Size({}, 16, 3, 3)),
        (PAPER, cost.Size({}, 64, 1, 2)),
    ],
)
def test_a_forward_pass_has_the_operations_that_torch_counts(method, network, size):
    model = {"method": method, "options": MODELS[method]}
    expected = counted(model, network, size)
    assert 2 * cost.forward(model, network, size) == pytest.approx(expected, rel=0.03)


def test_a_training_passes_every_image_thrice_an_epoch():
    size = cost.Size({"train": 5}, 16, 1, 2)
    model = {"method": "softmax"}
    one = 2 * cost.forward(model, SMALL, size)
    assert cost.training_flops(model, SMALL, 4, size) == 60 * one


def test_options_change_the_nominal_size():
    options = {"images": {"train": 100, "val": None, "id": 30}, "size": 64}
    size = cost.nominal("lidc", options)
    assert (size.images["train"], size.images["val"], size.images["id"]) == (100, 3019, 30)
    assert (size.side, size.channels, size.classes) == (64, 1, 2)
    assert cost.nominal("lidc_contours", {"crop": 48}).side == 48
    assert cost.nominal("folder", {}) is None


@pytest.mark.parametrize(
    ("source", "shifts", "splits"),
    [
        ("lidc_contours", None, 4),
        ("lidc_contours", ["contrast", "kernel"], 2),
        ("phantom", None, 3),
        ("phantom", {"rim": [0.5, 1.0], "shape": [1.0]}, 3),
        ("phantom", {}, 0),
    ],
)
def test_shifts_change_the_number_of_sampled_images(source, shifts, splits):
    options = {"images": {"train": 9, "val": 2, "id": 5}}
    size = cost.nominal(source, options if shifts is None else {**options, "shifts": shifts})
    assert size.sampled == 2 + 5 + 5 * splits


def test_a_source_without_shifted_images_gets_one_corrupted_copy_a_kind():
    options = {"images": {"val": 5, "id": 30}}
    assert cost.nominal("lidc", options).sampled == 5 + 30 * (1 + len(CORRUPTIONS))
    assert cost.nominal("chaksu", {}).sampled == 162 + 264 + 271


def test_shifts_that_are_named_are_those_that_are_counted():
    options = {"images": {"val": 5, "id": 30}, "shifts": ["contrast", "kernel", "kind"]}
    assert cost.nominal("lidc_contours", options).sampled == 5 + 30 + 3 * 30
    for asked, number in ((7, 7), (None, 1601), (9999, 1601)):
        options["images"]["ood_kind"] = asked
        assert cost.nominal("lidc_contours", options).sampled == 5 + 30 + 2 * 30 + number
    whole = cost.nominal("lidc_contours", {"shifts": ["kind"]})
    assert whole.images["ood"] == 1601


@pytest.mark.parametrize("method", MODELS)
def test_draws_are_those_of_the_models(method):
    model = {"method": method, "options": MODELS[method]}
    sampler = {"steps": 1} if method == "diffusion" else {}
    built = build(aleatoric=model, network=SMALL, dropout=0.0, channels=1, classes=2, seed=0)
    with torch.no_grad():
        probs = built.sample(torch.zeros(1, 1, 16, 16), 3, image_noise([0], "cpu"), **sampler)
    assert cost.draws(model, 3) == probs.shape[1]


@pytest.mark.parametrize(("sampling", "passes"), [({}, 1), ({"steps": 7}, 7 * 10)])
def test_sampling_leaves_out_the_training_images(sampling, passes):
    size = cost.Size({"train": 99, "val": 2, "id": 3}, 16, 1, 2)
    model = {"method": "softmax", "sampling": sampling}
    one = 2 * cost.forward(model, SMALL, size)
    found = cost.sampling_flops(model, SMALL, size, hypotheses=4, au_samples=10)
    assert found == 5 * 4 * passes * one
