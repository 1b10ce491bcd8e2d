"""What every EU method on disk must hold."""

import pytest
import torch
from plugged import hypotheses, options

from segue import plugins
from segue.errors import InputError
from segue.models.checkpoint import Checkpoint, build, flatten
from segue.models.epistemic import dropout, ensemble
from segue.models.noise import image_noise
from segue.study import needs

NETWORK = {"channels": [8, 8], "blocks": 1, "attention": 1, "heads": 1, "group_channels": 4}
SSN = {"method": "ssn", "options": {"rank": 2, "loss_samples": 2, "diagonal_epochs": 0}}
SOFTMAX = {"method": "softmax"}

every_method = pytest.mark.parametrize("name", plugins.available("epistemic"))


def trained(seed: int, p: float = 0.3, aleatoric: dict = SSN):
    """A model whose weights are all random, and its checkpoint with three snapshots."""
    model = build(aleatoric=aleatoric, network=NETWORK, dropout=p, channels=1, classes=2, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2, generator=generator)
    weights = {k: v.clone() for k, v in model.state_dict().items()}
    flat = flatten(model)
    return model, Checkpoint(weights, torch.stack([flat, 1.1 * flat, 0.8 * flat]), {})


def training_data():
    """Two batches of images and labels."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(2):
        image = torch.randn(2, 1, 8, 8, generator=generator)
        yield image, (image[:, 0] > 0).long()


def predictions(name: str, seed: int, images: torch.Tensor, seeds, times: int = 1):
    """Samples of each hypothesis, each asked ``times`` times."""
    needed, n = needs.of(name), hypotheses(name)
    aleatoric = SOFTMAX if needed.get("deterministic") else SSN
    model = trained(0, aleatoric=aleatoric)[0]
    members = [trained(i, aleatoric=aleatoric)[1] for i in range(3)]
    data = [training_data] if needed.get("data") else []
    given = options("epistemic", name, "hypotheses")
    out = []
    for m in plugins.load("epistemic", name).hypotheses(model, members, n, seed, *data, **given):
        with torch.inference_mode():
            out.append(
                [m.eval().sample(images, 4, image_noise(seeds, "cpu")) for _ in range(times)]
            )
    assert len(out) == n
    return out


@every_method
def test_a_hypothesis_answers_the_same_however_often_it_is_asked(name):
    for first, second in predictions(name, 0, torch.randn(2, 1, 8, 8), [1, 2], times=2):
        assert torch.equal(first, second)


@every_method
def test_a_hypothesis_does_not_depend_on_the_batch(name):
    images = torch.randn(3, 1, 8, 8)
    together = predictions(name, 0, images, [1, 2, 3])
    alone = predictions(name, 0, images[2:], [3])
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a[0][2:], b[0], rtol=0, atol=1e-5)


@every_method
def test_hypotheses_differ_from_one_another(name):
    drawn = [h[0] for h in predictions(name, 0, torch.randn(1, 1, 8, 8), [1])]
    for i in range(len(drawn)):
        for j in range(i):
            assert not torch.allclose(drawn[i], drawn[j], atol=1e-4)


@every_method
def test_hypotheses_depend_on_the_seed_alone(name):
    image = torch.randn(1, 1, 8, 8)
    first, again = predictions(name, 7, image, [1]), predictions(name, 7, image, [1])
    assert all(torch.equal(a[0], b[0]) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("name", ["dropout", "swag", "laplace"])
def test_another_seed_gives_other_hypotheses(name):
    image = torch.randn(1, 1, 8, 8)
    a, b = predictions(name, 7, image, [1]), predictions(name, 8, image, [1])
    assert not torch.allclose(a[0][0], b[0][0], atol=1e-4)


def test_an_ensemble_refuses_more_hypotheses_than_members():
    model, member = trained(0)
    with pytest.raises(InputError, match="2 hypotheses of 1 members"):
        next(ensemble.hypotheses(model, [member], 2, 0))


def test_dropout_refuses_a_checkpoint_trained_without():
    model, checkpoint = trained(0, p=0.0)
    with pytest.raises(InputError, match="recipe with dropout"):
        next(dropout.hypotheses(model, [checkpoint], 1, 0, redraw=False))
