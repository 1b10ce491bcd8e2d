"""Bootstrap over images: how far the scores and Δ of one cell would be with other images.

Patients are drawn anew, with all their images. All splits and all cells of a dataset share the
draws, so that a patient who is in several splits counts alike in each. The draws depend on the seed
and on what is drawn alone: the same data have the same intervals whatever they are called. What was
fitted on ``val`` stays as it is.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from segue import dims, plugins, seeds
from segue.evaluation.entanglement import compare, joined
from segue.evaluation.task import Score, Task

DRAWS = 1000
LEVELS = (0.025, 0.975)
DELTA = "delta"


def units(split: xr.Dataset, name: str) -> list[str]:
    """What is drawn of each image of a stored split: its patient; else its name; else itself.

    Only a patient groups images of a split. By its name an image is drawn together with those of
    the same name in other splits, such as its shifted copies; of equal names in one split, the
    first with the first there, and so on. A patient or name is missing where it is empty, NaN (what
    a CF fill value is read as) or a negative number; numbers are compared as numbers, 1 is 1.0.

    Raises:
        InputError: patients or names that are not along ``image``.
    """
    found, before = [], Counter()
    both = zip(_labels(split, "patient", name), _labels(split, "name", name), strict=True)
    for i, (patient, image) in enumerate(both):
        if patient:
            found.append(f"patient {patient}")
        elif image:
            before[image] += 1
            found.append(f"image {before[image]} {image}")
        else:
            found.append(f"split {name} {i}")
    return found


def _labels(split: xr.Dataset, array: str, name: str) -> list[str]:
    """A coordinate along ``image`` as strings, empty where it is missing."""
    if array not in split:  # a coordinate, unless another program wrote it
        return [""] * split.sizes["image"]
    values = dims.check(split[array], ("image",), f"{name}/{array}").values
    return [dims.name_of(value) for value in values.tolist()]


def weights(units: Mapping[str, Sequence[str]], seed: int) -> dict[str, np.ndarray]:
    """How often each image is drawn, (draw, image), by split.

    Names are drawn with replacement, as many as there are, among those that are in the same splits:
    so no draw leaves a split empty.

    Args:
        units: name of what is drawn, for each image, by split.
        seed: the study's; the draws depend on it and on the units of each split, nothing else.
    """
    units = {split: list(units[split]) for split in sorted(units)}
    names, index = np.unique(np.concatenate(list(units.values())), return_inverse=True)
    ends = np.cumsum([len(each) for each in units.values()])
    parts = dict(zip(units, np.split(index, ends[:-1]), strict=True))
    member = np.zeros((len(names), len(parts)), bool)
    for column, part in zip(member.T, parts.values(), strict=True):
        column[part] = True
    members = {split: sorted(set(each)) for split, each in units.items()}
    random = seeds.rng(seed, "bootstrap", json.dumps(members))
    drawn = np.empty((DRAWS, len(names)), np.float32)
    for pattern in np.unique(member, axis=0):
        here = (member == pattern).all(axis=1)
        count = here.sum()
        drawn[:, here] = random.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    return {split: drawn[:, part] for split, part in parts.items()}


class Draws(NamedTuple):
    """A ``segue.evaluation.task.Score`` without its images: its mean, then that in each draw.

    NaN where it is undefined, as it can be in single draws too; ``images`` is how many it is of.
    """

    variant: str
    metric: str
    split: str
    measure: str
    aggregation: str
    values: np.ndarray
    images: int | str = ""
    reason: str = ""


_KEY = Draws._fields[:5]


def draw(score: Score, weights: Mapping[str, np.ndarray]) -> Draws:
    """The score in each draw; NaN where it is of one patient, who says nothing of others.

    Args:
        score: of one split, all images.
        weights: of each split's images, see ``weights``.
    """
    drawn, value = score.weighted(weights), score.mean()
    each = weights[score.split]
    if score.defined is not None:
        each = each[:, score.defined]
    if (each == each[:, :1]).all():
        drawn = drawn * np.nan
    key = [getattr(score, name) for name in _KEY]
    images = 0 if np.isnan(value) else each.shape[1]
    return Draws(*key, np.append(value, drawn), images, score.reason)


class Compared(NamedTuple):
    """What a task says of one variant, aggregation and region: of all images, then in each draw.

    Attributes:
        split: ``id``, or ``ood`` for the mean of the OOD splits.
        correct, delta: U_c, the right measure's value, and Δ, (1 + draw,).
        reason: why Δ is undefined, if it is.
    """

    task: str
    variant: str
    aggregation: str
    split: str
    correct: np.ndarray
    delta: np.ndarray
    reason: str


def compared(task: str, drawn: Sequence[Draws]) -> list[Compared]:
    """Δ of a task and what it is made of; none where the task compares no measures.

    Args:
        task: its name.
        drawn: all its scores; an empty ``variant`` stands for all.
    """
    ranks = plugins.load("tasks", task).TASK
    groups: dict[tuple[str, str], list[Draws]] = {}
    for draws in drawn:
        if (
            ranks.correct
            and draws.metric == ranks.metric
            and dims.region(draws.split) in dims.REGIONS
        ):
            groups.setdefault((draws.variant, draws.aggregation), []).append(draws)
    return [
        Compared(task, *key, *found)
        for key, group in groups.items()
        for found in _compared(group, ranks)
    ]


def _compared(
    group: Sequence[Draws], task: Task
) -> Iterator[tuple[str, np.ndarray, np.ndarray, str]]:
    """The last four fields of ``Compared`` for each region that scores of a task are of."""
    columns = {
        (draws.measure, dims.region(draws.split), draws.split): draws.values for draws in group
    }
    levels = ["measure", "region", "split"]
    scores = pd.DataFrame(columns).rename_axis(index="draw", columns=levels)
    measures = {name: scores[name].unstack() for name in (task.correct, *task.wrong)}
    correct, _, delta = compare(measures, task, ["region", "draw"])
    regions = correct.index.unique("region")
    each = np.reshape([correct, delta], (2, len(regions), -1)).swapaxes(0, 1)
    for where, (right, value) in zip(regions, each, strict=True):
        of_it = (d.reason for d in group if d.measure in measures and dims.region(d.split) == where)
        yield where, right, value, joined(of_it) if np.isnan(value[0]) else ""


def intervals(
    task: str, drawn: Sequence[Draws], compared: Sequence[Compared]
) -> Iterator[dict[str, Any]]:
    """95 % percentile intervals of the scores of one task, and of Δ where the task has one.

    Args:
        task: its name.
        drawn: all its scores.
        compared: what ``compared`` says of them.

    Yields:
        ``segue.keys.INTERVAL_ROW`` less ``REPLICATE``; an empty ``variant`` stands for all.
    """
    for draws in drawn:
        yield _row(task, draws)
    for each in compared:
        key = (each.variant, DELTA, each.split, "", each.aggregation)
        yield _row(task, Draws(*key, each.delta, reason=each.reason))


def _row(task: str, draws: Draws) -> dict[str, Any]:
    value, drawn = draws.values[0], draws.values[1:]
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.quantile(drawn, LEVELS) if len(drawn) else (np.nan, np.nan)
    return {
        "task": task,
        **{name: getattr(draws, name) for name in _KEY},
        "value": float(value),
        "low": float(low),
        "high": float(high),
        "images": draws.images,
        "reason": draws.reason if np.isnan(value) else "",
    }
