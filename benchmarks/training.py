"""A training step against the fastest product of matrices, with one thread and 32-bit numbers.

The network is that of `workflow/studies/paper_lidc.yaml`. A step is loss, gradients, clipping and
AdamW. Its operations are those that `src/segue/study/cost.py` counts: convolutions, linear layers
and attention. The peak is that of products of square matrices, which have little else to do. CPU
time of one thread, the best of several.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from tqdm import tqdm

from benchmarks.networks import PAPER, best, model_of, stepper, study_of
from benchmarks.rows import Given, Row
from segue.models.device import use_cpu_threads
from segue.study import cost

GOAL = {("softmax", 64): "≥ 68"}


class Sizes(NamedTuple):
    """Images a step by their side, steps that count, and the side of the matrices."""

    batches: dict[int, int]
    repeats: int
    matrix: int


FULL = Sizes({64: 8, 128: 2}, repeats=3, matrix=2048)
TINY = Sizes({16: 1}, repeats=1, matrix=128)
SMALL = {"channels": [8, 16], "blocks": 1, "attention": 0, "heads": 2, "group_channels": 4}


def rows(given: Given) -> Iterator[Row]:
    """The peak; ms of a step and its share of the peak for each AU model and side."""
    sizes = TINY if given.tiny else FULL
    study = study_of(PAPER, {"network": SMALL} if given.tiny else None)
    use_cpu_threads(1)
    torch.manual_seed(0)
    peak = _peak(sizes)
    on = f"{sizes.matrix} × {sizes.matrix} matrices"
    yield Row("peak of matrix products", peak / 1e9, "GFLOP/s", on)
    asked = [(name, side) for side in sizes.batches for name in study.config.aleatoric]
    for name, side in tqdm(asked, "training", unit="model"):
        batch = sizes.batches[side]
        seconds = best(stepper(model_of(study, name), batch, side), sizes.repeats)
        entry, network = study.config.aleatoric[name].model_dump(), study.config.network
        size = cost.Size({"train": batch}, side, channels=1, classes=2)
        flops = cost.training_flops(entry, network.model_dump(), 1, size)
        on = f"{batch} images of {side} × {side}"
        yield Row(f"{name}, {side}²", 1e3 * seconds, "ms a step", on)
        goal = GOAL.get((name, side), "")
        yield Row(f"{name}, {side}²", 100 * flops / seconds / peak, "% of peak", on, goal)


def _peak(sizes: Sizes) -> float:
    """Operations a second."""
    first, second = (torch.randn(sizes.matrix, sizes.matrix) for _ in range(2))
    return 2 * sizes.matrix**3 / best(lambda: first @ second, 5 * sizes.repeats)
