"""What the ranks say: variants side by side, the paper's conclusions, its ranks, and a test."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from segue.keys import METHODS
from segue.report.conclusions import conclusions
from segue.report.friedman import friedman
from segue.report.published import compare


class Finding(NamedTuple):
    """A table, and what is to be said above it where it is shown.

    Attributes:
        name: of its file.
        table: tidy.
        title, text: for readers.
        shown: what they are shown of it.
    """

    name: str
    table: pd.DataFrame
    title: str
    text: str
    shown: pd.DataFrame


def findings(
    rankings: Mapping[str, pd.DataFrame],
    summaries: pd.DataFrame,
    published: Mapping[str, str],
    seed: int,
) -> Iterator[Finding]:
    """All that compares whole tables.

    Args:
        rankings: ``segue.report.ranks.ranks`` by variant.
        summaries: their means over replicates: columns variant, table, task, those of
            ``segue.keys.CELL`` and mean_rank.
        published: see ``segue.report.published.compare``.
        seed: the study's.
    """
    if len(rankings) > 1:
        yield _variants(summaries, list(rankings))
    table = conclusions(rankings)
    yield Finding(
        "conclusions",
        table,
        "Do the paper's conclusions hold?",
        "By variant: whether a statement holds, which is where its value, a difference of mean "
        "ranks over the replicates, is below 0; and in how many of the replicates alone it does.",
        _by_variant(table, list(rankings)),
    )
    overall = summaries[summaries["task"] == "overall"]
    table = compare(overall, published, seed)
    yield Finding(
        "published_comparison",
        table,
        "Agreement with the published ranks",
        "Spearman's correlation of mean ranks with those of arXiv 2603.18792, Table 2 ("
        + (", ".join(f"{ours}: {theirs}" for ours, theirs in published.items()) or "none")
        + "), with its 95 % bootstrap interval over cells. The yardstick is the correlation of the "
        "paper's own two datasets.",
        table,
    )
    tests = {variant: friedman(each) for variant, each in rankings.items()}
    table = pd.concat(tests, names=["variant", None]).reset_index(level="variant")
    yield Finding(
        "friedman",
        table,
        "Do the cells differ?",
        "Friedman's test over the cells. A block is a replicate of a dataset. Cells whose mean "
        "ranks over blocks differ by the critical difference or more differ at 5 % (Nemenyi).",
        table,
    )


def _variants(summaries: pd.DataFrame, variants: list[str]) -> Finding:
    """Mean ranks of each cell under each variant, and the change from the first to the others."""
    index = ["dataset", "table", "task", *METHODS]
    rows = summaries.groupby(index[:3], sort=False).ngroup().sort_values(kind="stable").index
    order = pd.MultiIndex.from_frame(summaries.loc[rows, index].drop_duplicates())
    table = summaries.pivot(index=index, columns="variant", values="mean_rank")[variants]
    table = table.reindex(order)
    for variant in variants[1:]:
        table[f"change_{variant}"] = table[variant] - table[variants[0]]
    table = table.rename_axis(columns=None).reset_index()
    return Finding(
        "variants",
        table,
        "Mean ranks under each variant",
        f"`change`: mean rank minus that under {variants[0]}; below 0, the cell gains. Over all "
        "tasks; the CSV file has each task too.",
        table[table["task"] == "overall"].drop(columns="task"),
    )


def _by_variant(conclusions: pd.DataFrame, variants: list[str]) -> pd.DataFrame:
    """A row for each dataset and conclusion, a column for each variant."""
    told = [
        f"{row.holds}, value {row.value:.2f}, {row.replicates:.0%} of replicates".replace("%", " %")
        if row.holds
        else "this study cannot tell"
        for row in conclusions.itertuples()
    ]
    index = ["dataset", "statement", "quantity"]
    table = conclusions.assign(told=told).pivot(index=index, columns="variant", values="told")
    order = pd.MultiIndex.from_frame(conclusions[index].drop_duplicates())
    return table.reindex(order)[variants].rename_axis(columns=None).reset_index()
