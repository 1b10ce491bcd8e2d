"""A network of somebody else in the place of the U-Net."""

import sys

import pytest
import torch
from torch import nn

from segue.errors import InputError
from segue.models.checkpoint import build, check_own
from segue.models.networks import dropout
from segue.models.networks.unet import Backbone
from segue.models.noise import image_noise

NETS = '''
import torch
from torch import nn


class Wide(nn.Module):
    """One layer that sees as far as it is told."""

    def __init__(self, in_channels: int, features: int, *, reach: int) -> None:
        super().__init__()
        side = 2 * reach + 1
        self.layer = nn.Conv2d(in_channels, features, side, padding=reach)

    def forward(self, x):
        return self.layer(x)


class Flat(Wide):
    def forward(self, x):
        return self.layer(x).mean((2, 3))


class Fixed(Wide):
    def forward(self, x):
        return self.layer(x[:, :5])


class Normed(Wide):
    def __init__(self, in_channels: int, features: int) -> None:
        super().__init__(in_channels, features, reach=1)
        self.norm = nn.BatchNorm2d(features)


class Dropped(Wide):
    def __init__(self, in_channels: int, features: int) -> None:
        super().__init__(in_channels, features, reach=1)
        self.drop = nn.Dropout2d(0.5)


class Alone(nn.Module):
    def __init__(self) -> None:
        super().__init__()


class NoModule:
    def __init__(self, in_channels: int, features: int) -> None:
        pass
'''
SIZE = {"channels": [8], "blocks": 1, "attention": 0, "heads": 1, "group_channels": 4, "patch": 2}
MODELS = {
    "softmax": {},
    "ssn": {"rank": 2, "loss_samples": 2, "diagonal_epochs": 0},
    "prob_unet": {"latent": 2, "beta": 0.1, "warmup_epochs": 0, "width": 0.5},
    "diffusion": {"input_scale": 0.1},
}


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A module ``my_nets`` of somebody else; returns its file."""
    file = tmp_path / "my_nets.py"
    file.write_text(NETS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_nets", raising=False)
    yield file
    sys.modules.pop("my_nets", None)


def network(name, **options):
    return {**SIZE, "own": {"name": f"my_nets:{name}", "options": options}}


@pytest.mark.parametrize("method", MODELS)
def test_every_model_learns_and_samples_on_it(nets, method):
    aleatoric = {"method": method, "options": MODELS[method]}
    settings = {"network": network("Wide", reach=2), "dropout": 0.2, "channels": 3, "classes": 2}
    model = build(aleatoric=aleatoric, **settings, seed=0)
    generator = torch.Generator().manual_seed(0)
    dropout.draw_from(model, generator)
    image, label = torch.randn(2, 3, 8, 12), torch.randint(2, (2, 8, 12))
    model.loss(image, label, generator, 1).backward()
    own = [m for m in model.modules() if type(m).__name__ == "Wide"]
    assert own
    # Of the U-Net's own layers there are none.
    assert not any(type(m).__name__ == "ResBlock" for m in model.modules())
    assert all(p.grad is not None for each in own for p in each.parameters())
    sampler = {"steps": 2} if method == "diffusion" else {}
    with torch.no_grad():
        probs = model.eval().sample(image, 3, image_noise([1, 2], "cpu"), **sampler)
    assert probs.shape[2:] == (2, 8, 12)
    assert dropout.count(model) == len(own)


def test_a_frozen_mask_drops_channels_of_the_features(nets):
    built = Backbone(**network("Wide", reach=1), dropout=0.5)(1, None).eval()
    image = torch.randn(2, 1, 8, 8)
    whole = built(image)
    dropout.freeze(built, 0)
    mask = built.dropout.mask
    assert 0 < (mask == 0).sum() < len(mask)
    torch.testing.assert_close(built(image), whole * mask[:, None, None])


def test_the_diffusion_is_told_the_time(nets):
    """By one channel more, beside image and noisy mask."""
    settings = {"network": network("Wide", reach=0), "dropout": 0.0, "channels": 1, "classes": 2}
    model = build(
        aleatoric={"method": "diffusion", "options": MODELS["diffusion"]}, **settings, seed=0
    )
    for p in model.parameters():
        nn.init.normal_(p)
    image, noisy = torch.randn(1, 1, 4, 4), torch.randn(1, 2, 4, 4)
    early, late = (model.denoise(image, noisy, torch.tensor([t])) for t in (0.1, 0.9))
    assert not torch.allclose(early, late, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Flat", r"Flat has to map \(2, 12, 4, 6\) to \(2, 8, 4, 6\) .*, found \(2, 8\)"),
        ("Fixed", "Fixed cannot take images of 3 channels and 8 × 12 pixels"),
        ("Normed", "Normed has BatchNorm2d with running statistics"),
        ("Dropped", "Dropped has Dropout2d, whose draws no training could repeat"),
        ("Alone", r"Alone cannot be built as Alone\(in_channels, features"),
        ("NoModule", r"expected a subclass of torch.nn.Module, found 'my_nets:NoModule'"),
        ("Missing", "cannot import 'my_nets:Missing'"),
    ],
)
def test_what_cannot_take_its_place_is_refused(nets, name, message):
    options = {"reach": 1} if name in ("Flat", "Fixed") else {}
    with pytest.raises(InputError, match=f"network.own.name: .*{message}"):
        check_own(network(name, **options), 3, (8, 12))


def test_what_can_is_not(nets):
    check_own(network("Wide", reach=1), 3, (8, 12))
