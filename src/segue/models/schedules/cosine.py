"""Cyclic cosine learning rate with warm restarts (Huang et al., Snapshot Ensembles, ICLR 2017).

https://arxiv.org/abs/1704.00109. The rate falls to nearly 0 in each cycle, whose end a snapshot is
taken at, and starts again from the training's own: one training gives as many models as cycles.
"""

import math


def rate(done: float, snapshots: int) -> float:
    """Factor of the training's learning rate at a step, in (0, 1].

    ½·(1 + cos(π·t)), t from 0 in each of the cycles, which are as long as one another.

    Args:
        done: share of the training's steps before this one, in [0, 1).
        snapshots: of the recipe, evenly spread over the training: the number of cycles.
    """
    place = round(done * snapshots, 9) % 1  # 3 · 0.333... is a restart
    return 0.5 * (1 + math.cos(math.pi * place))
