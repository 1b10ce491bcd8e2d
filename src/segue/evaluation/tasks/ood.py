"""OOD detection: does epistemic uncertainty tell shifted images from familiar ones?"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr

from segue import dims
from segue.blocks import blocks
from segue.evaluation import aggregation
from segue.evaluation.metrics.auroc import auroc, weighted_auroc
from segue.evaluation.metrics.masks import argmax
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant

TASK = Task(
    metric="auroc",
    higher_is_better=True,
    correct="EU",
    wrong=("AU",),
    references=("id", "val"),
    aggregations=("border", "area", "patch", "mean", "threshold"),
)


def score(
    splits: Mapping[str, xr.Dataset], variants: Sequence[Variant], *, patch: int
) -> Iterator[Score]:
    """AUROC of each measure and aggregation for each OOD split (1) against ``id`` (0).

    ``threshold`` aggregates the pixels above the ``val`` quantile of their measure at the fraction
    of pixels that are predicted as background there.

    Args:
        splits: see ``segue.evaluation.task``.
        variants: none of them changes the scores.
        patch: side of the window of the aggregation ``patch``, in pixels.
    """
    least = _thresholds(splits["val"])
    inside = _image_scores(splits["id"], patch, least)
    for name, split in splits.items():
        if not dims.is_ood(name):
            continue
        outside = _image_scores(split, patch, least)
        for how, scores in inside.items():
            for i, measure in enumerate(dims.MEASURES):
                both = scores[:, i], outside[how][:, i]
                reweighted = partial(_reweighted, split=name, both=both)
                yield Score(TASK.metric, name, auroc(*both), measure, how, reweighted=reweighted)


def _reweighted(
    weights: Mapping[str, np.ndarray], split: str, both: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    return weighted_auroc(*both, weights["id"], weights[split])


def _image_scores(split: xr.Dataset, patch: int, least: np.ndarray) -> dict[str, np.ndarray]:
    """Image scores (image, measure) by aggregation."""
    found: dict[str, list[np.ndarray]] = {}
    for block in blocks(split, "uncertainty", "prediction"):
        maps, mask = block["uncertainty"].values, argmax(block["prediction"].values, axis=1)
        each = {
            "border": aggregation.border(maps, mask),
            "area": aggregation.area(maps, mask),
            "patch": aggregation.patch(maps, patch),
            "mean": aggregation.mean(maps, mask),
            "threshold": aggregation.threshold(maps, least),
        }
        for how, scores in each.items():
            found.setdefault(how, []).append(scores)
    return {how: np.concatenate(scores) for how, scores in found.items()}


def _thresholds(split: xr.Dataset) -> np.ndarray:
    """Quantile of each measure at the background fraction of the predictions, (measure,)."""
    counts, background, pixels = 0, 0, 0
    for block in blocks(split, "uncertainty", "prediction"):
        maps = np.moveaxis(block["uncertainty"].values, 1, 0)
        counts = counts + np.stack([aggregation.leading_bits(each) for each in maps])
        mask = argmax(block["prediction"].values, axis=1)
        background += (mask == 0).sum()
        pixels += mask.size
    return np.array([aggregation.quantile(each, background / pixels) for each in counts])
