"""What the tables say: variants side by side, the paper's conclusions, its ranks, and tests."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from segue.keys import METHODS
from segue.report.conclusions import conclusions
from segue.report.friedman import friedman
from segue.report.joint import Joint
from segue.report.published import compare
from segue.report.validity import validity

_FEW = "Fewer than three replicates tell little of other trainings: take no decision for one."
_NARROW = (
    "Where trainings alone make a difference, the intervals hold the truth in 74 % of studies of "
    "three replicates and 84 % of five: a decision at the edge is none."
)


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


class Study(NamedTuple):
    """All tables that are compared.

    Attributes:
        rankings: ``segue.report.ranks.ranks`` by variant.
        summaries: their means over replicates: columns variant, table, task, those of
            ``segue.keys.CELL`` and mean_rank.
        deltas: Δ of all variants, see ``segue.report.validity.validity``.
        joints: joint draws by variant and dataset.
        health: ``segue.report.health.health``.
        published: see ``segue.report.published.compare``.
        seed: the study's.
    """

    rankings: Mapping[str, pd.DataFrame]
    summaries: pd.DataFrame
    deltas: pd.DataFrame
    joints: Mapping[tuple[str, str], Joint]
    health: pd.DataFrame
    published: Mapping[str, str]
    seed: int


def caution(replicates: int) -> str:
    """How far to trust intervals over so many replicates, in a sentence."""
    return _FEW if replicates < 3 else _NARROW


def findings(study: Study) -> Iterator[Finding]:
    """All that compares whole tables."""
    variants = list(study.rankings)
    if len(variants) > 1:
        yield _variants(study.summaries, variants)
    yield _conclusions(study)
    overall = study.summaries[study.summaries["task"] == "overall"]
    table = compare(overall, study.published, study.joints, study.seed)
    yield Finding(
        "published_comparison",
        table,
        "Agreement with the published ranks",
        "Spearman's correlation of mean ranks with those of arXiv 2603.18792, Table 2 ("
        + (", ".join(f"{ours}: {theirs}" for ours, theirs in study.published.items()) or "none")
        + "), with its 95 % interval over other images and trainings (`low`, `high`). By chance, "
        "where methods have each other's names, 95 % of the correlations lie from `chance_low` to "
        "`chance_high`, and a share `p_value` of them is no smaller. The yardstick is the "
        "correlation of the paper's own two datasets.",
        table,
    )
    tests = {variant: friedman(each) for variant, each in study.rankings.items()}
    table = pd.concat(tests, names=["variant", None]).reset_index(level="variant")
    yield Finding(
        "friedman",
        table,
        "Do the cells differ?",
        "Friedman's test over the cells, in the form of Iman and Davenport (F). A block is a "
        "replicate of a dataset. Cells whose mean ranks over blocks differ by the critical "
        "difference or more differ at 5 % (Nemenyi).",
        table,
    )
    yield _validity(study)
    yield Finding(
        "health",
        study.health,
        "Are the samples alive, and as diverse as the raters?",
        _health(study.health),
        study.health,
    )


def _conclusions(study: Study) -> Finding:
    table = conclusions(study.rankings, study.joints, study.seed)
    replicates = min(each["replicate"].nunique() for each in study.rankings.values())
    return Finding(
        "conclusions",
        table,
        "Do the paper's conclusions hold?",
        "A statement holds where its value, a difference of mean ranks, is below 0. By variant: "
        "`yes` or `no` where the 95 % interval of the value over other images and trainings (in "
        "brackets) lies on one side of 0, else `undecided`; p, two-sided and adjusted for all "
        "statements on the dataset (Holm); and in how many of the replicates alone it holds. "
        "`by chance`: how often random ranks have such a value. " + caution(replicates),
        _by_variant(table, list(study.rankings)),
    )


def _validity(study: Study) -> Finding:
    table = validity(study.deltas, study.joints)
    main = next(iter(study.rankings))
    known = table[table["variant"] == main].dropna(subset=["low", "high"])
    above, below = int((known["low"] > 0).sum()), int((known["high"] < 0).sum())
    text = (
        "Spearman's correlation over the cells of Δ of a practical task with Δ where the raters' "
        "true distribution is known, with its 95 % interval over other images and trainings. Near "
        "1, the task tells which cells are disentangled; near 0, it does not. "
        f"Of {len(known)} correlations with an interval under {main}, {above} are above 0 and "
        f"{below} below; of the others this study cannot say."
    )
    if table.empty:
        text = "No dataset of this study has the raters' true distribution, so nothing is known."
    return Finding("validity", table, "Does Δ measure what it names?", text, table)


def _health(table: pd.DataFrame) -> str:
    if table.empty:
        return "The diversity of draws was not scored (task segmentation)."
    failed = int((table["ok"] == "no").sum())
    return (
        "On `id`, of each cell and replicate: the share of TU that is mutual information between "
        "the draws of a hypothesis (`draw_information`), how much two draws differ (1 - Dice) and "
        "two raters, and the ratio of the two. Cells without draws, such as softmax, are exempt. "
        f"{failed} of {int((table['ok'] != '').sum())} fail."
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
    told = [_told(row) for row in conclusions.itertuples()]
    index = ["dataset", "statement", "quantity"]
    table = conclusions.assign(told=told).pivot(index=index, columns="variant", values="told")
    order = pd.MultiIndex.from_frame(conclusions[index].drop_duplicates())
    shares = conclusions[conclusions["variant"] == variants[0]].set_index(index)["chance"]
    table.insert(0, "by chance", [_percent(share) for share in shares.reindex(table.index)])
    return table.reindex(order)[["by chance", *variants]].rename_axis(columns=None).reset_index()


def _told(row) -> str:
    if not row.holds:
        return "this study cannot tell"
    limits = "no interval" if pd.isna(row.low) else f"[{row.low:.2f}, {row.high:.2f}]"
    p_value = "" if pd.isna(row.holm) else f", p {row.holm:.2g}"
    share = _percent(row.replicates)
    return f"{row.holds}: {row.value:.2f} {limits}{p_value}, {share} of replicates"


def _percent(share: float) -> str:
    return "" if pd.isna(share) else f"{100 * share:.0f} %"
