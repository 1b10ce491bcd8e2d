"""Ranks of the cells by performance and by Δ, and their means over replicates (protocol §9)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from segue.evaluation.entanglement import Ranked
from segue.keys import METHODS, REPLICATE

DIGITS = 12
"""Decimals that count when values are ranked: what differs by rounding alone is equal."""


def ranks(deltas: pd.DataFrame, tasks: Mapping[str, Ranked]) -> pd.DataFrame:
    """Rank the cells of a dataset within a replicate, ties averaged, 1 is best.

    ``performance`` ranks by the right measure's value, ``entanglement`` by Δ. The rank in a task is
    the mean of those on ``id`` and ``ood``, of as many as the task has; ``overall`` is the mean of
    all tasks. A cell without a value that others have has no mean of it, lest it be compared by
    other tasks than they are. Values that are equal to ``DIGITS`` decimals are equal.

    Args:
        deltas: as ``segue.evaluation.entanglement.deltas`` returns it.
        tasks: those in it, by name.

    Returns:
        Columns of ``segue.keys.REPLICATE``, table, task (or ``overall``), rank.
    """
    sign = deltas["task"].map(lambda name: 1 if tasks[name].task.higher_is_better else -1)
    group = [deltas[column] for column in ("dataset", "replicate", "task", "split")]
    parts = [
        deltas.assign(table=table, rank=quality.round(DIGITS).groupby(group).rank(ascending=False))
        for table, quality in (
            ("performance", sign * deltas["correct"]),
            ("entanglement", deltas["delta"]),
        )
    ]
    index = [*REPLICATE, "table"]
    by_task = _mean(pd.concat(parts), [*index, "task"], "split")
    overall = _mean(by_task, index, "task")
    every = pd.concat([by_task, overall.assign(task="overall")], ignore_index=True)
    return every[[*index, "task", "rank"]]


def _mean(ranked: pd.DataFrame, index: Sequence[str], over: str) -> pd.DataFrame:
    """Mean ``rank`` over ``over``; NaN of a cell without one that others of its dataset have."""
    field = [column for column in index if column not in METHODS]
    needed = ranked.dropna(subset="rank").groupby(field)[over].nunique().rename("needed")
    found = ranked.groupby(index, sort=False)["rank"].agg(["mean", "count"]).reset_index()
    complete = found.merge(needed, on=field, how="left")["needed"] == found["count"]
    return found.assign(rank=found["mean"].where(complete)).drop(columns=["mean", "count"])


def summary(ranking: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Mean rank over replicates, and the least and the greatest of them.

    Args:
        ranking: a ``rank`` per cell, replicate and whatever ``by`` names.
        by: columns to tell apart beside those of the cell.

    Returns:
        Columns ``by``, dataset, epistemic, aleatoric, mean_rank, low and high (the range over
        replicates, NaN where n is 1) and n, the number of replicates.
    """
    groups = ranking.groupby([*by, "dataset", *METHODS], sort=False)["rank"]
    found = groups.agg(mean_rank="mean", low="min", high="max", n="count").reset_index()
    found.loc[found["n"] < 2, ["low", "high"]] = float("nan")
    return found


def ranked(values: np.ndarray) -> np.ndarray:
    """Ranks 1, 2, … along the last axis, ties averaged, 1 is least; NaN has none and stays.

    Those of ``scipy.stats.rankdata``, whose import takes longer than ranking the cells of a study.
    Values that are equal to ``DIGITS`` decimals are equal.
    """
    rows = pd.DataFrame(np.round(values, DIGITS).reshape(-1, values.shape[-1]))
    return rows.rank(axis=1).to_numpy().reshape(values.shape)
