"""Deep ensemble (Lakshminarayanan et al., NeurIPS 2017): members trained from their own seeds."""

from collections.abc import Iterator, Sequence

from torch import nn

from segue.errors import InputError
from segue.models.checkpoint import Checkpoint

NEEDS = {"hypotheses_from": "members"}


def hypotheses(
    model: nn.Module, checkpoints: Sequence[Checkpoint], n: int, seed: int
) -> Iterator[nn.Module]:
    """Yield ``model`` with the weights of one member after another (``model`` is changed).

    Raises:
        InputError: there are fewer members than hypotheses asked for.
    """
    if len(checkpoints) < n:
        raise InputError(
            f"epistemic method ensemble: {n} hypotheses of {len(checkpoints)} members; "
            "raise `members` or lower `hypotheses`"
        )
    for member in checkpoints[:n]:
        model.load_state_dict(member.weights)
        yield model
