"""The end of ``segue score``: Δ of each task in a small table and in a figure.

Figure: a line for each task and region, Δ with its 95 % interval; where there is no Δ, why.
"""

from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure

from segue.files import replacing
from segue.report import style
from segue.report.figure_data import TASKS
from segue.report.score_files import read_csv

_NUMBERS = ("correct", "wrong", "delta", "low", "high")
_COLOUR = "#1f57b4"
_LETTERS = 42  # along the panel
_INTRODUCTION = """\
Δ > 0: the measure that ought to win the task does (value U_c against U_w); 0: both are as good;
in brackets its 95 % interval over images. `id`: images like those trained on; `ood`: mean of the
OOD splits.
"""


def write(folder: Path) -> str:
    """Write ``summary.md``, ``.svg``, ``.png`` and ``.pdf`` from ``deltas.csv`` beside them.

    Args:
        folder: that ``segue score`` writes.

    Returns:
        The table, as Markdown.

    Raises:
        InputError: ``deltas.csv`` is missing or damaged.
    """
    types = dict.fromkeys(("dataset", "task", "split", "reason"), "str")
    types |= dict.fromkeys(_NUMBERS, "float64")
    rows = read_csv(folder / "deltas.csv", types, _NUMBERS, "score")
    table = pd.DataFrame(
        {
            "task": [TASKS.get(task, task) for task in rows["task"]],
            "split": rows["split"],
            "U_c": rows["correct"].map(_number),
            "U_w": rows["wrong"].map(_number),
            "Δ": [_delta(row) for row in rows.itertuples()],
        }
    )
    text = table.to_markdown(index=False, disable_numparse=True)
    with replacing(folder / "summary.md") as file:
        file.write(f"# {rows['dataset'].iloc[0]}\n\n{_INTRODUCTION}\n{text}\n")
    style.save(compose(rows), folder / "summary")
    return text


@style.look()
def compose(rows: pd.DataFrame) -> Figure:
    """Δ of each row of ``deltas.csv``, the first on top; 0, where both measures are equal, marked.

    Args:
        rows: with the columns task, split, delta, low, high and reason.
    """
    figure = Figure(figsize=(style.COLUMN, 0.6 + 0.22 * len(rows)), layout="constrained")
    ax = figure.subplots()
    ax.axvline(0, color="0.45", linewidth=0.8, linestyle=(0, (4, 3)))
    for y, row in enumerate(rows.itertuples()):
        if pd.isna(row.delta):
            look = {"va": "center", "color": "0.4", "fontsize": style.SMALL}
            text = fill(f"no Δ: {row.reason}", _LETTERS)
            ax.text(0.02, y, text, transform=ax.get_yaxis_transform(), **look)
            continue
        ax.plot([row.low, row.high], [y, y], color=_COLOUR, linewidth=1.2)
        ax.plot(row.delta, y, "o", color=_COLOUR, markersize=4)
    names = [f"{TASKS.get(row.task, row.task)}, {row.split}" for row in rows.itertuples()]
    ax.set_yticks(range(len(rows)), names)
    numbers = rows[["delta", "low", "high"]]
    limits = (min(-1.05, numbers.min(axis=None)), max(1.05, numbers.max(axis=None)))
    ax.set(xlim=limits, ylim=(len(rows) - 0.5, -0.5))
    ax.set_xlabel("Δ, 95 % interval (> 0: the right uncertainty wins)")
    return figure


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}"


def _delta(row) -> str:
    if pd.isna(row.delta):
        return f"– ({row.reason})"
    if pd.isna(row.low):
        return f"{row.delta:.2f} (no interval)"
    return f"{row.delta:.2f} [{row.low:.2f}, {row.high:.2f}]"
