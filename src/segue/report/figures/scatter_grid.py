"""The measure that ought to win against the one that ought not to, for each task and split."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from segue import plugins
from segue.keys import REPLICATE
from segue.report import style
from segue.report.figure_data import TASKS, read_table

_SHADE = {"color": "#2e8b57", "alpha": 0.14, "linewidth": 0}
_DIAGONAL = {"color": "0.45", "linewidth": 0.8, "linestyle": (0, (4, 3))}


def draw(out: Path, *, tables: Path, captions: Mapping[str, str] | None = None) -> None:
    """Draw the right measure against the wrong one, for each task and split: SVG and PNG.

    Args:
        out: path of both files, without an ending.
        tables: folder of ``deltas.csv``.
        captions: what is printed beside a dataset's name.
    """
    style.save(compose(tables, captions), out)


@style.look()
def compose(tables: Path, captions: Mapping[str, str] | None = None) -> Figure:
    """A row for each dataset and a column for each task and split.

    Each point is a replicate, each large marker a cell's mean. On the diagonal both measures are as
    good as each other (Δ = 0); on the shaded side the right one wins (Δ > 0). What has no Δ is left
    out.

    Raises:
        InputError: ``deltas.csv`` or one of its columns is missing.
    """
    table = read_table(tables, "deltas", (*REPLICATE, "task", "split"), ("correct", "wrong"))
    table = table.dropna().reset_index(drop=True)
    if table.empty:
        return style.blank("No cell has a Δ.")
    table["panel"] = [_title(*column) for column in zip(table["task"], table["split"], strict=True)]
    order = [
        _title(task, split)
        for task in style.ordered(table["task"], TASKS)
        for split in ("id", "ood")
    ]
    titles = [title for title in order if title in set(table["panel"])]
    figure, filled = style.panels(table, titles, captions)
    for ax, rows in filled:
        _panel(ax, rows, table)
    key = {"disentangled (Δ > 0)": Patch(**_SHADE), "Δ = 0": Line2D([], [], **_DIAGONAL)}
    style.add_legend(figure, table, key=key)
    return figure


def _title(task: str, split: str) -> str:
    name = TASKS.get(task, task.capitalize())
    return name if task == split else f"{name}, {split.upper()}"


def _panel(ax: Axes, rows: pd.DataFrame, every: pd.DataFrame) -> None:
    contract = plugins.load("tasks", rows["task"].iloc[0]).TASK
    both = rows[["correct", "wrong"]].to_numpy()
    margin = 0.08 * (both.max() - both.min()) or 0.05
    low, high = both.min() - margin, both.max() + margin
    good = high if contract.higher_is_better else low
    ax.fill_between([low, high], [low, high], good, **_SHADE, zorder=0)
    ax.plot([low, high], [low, high], **_DIAGONAL, zorder=1, label="Δ = 0")
    style.draw_cells(ax, rows, "wrong", "correct", every)
    ax.set(xlim=(low, high), ylim=(low, high))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4))
    metric, best = contract.metric.upper(), "max" if contract.higher_is_better else "min"
    several = f"{best}({', '.join(contract.wrong)})"
    wrong = contract.wrong[0] if len(contract.wrong) == 1 else several
    ax.set(xlabel=f"{wrong} {metric}", ylabel=f"{contract.correct} {metric}")
