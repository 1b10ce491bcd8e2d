"""Test-time augmentation as an epistemic method (Wang et al., Neurocomputing 2019).

https://arxiv.org/abs/1807.07356. A hypothesis is the trained model asked for one view of the image,
turned or mirrored (``segue.models.views``), and its answer turned back: they differ by what the
model has not learnt of these symmetries. As draws of one hypothesis, to go with another epistemic
method, they are the aleatoric model of the same name; together with this one, each hypothesis would
have the same views for its draws.
"""

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from segue.errors import InputError
from segue.models import views
from segue.models.checkpoint import Checkpoint
from segue.models.noise import Noise
from segue.seeds import rng

NEEDS = {"most_hypotheses": 8}


def hypotheses(
    model: nn.Module, checkpoints: Sequence[Checkpoint], n: int, seed: int
) -> Iterator[nn.Module]:
    """Yield ``model`` with the first checkpoint's weights, asked for one view after another.

    The views are ``n`` of the eight, drawn from ``seed``, no two the same.

    Raises:
        InputError: there are fewer views than hypotheses asked for.
    """
    if n > views.COUNT:
        raise InputError(
            f"epistemic method tta: {n} hypotheses of {views.COUNT} views; lower `hypotheses`"
        )
    model.load_state_dict(checkpoints[0].weights)
    for view in rng(seed, "views").permutation(views.COUNT)[:n].tolist():
        yield _Viewed(model, view)


class _Viewed(nn.Module):
    """A model that sees a view of each image and answers for the image."""

    def __init__(self, model: nn.Module, view: int) -> None:
        super().__init__()
        self.model, self.view = model, view

    def sample(self, image: Tensor, n: int, noise: Noise, **options: object) -> Tensor:
        """As the model's own.

        Noise with the sides of the image is of its pixels, and seen as the image is: hypotheses
        that share it differ by the model's answers alone.
        """
        seen = views.seen(image, self.view)

        def seen_noise(shape: tuple[int, ...]) -> Tensor:
            if len(shape) < 3 or shape[-2:] != tuple(seen.shape[-2:]):
                return noise(shape)
            return views.seen(noise((*shape[:-2], *image.shape[-2:])), self.view)

        return views.undone(self.model.sample(seen, n, seen_noise, **options), self.view)
