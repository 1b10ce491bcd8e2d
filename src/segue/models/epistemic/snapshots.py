"""Snapshot ensemble (Huang et al., ICLR 2017): weights from the course of one training.

https://arxiv.org/abs/1704.00109. Each snapshot of the recipe is a hypothesis. With the schedule
``cosine`` they are the ends of the cycles of its learning rate, as published; of other recipes they
are the weights at the ends of the last epochs, or what is collected after them, as SWAG's are.
"""

from collections.abc import Iterator, Sequence

from torch import nn

from segue.errors import InputError
from segue.models.checkpoint import Checkpoint, unflatten

NEEDS = {"hypotheses_from": "snapshots"}


def hypotheses(
    model: nn.Module, checkpoints: Sequence[Checkpoint], n: int, seed: int
) -> Iterator[nn.Module]:
    """Yield ``model`` with the last ``n`` snapshots of the first checkpoint, oldest first.

    Raises:
        InputError: the checkpoint holds fewer snapshots than hypotheses asked for.
    """
    snapshots = checkpoints[0].snapshots
    if len(snapshots) < n:
        raise InputError(
            f"epistemic method snapshots: {n} hypotheses of {len(snapshots)} snapshots; raise "
            "`snapshots` of its recipe or lower `hypotheses`"
        )
    model.load_state_dict(checkpoints[0].weights)
    for snapshot in snapshots[len(snapshots) - n :]:
        unflatten(snapshot, model)
        yield model
