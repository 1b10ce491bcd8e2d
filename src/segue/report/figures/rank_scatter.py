"""Does a cell that performs well also disentangle well? Performance rank against Δ rank."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from segue.keys import CELL, METHODS
from segue.report import style
from segue.report.figure_data import TASKS, read_table

_TABLES = ("performance", "entanglement")


def draw(out: Path, *, tables: Path, captions: Mapping[str, str] | None = None) -> None:
    """Draw performance rank against Δ rank, for each task and for all: SVG and PNG.

    Args:
        out: path of both files, without an ending.
        tables: folder of ``mean_ranks.csv``.
        captions: what is printed beside a dataset's name.
    """
    style.save(compose(tables, captions), out)


@style.look()
def compose(tables: Path, captions: Mapping[str, str] | None = None) -> Figure:
    """A row for each dataset, a column for each task and one for all of them; rank 1 is best.

    Each marker is a cell's mean over replicates; its bars are the 95 % intervals of the mean ranks
    over other images and trainings, or the range over two replicates (see docs/tables.md). ρ is
    Spearman's correlation of the cells' mean ranks. Undefined ranks are left out.

    Raises:
        InputError: ``mean_ranks.csv`` or one of its columns is missing.
    """
    keys, numbers = (*CELL, "task", "table"), ("mean_rank", "low", "high")
    long = read_table(tables, "mean_ranks", keys, numbers)
    table = long.pivot(index=[*CELL, "task"], columns="table", values=list(numbers))
    table = table.reindex(pd.MultiIndex.from_frame(long[[*CELL, "task"]].drop_duplicates()))
    table = table[table["mean_rank"].notna().all(axis=1)].reset_index()
    if table.empty:
        return style.blank("No cell has both ranks.")
    table.columns = [
        f"{second} {first}" if first in ("low", "high") else second or first
        for first, second in table.columns
    ]
    titles = {task: TASKS.get(task, task.capitalize()) for task in table["task"]}
    table["panel"] = table["task"].map(titles)
    tasks = [*style.ordered(titles.keys() - {"overall"}, TASKS), "overall"]
    figure, filled = style.panels(table, [titles[task] for task in tasks], captions)
    for ax, rows in filled:
        _panel(ax, rows, table)
    style.add_legend(figure, table)
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, every: pd.DataFrame) -> None:
    worst = np.nanmax(rows.filter(regex="^(performance|entanglement)").to_numpy()) + 0.75
    ax.plot([0, worst], [0, worst], color="0.75", lw=0.8, ls=(0, (4, 3)), zorder=0, label="equal")
    ends = [f"{table} {end}" for table in _TABLES for end in ("low", "high")]
    bars = {row[:2]: row[2:] for row in rows[[*METHODS, *ends]].itertuples(index=False, name=None)}
    style.draw_cells(ax, rows, *_TABLES, every, bars)
    correlation = rows[list(_TABLES)].corr(method="spearman").loc[_TABLES]
    if np.isfinite(correlation):
        ax.set_title(f"{ax.get_title()}, ρ = {correlation:.2f}")
    ax.set(xlim=(0, worst), ylim=(0, worst), xlabel="performance rank (1 = best)")
    ax.set_ylabel("Δ rank (1 = best)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5, integer=True))
