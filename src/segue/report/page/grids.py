"""The maps of a page: mean rank of each cell, epistemic methods down, aleatoric models across."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from segue.report.figure_data import TASKS, task_title
from segue.report.page.material import JOIN, Material
from segue.report.style import ordered

TITLES = {"performance": "Performance", "entanglement": "Disentanglement, by Δ"}
OVERALL = "overall"


class Place(NamedTuple):
    """One place of a map.

    Attributes:
        cell: name of the cell that is there.
        rank: mean rank, as text; empty where there is none.
        limits: its interval, as text; empty where there is none.
        share: from 0, the last rank, to 1, the first.
        mark: a dagger where the samples of the cell are not as diverse as the raters.
        said: all of it in words, for who does not see the map.
    """

    cell: str
    rank: str
    limits: str
    share: float
    mark: str
    said: str


class Map(NamedTuple):
    """A map of one table and task.

    Attributes:
        table, task: names in ``mean_ranks``.
        title: for readers.
        rows: the places of each epistemic method; None where a cell is not applicable.
    """

    table: str
    task: str
    title: str
    rows: Mapping[str, list[Place | None]]


def tasks(material: Material) -> list[str]:
    """Names of the tasks that rank, ``overall`` first."""
    found = material.table("mean_ranks", "task")["task"]
    return [OVERALL, *(task for task in ordered(found, TASKS) if task != OVERALL)]


def title(task: str) -> str:
    """A task's name for readers."""
    return "All tasks" if task == OVERALL else task_title(task)


def of_split(task: str, split: str) -> str:
    """A task on a split, for readers; the split is not said where the task has but one."""
    return title(task) if task == split else f"{title(task)}, {split}"


def maps(material: Material, dataset: str, variant: str) -> Iterator[Map]:
    """The maps of one dataset under one variant, those over all tasks first."""
    ranks = material.table("mean_ranks", "table", "task", "mean_rank", "low", "high", "n")
    here = ranks[(ranks["dataset"] == dataset) & (ranks["variant"] == variant)]
    failing = _failing(material, dataset)
    for task in tasks(material):
        for table, name in TITLES.items():
            rows = here[(here["table"] == table) & (here["task"] == task)].set_index("cell")
            heading = f"{name}: {title(task)}"
            places = {
                epistemic: [
                    _place(rows, f"{aleatoric}{JOIN}{epistemic}", failing)
                    for aleatoric in material.grid.aleatoric
                ]
                for epistemic in material.grid.epistemic
            }
            yield Map(table, task, heading, places)


def _place(rows: pd.DataFrame, cell: str, failing: set[str]) -> Place | None:
    if cell not in rows.index:
        return None
    row = rows.loc[cell]
    if pd.isna(row["mean_rank"]):
        return Place(cell, "", "", 0, "", f"{cell}: no rank")
    count = rows["mean_rank"].notna().sum()
    share = 1 - (row["mean_rank"] - 1) / max(count - 1, 1)
    mark = " †" if cell in failing else ""
    said = f"{cell}: mean rank {row['mean_rank']:.1f} of {count}"
    if pd.isna(row["low"]):
        return Place(cell, f"{row['mean_rank']:.1f}", "", share, mark, said)
    kind = "95 % interval" if row["n"] >= 3 else "range over replicates"
    limits = f"{row['low']:.1f}–{row['high']:.1f}"
    said = f"{said}, {kind} {row['low']:.1f} to {row['high']:.1f}"
    return Place(cell, f"{row['mean_rank']:.1f}", limits, share, mark, said)


def _failing(material: Material, dataset: str) -> set[str]:
    """Cells of which the samples of some replicate fail in the table ``health``."""
    health = material.table("health", "dataset", "cell", "ok")
    return set(health.loc[(health["dataset"] == dataset) & (health["ok"] == "no"), "cell"])
