"""Bootstrap over images: how far the scores and Δ of one cell would be with other images.

Patients are drawn anew, with all their images. All splits and all cells of a dataset share the
draws, so that a patient who is in several splits counts alike in each. What was fitted on ``val``
stays as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from segue import dims, plugins, seeds
from segue.evaluation.entanglement import Ranked, deltas
from segue.evaluation.task import Score

DRAWS = 1000
LEVELS = (0.025, 0.975)
DELTA = "delta"


def units(split: xr.Dataset, name: str) -> list[str]:
    """What is drawn of each image of a stored split: its patient; else its name; else itself.

    Raises:
        InputError: patients or names that are not along ``image``.
    """
    for array in ("patient", "name"):  # coordinates, unless another program wrote them
        if array in split:
            found = dims.check(split[array], ("image",), f"{name}/{array}")
            return [str(value) for value in found.values]
    return [f"{name} {i}" for i in range(split.sizes["image"])]


def weights(units: Mapping[str, Sequence[str]], seed: int, dataset: str) -> dict[str, np.ndarray]:
    """How often each image is drawn, (draw, image), by split.

    Names are drawn with replacement, as many as there are, among those that are in the same splits:
    so no draw leaves a split empty.

    Args:
        units: name of what is drawn, for each image, by split.
        seed: the study's; the draws depend on it, on ``dataset`` and on ``units``, nothing else.
    """
    names, index = np.unique(np.concatenate(list(units.values())), return_inverse=True)
    ends = np.cumsum([len(each) for each in units.values()])
    parts = dict(zip(units, np.split(index, ends[:-1]), strict=True))
    member = np.zeros((len(names), len(parts)), bool)
    for column, part in zip(member.T, parts.values(), strict=True):
        column[part] = True
    random = seeds.rng(seed, "bootstrap", dataset)
    drawn = np.empty((DRAWS, len(names)), np.float32)
    for pattern in np.unique(member, axis=0):
        here = (member == pattern).all(axis=1)
        count = here.sum()
        drawn[:, here] = random.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    return {split: drawn[:, part] for split, part in parts.items()}


class Draws(NamedTuple):
    """A ``segue.evaluation.task.Score`` without its images: its mean, then that in each draw."""

    variant: str
    metric: str
    split: str
    measure: str
    aggregation: str
    values: np.ndarray


def draw(score: Score, weights: Mapping[str, np.ndarray]) -> Draws:
    """The score in each draw; NaN where its split is of one patient, who says nothing of others.

    Args:
        score: of one split, all images.
        weights: of each split's images, see ``weights``.
    """
    drawn = score.weighted(weights)
    each = weights[score.split]
    if (each == each[:, :1]).all():
        drawn = drawn * np.nan
    key = [getattr(score, name) for name in Draws._fields[:-1]]
    return Draws(*key, np.append(np.mean(score.values, dtype=np.float64), drawn))


def intervals(task: str, drawn: Sequence[Draws]) -> Iterator[dict[str, Any]]:
    """95 % percentile intervals of the scores of one task, and of Δ where the task has one.

    Args:
        task: its name.
        drawn: all its scores.

    Yields:
        ``segue.keys.INTERVAL_ROW`` less ``REPLICATE``; an empty ``variant`` stands for all.
    """
    ranks = plugins.load("tasks", task).TASK
    groups: dict[tuple[str, str], list[Draws]] = {}
    for draws in drawn:
        yield _row(task, draws)
        if ranks.correct and draws.metric == ranks.metric:
            groups.setdefault((draws.variant, draws.aggregation), []).append(draws)
    for (variant, aggregation), group in groups.items():
        found = deltas(_frame(task, group), {task: Ranked(ranks, aggregation)})
        for split, rows in found.sort_values("replicate").groupby("split", sort=False):
            yield _row(task, Draws(variant, DELTA, split, "", aggregation, rows[DELTA].to_numpy()))


def _row(task: str, draws: Draws) -> dict[str, Any]:
    *key, (value, *drawn) = draws
    low, high = np.quantile(drawn, LEVELS)
    limits = {"value": float(value), "low": float(low), "high": float(high)}
    return {"task": task, **dict(zip(Draws._fields, key, strict=False)), **limits}


def _frame(task: str, group: Sequence[Draws]) -> pd.DataFrame:
    """Mean scores as ``deltas`` takes them, draws in the place of replicates."""
    count = len(group[0].values)
    columns = {
        name: np.repeat([getattr(draws, name) for draws in group], count)
        for name in ("metric", "split", "measure", "aggregation")
    }
    frame = pd.DataFrame({**columns, "score": np.concatenate([draws.values for draws in group])})
    frame["replicate"] = np.tile(np.arange(count), len(group))
    return frame.assign(dataset="", aleatoric="", epistemic="", task=task)
