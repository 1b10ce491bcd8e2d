"""How every figure looks and is written: colours, markers, panels, legend, files.

Figures are built from ``matplotlib.figure.Figure`` alone: no pyplot, no global state, no display.
The bytes of a figure depend on its data only, so a figure that is made again is the same file.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.style import context
from numpy.typing import ArrayLike

from segue.files import unfinished
from segue.keys import METHODS

COLOURS = {
    "none": "#7f7f7f",
    "dropout": "#d62728",
    "swag_diag": "#17becf",
    "swag": "#1f57b4",
    "ensemble": "#ff8c1a",
}
"""Colour of each epistemic method that the study names; others get one of their own."""

MARKERS = {"softmax": "o", "ssn": "s", "prob_unet": "^", "diffusion": "D"}
"""Marker of each aleatoric model that the study names; others get one of their own."""

_SPARE_MARKERS = ("v", "P", "X", "p", "h", "*", "<", ">", "d")

STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same on every machine
    "font.size": 7.5,
    "axes.titlesize": 8.5,
    "axes.labelsize": 7.5,
    "axes.edgecolor": "0.35",
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.color": "0.25",
    "ytick.color": "0.25",
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "savefig.dpi": 200,
    "svg.hashsalt": "segue",
    "svg.fonttype": "path",
    "path.simplify_threshold": 0.4,
}
"""Settings of matplotlib that every figure is built and written under."""


def look() -> AbstractContextManager[None]:
    """Context or decorator in which ``STYLE`` holds, and else the defaults: no user's settings."""
    return context(STYLE, after_reset=True)


def ordered(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Distinct ``names``: those in ``known`` in its order, then the others, sorted."""
    distinct = set(names)
    first = [name for name in known if name in distinct]
    return first + sorted(distinct - set(first))


def colours(epistemic: Iterable[str]) -> dict[str, str | tuple[float, ...]]:
    """Colour of each epistemic method, in the order of the legend."""
    names = ordered(epistemic, COLOURS)
    spare = map(spare_colour, count())
    return {name: COLOURS.get(name) or next(spare) for name in names}


def spare_colour(index: int) -> tuple[float, ...]:
    """Colour number ``index`` of an endless row of colours that differ from the named ones."""
    # Steps of the golden ratio never come back to where they were; the hues run over the two arcs
    # that the named colours leave free, green (0.14 to 0.45) and purple (0.68 to 0.93).
    along = (0.34 + 0.618034 * index) % 1 * 0.56
    hue = 0.14 + along if along < 0.31 else 0.37 + along
    return tuple(float(c) for c in hsv_to_rgb((hue, 0.75, 0.45 if index % 2 else 0.65)))


def markers(aleatoric: Iterable[str]) -> dict[str, str | tuple[int, int, int]]:
    """Marker of each aleatoric model, in the order of the legend."""
    names = ordered(aleatoric, MARKERS)
    spare = iter([*_SPARE_MARKERS, *((points, 1, 0) for points in range(6, 6 + len(names)))])
    return {name: MARKERS.get(name) or next(spare) for name in names}


def panels(
    table: pd.DataFrame, titles: Sequence[str], captions: Mapping[str, str] | None
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """Make a figure of square panels: a row for each dataset, a column for each title.

    Args:
        table: what is to be shown; its columns ``dataset`` and ``panel`` (a title) say where.
        titles: of the columns.
        captions: what is printed beside a dataset's name, such as "real masks, simulated CT".

    Returns:
        The figure, and each panel's axes with its rows of the table. A panel without rows is left
        out.
    """
    datasets = ordered(table["dataset"], ())
    size = (2.05 * len(titles) + 0.3, 2.4 * len(datasets) + 0.1)
    figure = Figure(figsize=size, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06)
    parts = figure.subfigures(len(datasets), 1, squeeze=False)[:, 0]
    filled = []
    for dataset, part in zip(datasets, parts, strict=True):
        head(part, dataset, captions)
        for ax, title in zip(part.subplots(1, len(titles), squeeze=False)[0], titles, strict=True):
            rows = table[(table["dataset"] == dataset) & (table["panel"] == title)]
            ax.set_title(title)
            ax.set_box_aspect(1)
            ax.set_visible(not rows.empty)
            if not rows.empty:
                filled.append((ax, rows))
    return figure, filled


def blank(text: str) -> Figure:
    """A figure that shows nothing but ``text``, which says why."""
    figure = Figure(figsize=(4.0, 1.0))
    figure.text(0.5, 0.5, text, ha="center", va="center")
    return figure


def head(part: SubFigure, dataset: str, captions: Mapping[str, str] | None) -> None:
    """Print the name of a dataset and its caption above its part of a figure."""
    caption = (captions or {}).get(dataset)
    text = f"{dataset} ({caption})" if caption else dataset
    part.suptitle(text, x=0.01, ha="left", fontsize=9, fontweight="bold")


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
            x_low, x_high, y_low, y_high (perhaps NaN); thin bars, in the place of replicates.
    """
    colour, marker = colours(every["epistemic"]), markers(every["aleatoric"])
    for (epistemic, aleatoric), cell in rows.groupby(list(METHODS), sort=False):
        look = {"marker": marker[aleatoric], "color": colour[epistemic], "markeredgewidth": 0}
        points = cell[[x, y]].to_numpy()
        mean = points.mean(axis=0)
        rays = np.stack([points, np.broadcast_to(mean, points.shape), points * np.nan], axis=1)
        if bars is None:
            ax.plot(*rays.reshape(-1, 2).T, color=look["color"], lw=0.6, alpha=0.35, zorder=2)
            ax.plot(*points.T, **look, markersize=2.8, alpha=0.4, linestyle="none", zorder=2)
        else:
            x_low, x_high, y_low, y_high = bars[epistemic, aleatoric]
            cross = ([x_low, x_high], [mean[1]] * 2), ([mean[0]] * 2, [y_low, y_high])
            for line in cross:
                ax.plot(*line, color=look["color"], lw=0.6, alpha=0.5, zorder=2, label="interval")
        look |= {"markeredgewidth": 0.5, "markeredgecolor": "white", "markersize": 6}
        ax.plot(*mean, **look, linestyle="none", label=f"{aleatoric} × {epistemic}", zorder=3)


def add_legend(
    figure: Figure, table: pd.DataFrame, *, width: int = 6, key: Mapping[str, Artist] | None = None
) -> None:
    """Add a legend below: a marker for each aleatoric model, a colour for each epistemic method.

    Args:
        width: entries in a line; more go on in the next one.
        key: what else is to be explained.
    """
    shapes = {
        name: Line2D([], [], color="0.3", marker=marker, linestyle="none", markersize=5.5)
        for name, marker in markers(table["aleatoric"]).items()
    }
    fills = {name: Patch(color=colour) for name, colour in colours(table["epistemic"]).items()}
    blocks = {"Aleatoric model": shapes, "Epistemic method": fills, "Key": key or {}}
    lines = []
    for heading, entries in blocks.items():
        for start in range(0, len(entries), width):
            first = (Patch(alpha=0), "" if start else heading)
            lines.append([first, *((entries[n], n) for n in list(entries)[start : start + width])])
    columns = max(map(len, lines))
    padded = [line + [(Patch(alpha=0), "")] * (columns - len(line)) for line in lines]
    filled = [line[i] for i in range(columns) for line in padded]  # a legend fills its columns
    figure.set_figheight(figure.get_figheight() + 0.18 * len(lines))
    legend = figure.legend(
        *zip(*filled, strict=True),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        handlelength=1.2,
        columnspacing=1.4,
    )
    for text in legend.get_texts()[: len(lines)]:
        text.set_fontweight("bold")


def linear_below(values: ArrayLike, decades: int) -> float:
    """A power of ten, so many decades below the largest value: where a symlog axis turns linear."""
    largest = max(np.nanmax(np.asarray(values, float), initial=0), 1e-6)
    return 10 ** (np.floor(np.log10(largest)) - decades)


def save(figure: Figure, out: Path) -> None:
    """Write ``figure`` to ``out`` + ``.svg`` and ``out`` + ``.png``, each whole or not at all."""
    out = Path(out)
    for ending, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
        with unfinished(out.with_name(f"{out.name}.{ending}")) as part, look():
            figure.savefig(part, format=ending, metadata=metadata, bbox_inches="tight")
