"""Entanglement: how far the measure that ought to win a task does win it (protocol §8)."""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from segue import dims
from segue.errors import InputError
from segue.evaluation.task import Task
from segue.keys import REPLICATE


class Ranked(NamedTuple):
    """A task that ranks cells, and the aggregation of its metric that does (perhaps empty)."""

    task: Task
    aggregation: str


def delta(correct: ArrayLike, wrong: ArrayLike, higher_is_better: bool) -> np.ndarray:
    """Δ = s·(atan2(U_c, U_w) - π/4)/(π/4), with s = +1 where higher is better, else -1.

    Δ > 0: the right measure wins (disentangled); 0: both are equal. It lies in [-1, 1] for metrics
    that are not negative, and leaves that range where an NCC is: such values are kept.

    Args:
        correct, wrong: U_c and U_w, values of the metric, of shapes that broadcast; NaN where one
            is undefined, and so is Δ.
    """
    correct, wrong = np.asarray(correct, float), np.asarray(wrong, float)
    sign = 1.0 if higher_is_better else -1.0
    angle = sign * (np.arctan2(correct, wrong) / (np.pi / 4) - 1)
    return np.where(correct == wrong, 0.0, angle)  # equal zeros have no angle


def compare(
    measures: Mapping[str, pd.Series], task: Task, group: Sequence[str]
) -> tuple[pd.Series, pd.Series, np.ndarray]:
    """U_c, U_w and Δ of regions, each from the scores of its splits.

    Where several measures are wrong, the best of them counts, in each split on its own; then splits
    are averaged, then Δ is taken of the means. A split whose score is undefined is left out of the
    mean.

    Args:
        measures: scores of each measure, by its name, all with the same index.
        task: says which measures are right and wrong.
        group: levels of the index; the splits of a region have the same there.
    """
    best = np.fmax if task.higher_is_better else np.fmin
    both = measures[task.correct], reduce(best, [measures[name] for name in task.wrong])
    correct, wrong = (each.groupby(level=group, sort=False).mean() for each in both)
    return correct, wrong, delta(correct, wrong, task.higher_is_better)


def deltas(means: pd.DataFrame, tasks: Mapping[str, Ranked]) -> pd.DataFrame:
    """U_c, U_w and Δ of each task on ``id`` and on ``ood``, as ``compare`` makes them.

    Args:
        means: mean scores of one variant, with the columns of ``segue.keys.REPLICATE``, task,
            metric, split, measure, aggregation, score and, where one may be NaN, reason, which says
            why it is.
        tasks: those that rank, by name.

    Returns:
        Columns of ``segue.keys.REPLICATE``, task, split (``id`` or ``ood``), correct, wrong, delta,
        reason: why Δ is NaN, empty where it is not.

    Raises:
        InputError: a task has no such scores.
    """
    return pd.concat(
        [_deltas(means, name, *each) for name, each in tasks.items()], ignore_index=True
    )


def _deltas(means: pd.DataFrame, name: str, task: Task, aggregation: str) -> pd.DataFrame:
    here = (means["task"] == name) & (means["metric"] == task.metric)
    rows = means[here & (means["aggregation"] == aggregation)]
    rows = rows.assign(region=rows["split"].map(dims.region))
    rows = rows[rows["region"].isin(dims.REGIONS)]
    if rows.empty:
        raise InputError(
            f"tables.tasks.{name}: no scores of {task.metric} with the aggregation {aggregation!r} "
            f"on id or OOD splits; there are: {sorted(set(means.loc[here, 'aggregation']))}; "
            "name one of these, or remove the task"
        )
    index = [*REPLICATE, "region"]
    measures = rows.pivot(index=[*index, "split"], columns="measure", values="score")
    in_order = rows[[*index, "split"]].drop_duplicates()
    measures = measures.reindex(pd.MultiIndex.from_frame(in_order))
    correct, wrong, value = compare(measures, task, index)
    both = pd.DataFrame({"correct": correct, "wrong": wrong}).reset_index()
    both.insert(len(REPLICATE), "task", name)
    both = both.assign(delta=value, reason="")
    if np.isnan(value).any() and "reason" in rows:
        both["reason"] = _reasons(rows, task, both, index)
    return both.rename(columns={"region": "split"})


def _reasons(rows: pd.DataFrame, task: Task, both: pd.DataFrame, index: list[str]) -> np.ndarray:
    """Why each Δ of ``both`` is NaN: the reasons of the scores in ``rows`` it would be made of."""
    compared = rows["measure"].isin([task.correct, *task.wrong])
    told = rows[compared & (rows["reason"] != "")].groupby(index)["reason"]
    reasons = {key: joined(each) for key, each in told}
    keys = both[index].itertuples(index=False, name=None)
    undefined = both["delta"].isna()
    return np.array(
        [reasons.get(k, "") if u else "" for k, u in zip(keys, undefined, strict=True)], object
    )


def joined(reasons: Iterable[str]) -> str:
    """Reasons in one line, each once."""
    return "; ".join(dict.fromkeys(part for each in reasons if each for part in each.split("; ")))
