"""Ambiguity: does aleatoric uncertainty lie where the raters disagree?

One reading says nothing of disagreement: pixels that fewer than two raters labelled do not count,
and an image with fewer than two pixels that do has no score.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr

from segue import dims
from segue.blocks import blocks
from segue.evaluation.disagreement import at, disagreements
from segue.evaluation.metrics.ncc import ncc
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant

TASK = Task(metric="ncc", higher_is_better=True, correct="AU", wrong=("EU",))

UNREAD = "no image that two raters read"
_METRICS = ("ncc", "ncc_entropy")


def score(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    """NCC of each measure's map with the raters' disagreement, per image, of every split.

    ``ncc``: their disagreement is the variance of the class index; ``ncc_entropy``: the entropy of
    their classes, which does not depend on how the classes are numbered.

    Args:
        splits, variants: see ``segue.evaluation.task``; fault 2 takes effect here.
    """
    for name, split in splits.items():
        found: dict[tuple[str, str], list[np.ndarray]] = {}
        read: list[np.ndarray] = []
        for block in blocks(split, "labels", "uncertainty"):
            defined, scores = _score(block, split.sizes["class"], variants)
            read.append(defined)
            for key, values in scores.items():
                found.setdefault(key, []).append(values)
        defined = np.concatenate(read)
        told = {"defined": defined, "reason": "" if defined.any() else UNREAD}
        for (variant, metric), parts in found.items():
            for measure, values in zip(dims.MEASURES, np.concatenate(parts).T, strict=True):
                yield Score(metric, name, values, measure, variant=variant, **told)


def _score(
    block: xr.Dataset, classes: int, variants: Sequence[Variant]
) -> tuple[np.ndarray, dict[tuple[str, str], np.ndarray]]:
    """Which images have scores, (image,), and these (image, measure) by variant and metric."""
    labels, maps = block["labels"].values, block["uncertainty"].values
    defined = np.zeros(len(labels), bool)
    found = {(v.name, m): np.full(maps.shape[:2], np.nan) for v in variants for m in _METRICS}
    for each in disagreements(labels, classes):
        defined[each.images] = True
        for variant in variants:
            compared = maps[each.images]
            if variant.transposed_maps:
                compared = np.swapaxes(compared, -1, -2)
            compared = at(compared, each.pixels)
            references = np.stack([each.variance, each.entropy])[:, :, None]
            for metric, values in zip(_METRICS, ncc(references, compared), strict=True):
                found[variant.name, metric][each.images] = values
    return defined, found
