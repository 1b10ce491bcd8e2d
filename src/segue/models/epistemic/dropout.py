"""Monte-Carlo dropout (Gal & Ghahramani, ICML 2016): a mask set is a weight hypothesis."""

from collections.abc import Iterator, Sequence

from torch import nn

from segue.errors import InputError
from segue.models.checkpoint import Checkpoint
from segue.models.networks import dropout
from segue.seeds import derive

NEEDS = {"dropout": True}
TEST_OPTIONS = {"redraw": False}


def hypotheses(
    model: nn.Module, checkpoints: Sequence[Checkpoint], n: int, seed: int, *, redraw: bool
) -> Iterator[nn.Module]:
    """Yield ``model`` with one frozen mask set after another (``model`` is changed).

    Args:
        redraw: whether masks are not frozen but drawn anew at every call of the network, as the
            code of arXiv 2603.18792 does: a hypothesis is then no function of the image, and where
            an AU sample takes several calls or each has its own, a part of the epistemic
            uncertainty counts as aleatoric.

    Raises:
        InputError: the model was trained without dropout.
    """
    if not dropout.count(model):
        raise InputError(
            "epistemic method dropout: the checkpoint was trained without dropout; "
            "name a recipe with dropout > 0"
        )
    model.load_state_dict(checkpoints[0].weights)
    for index in range(n):
        if redraw:
            dropout.thaw(model)
        else:
            dropout.freeze(model, derive(seed, "mask set", index))
        yield model
