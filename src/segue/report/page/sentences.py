"""What a study found, in sentences with intervals: each is written from a table, none by hand."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from segue import plugins
from segue.evaluation.intervals import DELTA
from segue.report.page.grids import OVERALL, of_split, tasks, title
from segue.report.page.material import Material


class Sentence(NamedTuple):
    """A finding.

    Attributes:
        lead: what it is about.
        parts: the finding, of each dataset (empty where it is of none) a sentence; 95 % intervals
            are in brackets.
        section: id of the part of the page that shows it.
        tables: names of those that it is read from.
    """

    lead: str
    parts: list[tuple[str, str]]
    section: str
    tables: str


def sentences(material: Material) -> list[Sentence]:
    """All findings that the tables there are allow, the most general first."""
    found = [
        Sentence("Ranks over all tasks", list(_best(material)), "maps", "mean_ranks"),
        Sentence("What Δ tells where the truth is known", list(_truth(material)), *_VALIDITY),
        *_tasks(material),
        Sentence("Noise of the draws", list(_leakage(material)), "leakage", "leakage"),
        Sentence("What each measure follows", list(_axes(material)), "axes", "axes_error"),
        Sentence("The paper's conclusions", list(_conclusions(material)), *_CONCLUSIONS),
        Sentence("Agreement with the paper's ranks", list(_published(material)), *_PUBLISHED),
        Sentence("Diversity of the samples", list(_health(material)), "tables", "health"),
    ]
    return [each for each in found if each.parts]


_VALIDITY = ("validity", "validity")
_CONCLUSIONS = ("conclusions", "conclusions")
_PUBLISHED = ("tables", "published_comparison")


def _best(material: Material) -> Iterator[tuple[str, str]]:
    ranks = material.table("mean_ranks", "table", "task", "variant", "dataset")
    whole = ranks[(ranks["variant"] == material.main) & (ranks["task"] == OVERALL)]
    for dataset, rows in whole.groupby("dataset", sort=False):
        told = []
        for table, what in (("performance", "performs best"), ("entanglement", "has the best Δ")):
            here = rows[rows["table"] == table].dropna(subset="mean_rank")
            if len(here) > 1:
                best = here.loc[here["mean_rank"].idxmin()]
                value = with_limits(best, "mean_rank", 1, best["n"] >= 3)
                told.append(f"{best['cell']} {what}: mean rank {value}{_apart(here, best)}")
        if told:
            yield dataset, f"Of {len(here)} cells, {'; '.join(told)}."


def _apart(rows: pd.DataFrame, best: pd.Series) -> str:
    """How many other cells have an interval of the mean rank that reaches into the best one's."""
    if pd.isna(best["high"]):
        return ""
    overlap = int((rows.loc[rows["cell"] != best["cell"], "low"] <= best["high"]).sum())
    return f", which {overlap} others' intervals overlap"


def _tasks(material: Material) -> Iterator[Sentence]:
    """In how many cells the right measure wins, by the intervals of Δ over images."""
    deltas = material.table("deltas", "variant", "task", "split", "delta", "dataset")
    deltas = deltas[deltas["variant"] == material.main].dropna(subset="delta")
    ranking = [name for name in tasks(material) if name != OVERALL]
    for task in ranking or dict.fromkeys(deltas["task"]):
        contract = plugins.load("tasks", task).TASK
        lead = f"{title(task)}: does {contract.correct} beat {' and '.join(contract.wrong)}?"
        rows = deltas[deltas["task"] == task].groupby("dataset", sort=False)
        told = [(name, _wins(material, task, each)) for name, each in rows]
        if told:
            yield Sentence(lead, told, "scatter", "deltas, intervals")


def _wins(material: Material, task: str, rows: pd.DataFrame) -> str:
    columns = ("metric", "aggregation", "task", "dataset", "split", "low", "high", "cell")
    limits = material.table("intervals", *columns)
    ranked = material.record.get("settings", {}).get("options", {}).get("tasks", {})
    mine = limits["metric"].eq(DELTA) & limits["aggregation"].eq(ranked.get(task, ""))
    mine &= limits["task"].eq(task) & limits["dataset"].eq(rows["dataset"].iloc[0])
    told = []
    for split, here in rows.groupby("split", sort=False):
        where = "" if split == task else f"{split}: "
        means = here.groupby("cell")["delta"].mean()
        if len(here) == 1 and "low" in here:  # of `segue score`
            told.append(f"{where}Δ {with_limits(here.iloc[0], 'delta', 2)}")
            continue
        ends = limits[mine & limits["split"].eq(split)].groupby("cell")
        above, below = int((ends["low"].min() > 0).sum()), int((ends["high"].max() < 0).sum())
        told.append(
            f"{where}in {int((means > 0).sum())} of {len(means)} cells (surely in {above}, surely "
            f"not in {below})"
        )
    return f"{'; '.join(told)}."


def _truth(material: Material) -> Iterator[tuple[str, str]]:
    table = material.table("validity", "variant", "task", "split", "truth", "spearman", "dataset")
    rows = table[table["variant"] == material.main].dropna(subset="spearman")
    for (dataset, truth), here in rows.groupby(["dataset", "truth"], sort=False):
        measure = plugins.load("tasks", truth).TASK.correct
        ranked = here.sort_values("spearman", ascending=False, kind="stable")
        agreeing, opposed = ranked["low"] > 0, ranked["high"] < 0
        told = {
            "Agreeing": ranked[agreeing],
            "Opposed": ranked[opposed],
            "Undecided": ranked[~agreeing & ~opposed],
        }
        yield (
            dataset,
            f"Which tasks' Δ ranks the {here['cells'].max():.0f} cells as Δ of the true {measure} "
            "does (Spearman's ρ)? "
            + " ".join(f"{how}: {_each_task(rows)}." for how, rows in told.items()),
        )


def _each_task(rows: pd.DataFrame) -> str:
    told = (
        f"{of_split(row['task'], row['split'])} {with_limits(row, 'spearman', 2)}"
        for _, row in rows.iterrows()
    )
    return "; ".join(told) or "none"


def _leakage(material: Material) -> Iterator[tuple[str, str]]:
    table = material.table("leakage", "dataset", "cell", "leaked")
    for dataset, rows in table.dropna(subset="leaked").groupby("dataset", sort=False):
        most = rows.nlargest(2, "leaked")
        which = ", ".join(f"{100 * r.leaked:.0f} % in {r.cell}" for r in most.itertuples())
        yield (
            dataset,
            f"Of EU as published, the jackknife takes off at most {which}, and less than "
            f"{100 * rows['leaked'].median():.1f} % in half of the {len(rows)} cells (means over "
            "replicates; the table has no interval).",
        )


def _axes(material: Material) -> Iterator[tuple[str, str]]:
    table = material.table("axes_error", "axis", "moves", "estimator", "error")
    by = table[table["estimator"] == "plugin"].groupby(["axis", "moves"], sort=False)
    for (axis, moves), rows in by:
        r = rows[f"r_{moves}"].dropna()
        if len(r):
            yield (
                "",
                f"{moves} ought to follow the axis {axis}, and its correlation with the order of "
                f"the points is above .9 in {int((r > 0.9).sum())} of {len(r)} cells (from "
                f"{_number(r.min(), 2)} to {_number(r.max(), 2)}; the table has no interval).",
            )


def _conclusions(material: Material) -> Iterator[tuple[str, str]]:
    table = material.table("conclusions", "variant", "dataset", "holds", "statement", "chance")
    rows = table[(table["variant"] == material.main) & (table["holds"] != "")]
    for dataset, here in rows.groupby("dataset", sort=False):
        counts = here["holds"].value_counts()
        parts = [
            f"{counts[word]} {one if counts[word] == 1 else many}"
            for word, one, many in _HOLDS
            if counts.get(word)
        ]
        held = "".join(
            f" “{row['statement']}” does: {with_limits(row, 'value', 2)}, below 0 in "
            f"{100 * row['chance']:.0f} % of random ranks."
            for _, row in here[here["holds"] == "yes"].iterrows()
        )
        which = ("", "Of all datasets together, of") if dataset == "all" else (dataset, "Of")
        yield which[0], f"{which[1]} {len(here)}, {', '.join(parts)}.{held}"


_HOLDS = (
    ("yes", "holds", "hold"),
    ("no", "does not hold", "do not hold"),
    ("undecided", "is undecided", "are undecided"),
)


def _published(material: Material) -> Iterator[tuple[str, str]]:
    table = material.table("published_comparison", "variant", "dataset", "table", "spearman")
    rows = table[table["variant"] == material.main].dropna(subset="spearman")
    for dataset, here in rows.groupby("dataset", sort=False):
        told = "; ".join(
            f"{row['table']} {with_limits(row, 'spearman', 2)}, by chance "
            f"{_number(row['chance_low'], 2)} to {_number(row['chance_high'], 2)}"
            for _, row in here.iterrows()
        )
        yield dataset, f"Spearman's ρ with the published mean ranks: {told}."


def _health(material: Material) -> Iterator[tuple[str, str]]:
    table = material.table("health", "ok", "cell", "dataset")
    rows = table[table["ok"] != ""]
    for dataset, here in rows.groupby("dataset", sort=False):
        bad = here.loc[here["ok"] == "no", "cell"]
        which = f": {', '.join(dict.fromkeys(bad))} (marked †)" if len(bad) else ""
        yield (
            dataset,
            f"All alike, or not as diverse as the raters, in {len(bad)} of {len(here)} cells and "
            f"replicates{which}.",
        )


def with_limits(row: pd.Series, name: str, digits: int, interval: bool = True) -> str:
    """A number with its 95 % interval in brackets; with its range, where it has no interval."""
    value = _number(row[name], digits)
    if pd.isna(row["low"]):
        return f"{value} (no interval)"
    low, high = _number(row["low"], digits), _number(row["high"], digits)
    return f"{value} [{low}, {high}]" if interval else f"{value} (range {low} to {high})"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")
