"""What figures of cells have in common: panels, headings, cells as markers, intervals, legend."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from segue.keys import METHODS
from segue.report.names import Names
from segue.report.style import COLUMN, LINES, PAGE, colours, markers, ordered

_LETTERS = {COLUMN: 42, PAGE: 92}
"""How many letters of a heading fit along a figure's width."""

_NAME = 30
"""Letters of a name in a line of the legend, and in a line of its own elsewhere."""

_ENTRIES = 6  # of the legend in a line, at most


def better(label: str, higher: bool) -> str:
    """A label of an axis with the arrow that says where better is."""
    return f"{label} {'↑' if higher else '↓'}"


def panels(
    table: pd.DataFrame, titles: Sequence[str], names: Names, width: float = PAGE
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """Make a figure of square panels: a row for each dataset, a column for each title.

    Args:
        table: what is to be shown; its columns ``dataset`` and ``panel`` (a title) say where.
        titles: of the columns.
        names: what is printed for the datasets.
        width: ``COLUMN`` or ``PAGE``.

    Returns:
        The figure, and each panel's axes with its rows of the table. A panel without rows is left
        out.
    """
    datasets = ordered(table["dataset"], ())
    # Beside a panel are its axis's numbers and label; above and below these, titles and heading.
    side = min(width / len(titles) - 0.42, COLUMN - 0.6)
    figure, parts = by_dataset(datasets, side + 0.7, names, width)
    filled = []
    for dataset, part in parts.items():
        for ax, title in zip(part.subplots(1, len(titles), squeeze=False)[0], titles, strict=True):
            rows = table[(table["dataset"] == dataset) & (table["panel"] == title)]
            ax.set_title(title)
            ax.set_box_aspect(1)
            ax.set_visible(not rows.empty)
            if not rows.empty:
                filled.append((ax, rows))
    return figure, filled


def by_dataset(
    datasets: Sequence[str], height: float, names: Names, width: float = PAGE
) -> tuple[Figure, dict[str, SubFigure]]:
    """An empty figure with a part for each dataset, under its heading.

    Args:
        height: of a part, in inches.
        names: what is printed for the datasets.
        width: ``COLUMN`` or ``PAGE``.
    """
    figure = Figure(figsize=(width, height * len(datasets)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
    parts = figure.subfigures(len(datasets), 1, squeeze=False)[:, 0]
    for dataset, part in zip(datasets, parts, strict=True):
        head(part, names.dataset(dataset), width)
    return figure, dict(zip(datasets, parts, strict=True))


def head(part: SubFigure, text: str, width: float = PAGE) -> None:
    """Print a heading above a part of a figure of this width."""
    part.suptitle(fill(text, _LETTERS[width]), x=0.01, ha="left", fontsize=8, fontweight="bold")


def blank(text: str) -> Figure:
    """A figure that shows nothing but ``text``, which says why."""
    figure = Figure(figsize=(COLUMN, 1.0))
    figure.text(0.5, 0.5, fill(text, _LETTERS[COLUMN]), ha="center", va="center")
    return figure


def short(name: str) -> str:
    """A name for a place with room for one line: the middle of a long one is left out."""
    return name if len(name) <= _NAME else f"{name[: _NAME // 2 - 1]}…{name[-_NAME // 2 :]}"


def draw_cells(
    ax: Axes,
    rows: pd.DataFrame,
    x: str,
    y: str,
    every: pd.DataFrame,
    bars: Mapping[tuple[str, str], Sequence[float]] | None = None,
) -> None:
    """Plot column ``y`` against column ``x``: replicates small and faint, each cell's mean on top.

    Args:
        rows: one row a cell and replicate, with columns ``aleatoric`` and ``epistemic``.
        every: table of the whole figure, so that colours and markers are the same in all panels.
        bars: by epistemic method and aleatoric model the interval of the mean along x and y, as
            x_low, x_high, y_low, y_high (perhaps NaN), drawn as thin bars.
    """
    colour, marker = colours(every["epistemic"]), markers(every["aleatoric"])
    for (epistemic, aleatoric), cell in rows.groupby(list(METHODS), sort=False):
        look = {"marker": marker[aleatoric], "color": colour[epistemic], "markeredgewidth": 0}
        points = cell[[x, y]].to_numpy()
        mean = points.mean(axis=0)
        if len(points) > 1:
            rays = np.stack([points, np.broadcast_to(mean, points.shape), points * np.nan], axis=1)
            ax.plot(*rays.reshape(-1, 2).T, color=look["color"], lw=0.5, alpha=0.35, zorder=2)
            ax.plot(*points.T, **look, markersize=2, alpha=0.4, linestyle="none", zorder=2)
        if bars is not None:
            x_low, x_high, y_low, y_high = bars[epistemic, aleatoric]
            cross = ([x_low, x_high], [mean[1]] * 2), ([mean[0]] * 2, [y_low, y_high])
            for line in cross:
                ax.plot(*line, color=look["color"], lw=0.6, alpha=0.5, zorder=2, label="interval")
        look |= {"markeredgewidth": 0.4, "markeredgecolor": "white", "markersize": 4.5}
        ax.plot(*mean, **look, linestyle="none", label=f"{aleatoric} × {epistemic}", zorder=3)


def add_legend(
    figure: Figure, table: pd.DataFrame, names: Names, *, key: Mapping[str, Artist] | None = None
) -> None:
    """Add a legend below: a marker for each aleatoric model, a colour for each epistemic method.

    It has as many entries in a line as the figure's width takes.

    Args:
        table: its columns ``aleatoric`` and ``epistemic`` tell which.
        names: what is printed for these.
        key: what else is to be explained.
    """
    shapes = {
        names.model(name): Line2D([], [], color="0.3", marker=mark, linestyle="none", markersize=4)
        for name, mark in markers(table["aleatoric"]).items()
    }
    fills = {
        names.method(n): Patch(color=colour) for n, colour in colours(table["epistemic"]).items()
    }
    blocks = {"Aleatoric model": shapes, "Epistemic method": fills, "Key": key or {}}
    for entries in range(_ENTRIES, 0, -1):
        legend, height = _legend(figure, blocks, entries)
        if legend.get_window_extent().width <= figure.bbox.width or entries == 1:
            break
        legend.remove()
    figure.set_figheight(figure.get_figheight() + height)


def estimators() -> dict[str, Artist]:
    """What the lines of ``segue.report.style.LINES`` are, for a legend."""
    names = {"plugin": "plug-in"}
    return {
        names.get(n, n): Line2D([], [], color="0.3", linestyle=line) for n, line in LINES.items()
    }


def _legend(figure: Figure, blocks: Mapping[str, Mapping[str, Artist]], width: int):
    """A legend with so many entries in a line, and its height in inches."""
    lines = []
    for heading, entries in blocks.items():
        for start in range(0, len(entries), width):
            first = (Patch(alpha=0), "" if start else heading)
            part = list(entries)[start : start + width]
            lines.append([first, *((entries[name], fill(name, _NAME)) for name in part)])
    columns = max(map(len, lines))
    padded = [line + [(Patch(alpha=0), "")] * (columns - len(line)) for line in lines]
    filled = [line[i] for i in range(columns) for line in padded]  # a legend fills its columns
    legend = figure.legend(
        *zip(*filled, strict=True),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        borderpad=0.1,
        borderaxespad=0.1,
        handlelength=1.2,
        handletextpad=0.5,
        columnspacing=1.0,
    )
    for text in legend.get_texts()[: len(lines)]:
        text.set_fontweight("bold")
    return legend, legend.get_window_extent().height / figure.dpi + 0.08
