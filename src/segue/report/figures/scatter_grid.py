"""The measure that ought to win against the one that ought not to, for each task and split."""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from segue import dims, plugins
from segue.keys import REPLICATE
from segue.report import panels, style
from segue.report.figure_data import (
    TASKS,
    bars,
    best,
    read_intervals,
    read_table,
    rivals,
    task_title,
)
from segue.report.names import PLAIN, Labels, Names

TITLE = "Right measure against wrong"
CAPTION = (
    "The measure that ought not to win each task (horizontal) against the one that ought to "
    "(vertical). On the shaded side of the diagonal the right one wins: aleatoric and epistemic "
    "uncertainty are disentangled. An arrow says where better is. Small markers: replicates; large "
    "ones: their mean, with its 95 % interval over images."
)
KIND = "tables"
TABLES = ("deltas", "intervals")

_SHADE = {"color": "#2e8b57", "alpha": 0.14, "linewidth": 0}
_DIAGONAL = {"color": "0.45", "linewidth": 0.8, "linestyle": (0, (4, 3))}


def draw(
    out: Path,
    *,
    tables: Path,
    names: Mapping[str, Labels] | None = None,
    tasks: Mapping[str, str] | None = None,
) -> None:
    """Draw the right measure against the wrong one, for each task and split.

    Args:
        out: path of the files, with one of their endings or without.
        tables: folder of ``deltas.csv`` and ``intervals.csv``.
        names: see ``segue.report.names.Names``.
        tasks: aggregation of each task that ranks; without it there are no intervals.
    """
    style.save(compose(tables, Names.of(names), tasks or {}), out)


@style.look()
def compose(tables: Path, names: Names = PLAIN, tasks: Mapping[str, str] | None = None) -> Figure:
    """A row for each dataset and a column for each task and split.

    Each point is a replicate, each large marker a cell's mean with its intervals over images. On
    the diagonal both measures are as good as each other (Δ = 0); on the shaded side the right one
    wins (Δ > 0). What has no Δ is left out.

    Raises:
        InputError: ``deltas.csv``, ``intervals.csv`` or one of their columns is missing.
    """
    table = read_table(tables, "deltas", (*REPLICATE, "task", "split"), ("correct", "wrong"))
    table = table.dropna().reset_index(drop=True)
    if table.empty:
        return panels.blank("No cell has a Δ.")
    table["panel"] = [_title(*column) for column in zip(table["task"], table["split"], strict=True)]
    order = [
        _title(task, split)
        for task in style.ordered(table["task"], TASKS)
        for split in dims.REGIONS
    ]
    titles = [title for title in order if title in set(table["panel"])]
    scores = read_intervals(tables) if tasks else None
    figure, filled = panels.panels(table, titles, names)
    for ax, rows in filled:
        task, region, dataset = rows[["task", "split", "dataset"]].iloc[0]
        limits = None
        if tasks and task in tasks:
            here = scores[(scores["dataset"] == dataset) & (scores["region"] == region)]
            here = here[(here["task"] == task) & (here["aggregation"] == tasks[task])]
            limits = _bars(here) if len(here) else None
        _panel(ax, rows, table, limits)
    key = {"disentangled (Δ > 0)": Patch(**_SHADE), "Δ = 0": Line2D([], [], **_DIAGONAL)}
    panels.add_legend(figure, table, names, key=key)
    return figure


def _bars(scores: pd.DataFrame) -> dict[tuple[str, str], tuple[float, ...]]:
    """Intervals of the wrong measure, the best of them in each split, and of the right one."""
    contract = plugins.load("tasks", scores["task"].iloc[0]).TASK
    scores = scores[scores["metric"] == contract.metric]
    wrong = scores[scores["measure"].isin(contract.wrong)]
    right = scores[scores["measure"] == contract.correct]
    return bars(best(wrong, contract.higher_is_better), right)


def _title(task: str, split: str) -> str:
    name = task_title(task)
    return name if task == split else f"{name}, {split.upper()}"


def _panel(ax: Axes, rows: pd.DataFrame, every: pd.DataFrame, limits: Mapping | None) -> None:
    contract = plugins.load("tasks", rows["task"].iloc[0]).TASK
    both = [
        *rows[["correct", "wrong"]].to_numpy().flat,
        *chain.from_iterable((limits or {}).values()),
    ]
    low, high = np.nanmin(both), np.nanmax(both)
    margin = 0.05 * (high - low) or 0.05
    low, high = low - margin, high + margin
    good = high if contract.higher_is_better else low
    ax.fill_between([low, high], [low, high], good, **_SHADE, zorder=0)
    ax.plot([low, high], [low, high], **_DIAGONAL, zorder=1, label="Δ = 0")
    panels.draw_cells(ax, rows, "wrong", "correct", every, limits)
    ax.set(xlim=(low, high), ylim=(low, high))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(3))
    metric = panels.better(contract.metric.upper(), contract.higher_is_better)
    ax.set(xlabel=f"{rivals(contract)} {metric}", ylabel=f"{contract.correct} {metric}")
