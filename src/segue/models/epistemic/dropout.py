"""Monte-Carlo dropout (Gal & Ghahramani, ICML 2016): a mask set is a weight hypothesis."""

from collections.abc import Iterator, Sequence

from torch import nn

from segue.errors import InputError
from segue.models.checkpoint import Checkpoint
from segue.models.networks import dropout
from segue.seeds import derive

NEEDS = {"dropout": True}


def hypotheses(
    model: nn.Module, checkpoints: Sequence[Checkpoint], n: int, seed: int
) -> Iterator[nn.Module]:
    """Yield ``model`` with one frozen mask set after another (``model`` is changed).

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
        dropout.freeze(model, derive(seed, "mask set", index))
        yield model
