"""Ambiguity: does aleatoric uncertainty lie where the raters disagree?"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr
from scipy.special import entr

from segue import dims
from segue.blocks import blocks
from segue.evaluation.metrics.masks import frequencies
from segue.evaluation.metrics.ncc import ncc
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant

TASK = Task(metric="ncc", higher_is_better=True, correct="AU", wrong=("EU",))


def score(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    """NCC of each measure's map with the raters' disagreement, per image, of every split.

    ``ncc``: their disagreement is the variance of the class index; ``ncc_entropy``: the entropy of
    their classes, which does not depend on how the classes are numbered.

    Args:
        splits, variants: see ``segue.evaluation.task``; fault 2 takes effect here.
    """
    for name, split in splits.items():
        found: dict[tuple[str, str], list[np.ndarray]] = {}
        for block in blocks(split, "labels", "uncertainty"):
            maps = block["uncertainty"].values
            disagreements = _disagreements(block["labels"].values, split.sizes["class"])
            for variant in variants:
                compared = np.swapaxes(maps, -1, -2) if variant.transposed_maps else maps
                for metric, disagreement in disagreements.items():
                    values = ncc(disagreement[:, None], compared)
                    found.setdefault((variant.name, metric), []).append(values)
        for (variant_name, metric), parts in found.items():
            for measure, values in zip(dims.MEASURES, np.concatenate(parts).T, strict=True):
                yield Score(metric, name, values, measure, variant=variant_name)


def _disagreements(labels: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    """Disagreement of the raters in each pixel, (image, y, x), by metric."""
    chosen = frequencies(labels, classes)
    return {"ncc": labels.var(axis=1), "ncc_entropy": entr(chosen).sum(axis=1)}
