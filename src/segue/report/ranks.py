"""Ranks of the cells by performance and by Δ, and their means over replicates (protocol §9)."""

from collections.abc import Mapping, Sequence

import pandas as pd
from scipy.special import stdtrit

from segue.evaluation.entanglement import Ranked
from segue.keys import METHODS, REPLICATE

DIGITS = 12
"""Decimals that count when values are ranked: what differs by rounding alone is equal."""


def ranks(deltas: pd.DataFrame, tasks: Mapping[str, Ranked]) -> pd.DataFrame:
    """Rank the cells of a dataset within a replicate, ties averaged, 1 is best.

    ``performance`` ranks by the right measure's value, ``entanglement`` by Δ. The rank in a task is
    the mean of those on ``id`` and ``ood``, of as many as the task has; ``overall`` is the mean of
    all tasks. Values that are equal to ``DIGITS`` decimals are equal.

    Args:
        deltas: as ``segue.evaluation.entanglement.deltas`` returns it.
        tasks: those in it, by name.

    Returns:
        Columns of ``segue.keys.REPLICATE``, table, task (or ``overall``), rank.
    """
    sign = deltas["task"].map(lambda name: 1 if tasks[name].task.higher_is_better else -1)
    group = [deltas[column] for column in ("dataset", "replicate", "task", "split")]
    ranked = [
        deltas.assign(table=table, rank=quality.round(DIGITS).groupby(group).rank(ascending=False))
        for table, quality in (
            ("performance", sign * deltas["correct"]),
            ("entanglement", deltas["delta"]),
        )
    ]
    index = [*REPLICATE, "table"]
    by_task = pd.concat(ranked).groupby([*index, "task"], sort=False)["rank"].mean().reset_index()
    overall = by_task.groupby(index, sort=False)["rank"].mean().reset_index()
    every = pd.concat([by_task, overall.assign(task="overall")], ignore_index=True)
    return every[[*index, "task", "rank"]]


def summary(ranking: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Mean rank over replicates, and t(.975, n-1)·s/√n, the half-width of its confidence interval.

    Args:
        ranking: a ``rank`` per cell, replicate and whatever ``by`` names.
        by: columns to tell apart beside those of the cell.

    Returns:
        Columns ``by``, dataset, epistemic, aleatoric, mean_rank, ci95_halfwidth (NaN where n is 1)
        and n, the number of replicates.
    """
    groups = ranking.groupby([*by, "dataset", *METHODS], sort=False)["rank"]
    found = groups.agg(mean_rank="mean", ci95_halfwidth="std", n="count").reset_index()
    found["ci95_halfwidth"] *= stdtrit(found["n"] - 1, 0.975) / found["n"] ** 0.5
    return found
