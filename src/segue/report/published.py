"""How a study's ranks agree with the published ones (arXiv 2603.18792, Table 2)."""

from collections.abc import Mapping
from importlib.resources import files

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from segue import seeds
from segue.keys import METHODS
from segue.report.ranks import DIGITS

DRAWS = 10_000
LEVELS = (0.025, 0.975)
COLUMNS = ("dataset", "table", "variant", "spearman", "low", "high", "yardstick")


def published_ranks() -> pd.DataFrame:
    """Columns dataset (``lidc`` or ``chaksu``), table, epistemic, aleatoric, mean_rank, ...

    Package data, which states its source.
    """
    with (files("segue.report") / "published_ranks.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, comment="#", keep_default_na=False)


def compare(summaries: pd.DataFrame, published: Mapping[str, str], seed: int) -> pd.DataFrame:
    """Spearman's correlation of mean ranks with the published ones, over the cells in both.

    Args:
        summaries: mean ranks, columns variant, table, dataset, epistemic, aleatoric, mean_rank.
        published: published dataset to compare with, by the name of the study's; others are left
            out.
        seed: the study's. All tables of a dataset have the same draws.

    Returns:
        ``COLUMNS``: the correlation; its 95 % percentile interval over cells drawn anew; and as
        yardstick that of the published ranks of the paper's two datasets with each other, the
        agreement to be expected of two datasets.
    """
    theirs = published_ranks()
    rows = []
    for (dataset, table, variant), ours in summaries.groupby(
        ["dataset", "table", "variant"], sort=False
    ):
        if dataset not in published:
            continue
        there = theirs[theirs["table"] == table]
        random = seeds.rng(seed, "published", dataset)
        agreement = _agreement(ours, there[there["dataset"] == published[dataset]], random)
        key = {"dataset": dataset, "table": table, "variant": variant}
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
    ranks = [rankdata(np.round(values, DIGITS), axis=-1) for values in (first, second)]
    x, y = (each - each.mean(axis=-1, keepdims=True) for each in ranks)
    scale = np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    return np.divide((x * y).sum(-1), scale, out=np.full_like(scale, np.nan), where=scale > 0)


def _agreement(
    ours: pd.DataFrame, theirs: pd.DataFrame, random: np.random.Generator
) -> dict[str, float]:
    """Correlation and interval over the cells ranked in both; NaN for fewer than three."""
    ranked = ours[ours["mean_rank"].notna()]
    both = ranked.merge(theirs, on=list(METHODS), suffixes=("", "_published"))
    pairs = both[["mean_rank", "mean_rank_published"]].to_numpy().T
    cells = pairs.shape[1]
    if cells < 3 or np.isnan(value := spearman(*pairs)):
        return dict.fromkeys(("spearman", "low", "high"), np.nan)
    drawn = spearman(*pairs[:, random.integers(cells, size=(DRAWS, cells))])
    low, high = np.nanquantile(drawn, LEVELS)
    return {"spearman": float(value), "low": float(low), "high": float(high)}
