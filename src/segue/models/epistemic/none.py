"""No epistemic method: the trained weights are the one hypothesis."""

from collections.abc import Iterator, Sequence

from torch import nn

from segue.errors import InputError
from segue.models.checkpoint import Checkpoint

NEEDS = {"hypotheses": 1}


def hypotheses(
    model: nn.Module, checkpoints: Sequence[Checkpoint], n: int, seed: int
) -> Iterator[nn.Module]:
    """Yield ``model`` once, carrying the weights of the first checkpoint (``model`` is changed).

    Raises:
        InputError: more than one hypothesis is asked for.
    """
    if n != 1:
        raise InputError(f"epistemic method none: has 1 hypothesis, not {n}; set `hypotheses: 1`")
    model.load_state_dict(checkpoints[0].weights)
    yield model
