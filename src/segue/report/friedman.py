"""Do the cells differ at all, and which from which? Friedman's test and Nemenyi's distance.

Both compare cells by their ranks in blocks, a block being one replicate of one dataset (Demšar
2006, "Statistical comparisons of classifiers over multiple data sets"). Friedman's χ² is turned to
Iman's and Davenport's F, which with few blocks errs at 5 % where it says so, and χ² far less often.
"""

import numpy as np
import pandas as pd

from segue.keys import METHODS
from segue.report.ranks import DIGITS

ALL = "all"
LEVEL = 0.05


def friedman(ranking: pd.DataFrame) -> pd.DataFrame:
    """Friedman's test of each table and task, on each dataset and, if there are several, on all.

    Args:
        ranking: ``segue.report.ranks.ranks`` of one variant.

    Returns:
        Columns table, task, dataset, blocks, cells, statistic (F), p_value, critical_difference (at
        5 %, see ``critical_difference``) and note, which says why there is no test, where the
        three numbers are NaN, or that no two cells can be told apart.
    """
    rows = []
    for (table, task), group in ranking.groupby(["table", "task"], sort=False):
        for dataset in datasets(group):
            ranks = block_ranks(group, dataset)
            blocks, cells = ranks.shape
            key = {"table": table, "task": task, "dataset": dataset}
            rows.append({**key, "blocks": blocks, "cells": cells, **_test(ranks)})
    return pd.DataFrame(rows)


def datasets(ranking: pd.DataFrame) -> list[str]:
    """Names of the datasets, and ``all`` where there are several."""
    names = list(ranking["dataset"].unique())
    return [*names, ALL] if len(names) > 1 else names


def block_ranks(ranking: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Ranks 1 … k of the cells (columns) in each block (rows), ties averaged.

    Mean ranks that are equal to ``DIGITS`` decimals are equal.

    Args:
        ranking: ``segue.report.ranks.ranks`` of one variant, table and task.
        dataset: whose replicates are the blocks; ``all``: those of all datasets.
    """
    return _blocks(ranking, dataset).dropna(axis=1).rank(axis=1)


def unranked(ranking: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Cells that ``block_ranks`` leaves out, for they have no rank in some blocks; as it returns.

    Their ranks, among all cells that have one in the block, are NaN in those blocks. Cells without
    any rank are not among them.
    """
    blocks = _blocks(ranking, dataset)
    return blocks.rank(axis=1).loc[:, blocks.isna().any() & blocks.notna().any()]


def _blocks(ranking: pd.DataFrame, dataset: str) -> pd.DataFrame:
    here = ranking if dataset == ALL else ranking[ranking["dataset"] == dataset]
    values = here.pivot(index=["dataset", "replicate"], columns=list(METHODS), values="rank")
    return values.round(DIGITS)


def critical_difference(cells: int, blocks: int) -> float:
    """Least difference of mean ranks that is significant at 5 %: q·√(k(k + 1)/(6N)) (Nemenyi).

    q is the quantile of the studentised range of k cells with infinite degrees of freedom over √2,
    and N the number of blocks: it holds for all pairs of cells at once.
    """
    from scipy.stats import studentized_range  # takes a second, which other tables do without

    q = studentized_range.ppf(1 - LEVEL, cells, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(cells * (cells + 1) / (6 * blocks)))


def alike(mean_ranks: np.ndarray, difference: float) -> list[tuple[int, int]]:
    """Longest runs of two or more cells that differ by less than ``difference``: (first, last).

    Args:
        mean_ranks: ascending.
    """
    last = np.searchsorted(mean_ranks, mean_ranks + difference).tolist()
    before = [0, *last]
    return [(i, end - 1) for i, end in enumerate(last) if end > max(before[i], i + 1)]


def cannot_separate(cells: int, blocks: int) -> str:
    """That no two cells can differ by the critical difference; empty where they can."""
    difference, most = critical_difference(cells, blocks), cells - 1
    if difference <= most:
        return ""
    return (
        f"cannot separate any two cells: mean ranks differ by {most} at most, and the critical "
        f"difference is {difference:.1f}"
    )


def no_test(ranks: pd.DataFrame) -> str:
    """Why ``block_ranks`` cannot be tested; empty where they can."""
    blocks, cells = ranks.shape
    if not cells:
        return "no test: no cell has a rank in every block"
    if blocks < 2:
        return "no test: only one block"
    if cells < 3:
        return "no test: fewer than three cells"
    if (ranks.nunique(axis=1) == 1).all():
        return "no test: all cells are equal"
    return ""


def _test(ranks: pd.DataFrame) -> dict[str, float | str]:
    if note := no_test(ranks):
        unknown = dict.fromkeys(("statistic", "p_value", "critical_difference"), np.nan)
        return unknown | {"note": note}
    statistic, p_value = iman_davenport(ranks.to_numpy())
    blocks, cells = ranks.shape
    return {
        "statistic": statistic,
        "p_value": p_value,
        "critical_difference": critical_difference(cells, blocks),
        "note": cannot_separate(cells, blocks),
    }


def iman_davenport(ranks: np.ndarray) -> tuple[float, float]:
    """F = (N - 1)·χ²/(N·(k - 1) - χ²) and its p-value, of k - 1 and (k - 1)·(N - 1) degrees.

    χ² is Friedman's, of N blocks and k cells; F is infinite where all blocks agree (Iman and
    Davenport 1980).

    Args:
        ranks: (block, cell).
    """
    from scipy.stats import f, friedmanchisquare  # as above

    blocks, cells = ranks.shape
    chi2 = float(friedmanchisquare(*ranks.T).statistic)
    left = blocks * (cells - 1) - chi2
    statistic = (blocks - 1) * chi2 / left if left > 1e-9 else np.inf
    return statistic, float(f.sf(statistic, cells - 1, (cells - 1) * (blocks - 1)))
