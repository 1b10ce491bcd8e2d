"""The whole study at a glance: mean ranks of all cells, aleatoric models × epistemic methods."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from segue.keys import CELL
from segue.report import panels, style
from segue.report.figure_data import TASKS, read_table, task_title
from segue.report.names import PLAIN, Labels, Names

TITLE = "Map of the cells"
CAPTION = (
    "Mean ranks of all cells, by how well the right measure does each task (above) and by Δ, by "
    "how much it wins over the wrong one (below); columns: aleatoric models, rows: epistemic "
    "methods; 1, dark, is best. Bold: the 95 % interval over other images and trainings, or the "
    "range over two replicates, does not hold the middle rank. A dash: no rank; an empty place: no "
    "such cell."
)
KIND = "tables"
TABLES = ("mean_ranks",)

_TABLES = {"performance": "performance", "entanglement": "Δ"}
_COLOURS = "viridis"
_CELL = 0.2  # height of a cell in inches
_LETTERS = 11  # of a name in a line


def draw(out: Path, *, tables: Path, names: Mapping[str, Labels] | None = None) -> None:
    """Draw the mean ranks of all cells, by performance and by Δ, for each task and for all.

    Args:
        out: path of the files, with one of their endings or without.
        tables: folder of ``mean_ranks.csv``.
        names: see ``segue.report.names.Names``.
    """
    style.save(compose(tables, Names.of(names)), out)


@style.look()
def compose(tables: Path, names: Names = PLAIN) -> Figure:
    """For each dataset a map for each table (above one another) and task (side by side).

    In a map a row is an epistemic method and a column an aleatoric model. Colour and number are the
    mean rank over replicates, all on one scale.

    Raises:
        InputError: ``mean_ranks.csv`` or one of its columns is missing.
    """
    numbers = ("mean_rank", "low", "high")
    table = read_table(tables, "mean_ranks", (*CELL, "task", "table"), numbers)
    tasks = [*style.ordered({*table["task"]} - {"overall"}, TASKS), "overall"]
    models = style.ordered(table["aleatoric"], style.MARKERS)
    methods = style.ordered(table["epistemic"], style.COLOURS)
    cells = len(table[["aleatoric", "epistemic"]].drop_duplicates())
    scale = Normalize(1, max(cells, 2))
    height = 2 * (_CELL * len(methods) + 0.25) + 0.75
    figure, parts = panels.by_dataset(style.ordered(table["dataset"], ()), height, names)
    for dataset, part in parts.items():
        axes = part.subplots(len(_TABLES), len(tasks), sharex=True, sharey=True, squeeze=False)
        for line, (kind, label) in zip(axes, _TABLES.items(), strict=True):
            for ax, task in zip(line, tasks, strict=True):
                here = (table["dataset"] == dataset) & (table["table"] == kind)
                rows = table[here & (table["task"] == task)].set_index(["epistemic", "aleatoric"])
                _map(ax, rows, models, methods, scale)
            line[0].set_ylabel(panels.better(f"{label} rank", False))
            line[0].set_yticks(
                range(len(methods)), [panels.short(names.method(m)) for m in methods]
            )
        for ax, task in zip(axes[0], tasks, strict=True):
            ax.set_title(task_title(task))
        for ax in axes[-1]:
            labels = [fill(names.model(model), _LETTERS) for model in models]
            ax.set_xticks(
                range(len(models)), labels, rotation=45, ha="right", rotation_mode="anchor"
            )
    return figure


def _map(
    ax: Axes, rows: pd.DataFrame, models: list[str], methods: list[str], scale: Normalize
) -> None:
    """One table and task.

    Args:
        rows: mean_rank, low and high by epistemic method and aleatoric model.
    """
    ranks = rows["mean_rank"].unstack().reindex(index=methods, columns=models)
    ax.imshow(ranks, cmap=_COLOURS, norm=scale, aspect="auto", interpolation="none")
    for (epistemic, aleatoric), (rank, low, high) in zip(
        rows.index, rows[["mean_rank", "low", "high"]].to_numpy(), strict=True
    ):
        middle = (scale.vmin + scale.vmax) / 2
        ax.text(
            models.index(aleatoric),
            methods.index(epistemic),
            "–" if np.isnan(rank) else f"{rank:.1f}",
            ha="center",
            va="center",
            fontsize=style.SMALL,
            fontweight="bold" if high < middle or low > middle else "normal",
            color="white" if rank < middle else "black",
        )
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
