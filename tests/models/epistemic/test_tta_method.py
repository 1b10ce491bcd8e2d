import pytest
import torch
from torch import nn

from segue.errors import InputError
from segue.models import views
from segue.models.checkpoint import Checkpoint
from segue.models.epistemic.tta import hypotheses
from segue.models.noise import image_noise


class Noisy(nn.Module):
    """A model of one convolution that adds noise to each pixel, or one number to an image."""

    def __init__(self, symmetric: bool) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 3, padding=1)
        if symmetric:
            weight = torch.stack([views.seen(self.layer.weight, v) for v in range(8)]).mean(0)
            self.layer.weight.data.copy_(weight)

    def sample(self, image, n, noise, *, scale: float):
        pixel, whole = noise((n, 2, *image.shape[2:])), noise((n, 2))
        logits = self.layer(image)[:, None] + scale * pixel + whole[..., None, None]
        return logits.softmax(2)


def answers(symmetric, image, n=8, seed=0):
    torch.manual_seed(0)
    model = Noisy(symmetric)
    found = []
    for each in hypotheses(model, [Checkpoint(model.state_dict(), None, {})], n, seed):
        with torch.no_grad():
            found.append(each.eval().sample(image, 3, image_noise([1, 2], "cpu"), scale=0.5))
    return torch.stack(found)


@pytest.mark.parametrize("sides", [(6, 6), (4, 7)], ids=str)
def test_of_an_equivariant_model_all_hypotheses_are_equal(sides):
    """With the same noise in the same pixels, whatever the view."""
    found = answers(True, torch.randn(2, 1, *sides))
    assert found.shape == (8, 2, 3, 2, *sides)
    torch.testing.assert_close(found, found[:1].expand_as(found), rtol=0, atol=1e-6)


def test_of_another_model_no_two_are():
    found = answers(False, torch.randn(2, 1, 6, 6)).flatten(1)
    assert torch.pdist(found).min() > 1e-3


def test_the_views_depend_on_the_seed():
    image = torch.randn(2, 1, 6, 6)
    first, again, other = (answers(False, image, n=3, seed=s) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-4)


def test_there_are_eight():
    with pytest.raises(InputError, match="9 hypotheses of 8 views"):
        answers(True, torch.randn(2, 1, 6, 6), n=9)
