"""How a study's ranks agree with the published ones (arXiv 2603.18792, Table 2)."""

from collections.abc import Mapping
from importlib.resources import files
from itertools import permutations
from math import factorial, prod

import numpy as np
import pandas as pd

from segue import seeds
from segue.keys import METHODS
from segue.report.joint import OVERALL, Joint, interval
from segue.report.ranks import DIGITS, ranked

PERMUTATIONS = 10_000
COLUMNS = (
    *("dataset", "table", "variant", "spearman", "low", "high"),
    *("chance_low", "chance_high", "p_value", "yardstick"),
)


def published_ranks() -> pd.DataFrame:
    """Columns dataset (``lidc`` or ``chaksu``), table, epistemic, aleatoric, mean_rank, ...

    Package data, which states its source.
    """
    with (files("segue.report") / "published_ranks.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, comment="#", keep_default_na=False)


def compare(
    summaries: pd.DataFrame,
    published: Mapping[str, str],
    joints: Mapping[tuple[str, str], Joint],
    seed: int,
) -> pd.DataFrame:
    """Spearman's correlation of mean ranks with the published ones, over the cells in both.

    Cells are no independent observations: they share methods. What chance would say is told by
    giving the study's epistemic methods, and its aleatoric models, each other's names: all ways, or
    ``PERMUTATIONS`` of them drawn at random where there are more.

    Args:
        summaries: mean ranks, columns variant, table, dataset, epistemic, aleatoric, mean_rank.
        published: published dataset to compare with, by the name of the study's; others are left
            out.
        joints: joint draws by variant and dataset.
        seed: the study's, for the permutations.

    Returns:
        ``COLUMNS``: the correlation; its 95 % interval over other images and trainings; the 95 % of
        correlations that are nearest to the middle under permuted names; p_value, the share of
        these that are no smaller than the correlation; and as yardstick that of the published ranks
        of the paper's two datasets with each other, the agreement to be expected of two datasets.
    """
    theirs = published_ranks()
    rows = []
    for (dataset, table, variant), ours in summaries.groupby(
        ["dataset", "table", "variant"], sort=False
    ):
        if dataset not in published:
            continue
        there = theirs[(theirs["table"] == table) & (theirs["dataset"] == published[dataset])]
        known = there.set_index(list(METHODS))["mean_rank"]
        random = seeds.rng(seed, "published", dataset)
        mean = ours.set_index(list(METHODS))["mean_rank"]
        key = {"dataset": dataset, "table": table, "variant": variant}
        drawn = _drawn(joints[variant, dataset], table, known)
        agreement = _agreement(mean, known, drawn, random)
        rows.append(key | agreement | {"yardstick": yardstick(table)})
    return pd.DataFrame(rows, columns=COLUMNS)


def yardstick(table: str) -> float:
    """Spearman's correlation of the paper's two datasets, LIDC and Chákṣu, in one of its tables."""
    ranks = published_ranks()
    ranks = ranks[ranks["table"] == table]
    pairs = ranks.pivot(index=list(METHODS), columns="dataset", values="mean_rank")
    return float(spearman(*pairs.to_numpy().T))


def spearman(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation along the last axis, ties averaged; NaN where one is constant.

    Values that are equal to ``DIGITS`` decimals are equal.
    """
    ranks = ranked(first), ranked(second)
    x, y = (each - each.mean(axis=-1, keepdims=True) for each in ranks)
    scale = np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    return np.divide((x * y).sum(-1), scale, out=np.full_like(scale, np.nan), where=scale > 0)


def _agreement(
    ours: pd.Series, theirs: pd.Series, drawn: np.ndarray, random: np.random.Generator
) -> dict[str, float]:
    """``COLUMNS`` over the cells ranked in both; NaN for fewer than three.

    Args:
        ours, theirs: mean ranks by cell.
        drawn: correlation in each joint draw.
    """
    columns = COLUMNS[3:-1]
    both = pd.concat([ours.dropna(), theirs], axis=1, join="inner")
    if len(both) < 3 or np.isnan(value := spearman(*both.to_numpy().T)):
        return dict.fromkeys(columns, np.nan)
    first, second = (both.iloc[:, i].unstack() for i in (0, 1))
    chance = _permuted(first, second, random)
    least, most = interval(chance)
    low, high = interval(drawn)
    known = chance[~np.isnan(chance)]
    p_value = (np.round(known, DIGITS) >= np.round(value, DIGITS)).mean()
    return dict(zip(columns, (float(value), low, high, least, most, float(p_value)), strict=True))


def _permuted(ours: pd.DataFrame, theirs: pd.DataFrame, random: np.random.Generator) -> np.ndarray:
    """Correlations under all (or many) ways to permute the rows and the columns of ``ours``.

    A cell that one of the two lacks is left out, so that a hole in the grid wanders.
    """
    values, reference = ours.to_numpy(), theirs.to_numpy()
    if prod(map(factorial, values.shape)) <= PERMUTATIONS:
        ways = [np.array(list(permutations(range(n)))) for n in values.shape]
        which = np.indices([len(each) for each in ways]).reshape(2, -1)
        rows, columns = (each[chosen] for each, chosen in zip(ways, which, strict=True))
    else:
        rows, columns = (
            random.permuted(np.tile(np.arange(n), (PERMUTATIONS, 1)), axis=1) for n in values.shape
        )
        rows[0], columns[0] = map(np.arange, values.shape)  # as it is counts too
    moved = values[rows[:, :, None], columns[:, None, :]]
    return _spearman_of_known(moved.reshape(len(moved), -1), reference.ravel())


def _drawn(joint: Joint, table: str, theirs: pd.Series) -> np.ndarray:
    """The correlation in each joint draw, over the cells that are ranked in it."""
    there = theirs.reindex(pd.MultiIndex.from_tuples(joint.cells)).to_numpy()
    return _spearman_of_known(joint.ranks[table, OVERALL], there)


def _spearman_of_known(many: np.ndarray, one: np.ndarray) -> np.ndarray:
    """Correlation of each row of ``many`` (row, cell) with ``one``, over the cells of both."""
    found = np.full(len(many), np.nan)
    known = ~np.isnan(many) & ~np.isnan(one)
    patterns, which = np.unique(known, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        here = which.ravel() == number
        if pattern.sum() > 2:
            found[here] = spearman(many[np.ix_(here, pattern)], one[pattern])
    return found
