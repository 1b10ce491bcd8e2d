"""Does a cell that performs well also disentangle well? Performance rank against Δ rank."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from segue.keys import CELL, METHODS
from segue.report import panels, style
from segue.report.figure_data import TASKS, read_table, task_title
from segue.report.names import PLAIN, Labels, Names

TITLE = "Performance rank against Δ rank"
CAPTION = (
    "Rank by performance against rank by entanglement (Δ), for each task and overall; 1 is best. "
    "Markers: means over replicates; bars: their 95 % intervals over other images and trainings, "
    "or the range over two replicates. ρ is Spearman's correlation over the cells."
)
KIND = "tables"
TABLES = ("mean_ranks",)

_TABLES = ("performance", "entanglement")


def draw(out: Path, *, tables: Path, names: Mapping[str, Labels] | None = None) -> None:
    """Draw performance rank against Δ rank, for each task and for all.

    Args:
        out: path of the files, with one of their endings or without.
        tables: folder of ``mean_ranks.csv``.
        names: see ``segue.report.names.Names``.
    """
    style.save(compose(tables, Names.of(names)), out)


@style.look()
def compose(tables: Path, names: Names = PLAIN) -> Figure:
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
        return panels.blank("No cell has both ranks.")
    table.columns = [
        f"{second} {first}" if first in ("low", "high") else second or first
        for first, second in table.columns
    ]
    titles = {task: task_title(task) for task in table["task"]}
    table["panel"] = table["task"].map(titles)
    tasks = [*style.ordered(titles.keys() - {"overall"}, TASKS), "overall"]
    figure, filled = panels.panels(table, [titles[task] for task in tasks], names)
    for ax, rows in filled:
        _panel(ax, rows, table)
    panels.add_legend(figure, table, names)
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, every: pd.DataFrame) -> None:
    worst = np.nanmax(rows.filter(regex="^(performance|entanglement)").to_numpy()) + 0.75
    ax.plot([0, worst], [0, worst], color="0.75", lw=0.8, ls=(0, (4, 3)), zorder=0, label="equal")
    ends = [f"{table} {end}" for table in _TABLES for end in ("low", "high")]
    bars = {row[:2]: row[2:] for row in rows[[*METHODS, *ends]].itertuples(index=False, name=None)}
    panels.draw_cells(ax, rows, *_TABLES, every, bars)
    correlation = rows[list(_TABLES)].corr(method="spearman").loc[_TABLES]
    if np.isfinite(correlation):
        ax.set_title(f"{ax.get_title()}, ρ = {correlation:.2f}")
    ax.set(xlim=(0, worst), ylim=(0, worst), xlabel=panels.better("performance rank", False))
    ax.set_ylabel(panels.better("Δ rank", False))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5, integer=True))
