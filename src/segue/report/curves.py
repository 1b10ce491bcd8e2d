"""Curves of single cells: what they are computed from, and the panels they are drawn in."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from segue import dims, store
from segue.evaluation.stores import open_together
from segue.report import style
from segue.report.against import TITLES
from segue.report.names import Names
from segue.report.panels import short

_ACROSS = 4  # panels side by side
_SIDE, _AROUND = 1.35, 0.5  # inches of a panel, and of what is above and below it
_CORNERS = ((True, False), (False, True), (True, True), (False, False))  # right, top; best first

DIAGONAL = {"color": "0.7", "lw": 0.7, "ls": (0, (4, 3))}
"""Look of the line that a curve is compared with."""

WIDTHS = {"TU": 2.2, "AU": 1.0, "EU": 1.0}
"""Of the lines of each measure: TU and AU often coincide, and both are to be seen."""

Splits = dict[str, xr.Dataset]


def by_cell(
    dataset: Path, cells: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], list[Splits]]:
    """The splits, not loaded, of each replicate of each cell, by its two methods.

    Args:
        dataset: path of dataset.zarr.
        cells: ``aleatoric``, ``epistemic`` and ``maps``, the path of that store, of each replicate.

    Raises:
        InputError: a store is missing, or they do not fit together.
    """
    found: dict[tuple[str, str], list[Splits]] = {}
    for cell in cells:
        maps = Path(cell["maps"])
        opened = {name: _open(Path(dataset), maps, name) for name in store.splits(maps)}
        found.setdefault((cell["aleatoric"], cell["epistemic"]), []).append(opened)
    return found


def _open(dataset: Path, maps: Path, split: str) -> xr.Dataset:
    wanted = [(dataset, "labels", dims.LABELS)]
    wanted += [(maps, "uncertainty", dims.UNCERTAINTY), (maps, "prediction", dims.PREDICTION)]
    return open_together(split, wanted)


def roc(negative: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the receiver operating characteristic, from (0, 0) to (1, 1).

    Args:
        negative, positive: scores, one-dimensional and not empty.

    Returns:
        Rates of false and of true positives; values that both sides have make a slanted line.
    """
    levels = np.unique(np.concatenate([negative, positive]))[::-1, None]
    rates = ((side >= levels).mean(axis=1) for side in (negative, positive))
    false, true = (np.concatenate([[0], rate]) for rate in rates)
    return false, true


def risk_coverage(uncertainty: np.ndarray, risk: np.ndarray) -> np.ndarray:
    """Mean risk of the 1 … n most certain items; its mean is the AURC.

    Items of equal uncertainty come in no order: each counts with their mean risk.

    Args:
        uncertainty, risk: one per item, (item,).
    """
    _, group = np.unique(uncertainty, return_inverse=True)
    shared = (np.bincount(group, risk) / np.bincount(group))[np.sort(group)]
    return shared.cumsum() / np.arange(1, len(risk) + 1)


def cell_panels(
    cells: Sequence[tuple[str, str]], regions: Sequence[str], names: Names, heading: str
) -> tuple[Figure, Iterator[tuple[tuple[str, str], str, Axes]]]:
    """A figure of square panels: cells side by side, a row for each region, from 0 to 1 along both.

    Args:
        cells: aleatoric model and epistemic method of each.
        regions: of ``segue.dims.REGIONS``.
        names: what is printed for the cells.
        heading: what is printed above all.

    Returns:
        The figure; cell, region and axes of each panel.
    """
    bands, rows = ceil(len(cells) / _ACROSS), len(regions)
    height = (_SIDE + _AROUND) * bands * rows + 0.25
    figure = Figure(figsize=(style.PAGE, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
    figure.suptitle(heading, x=0.01, ha="left", fontsize=8, fontweight="bold")
    grid = figure.subplots(bands * rows, _ACROSS, squeeze=False)
    for ax in grid.flat:
        ax.set_visible(False)

    def filled() -> Iterator[tuple[tuple[str, str], str, Axes]]:
        for i, cell in enumerate(cells):
            for row, region in enumerate(regions):
                ax = grid[rows * (i // _ACROSS) + row, i % _ACROSS]
                ax.set_visible(True)
                ax.set_box_aspect(1)
                ax.set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
                where = f"\n{TITLES[region]}" if rows > 1 else ""
                ax.set_title(short(names.cell(*cell)) + where)
                yield cell, region, ax

    return figure, filled()


def draw_measures(
    ax: Axes,
    x: np.ndarray,
    replicates: Sequence[Mapping[str, tuple[np.ndarray, float]]],
    metric: str,
) -> None:
    """Draw a curve of each measure, mean over replicates, and their range, pale; tell its area.

    Args:
        x: (point,).
        replicates: of each the curve (point,) and the area under it, by measure.
        metric: of ``tell``.
    """
    areas = {m: float(np.mean([each[m][1] for each in replicates])) for m in dims.MEASURES}
    for measure in dims.MEASURES:
        each = np.array([found[measure][0] for found in replicates])
        colour = style.MEASURES[measure]
        ax.fill_between(x, each.min(axis=0), each.max(axis=0), color=colour, alpha=0.15, lw=0)
        ax.plot(x, each.mean(axis=0), color=colour, lw=WIDTHS[measure], label=measure)
    tell(ax, metric, areas)


def tell(ax: Axes, metric: str, values: Mapping[str, float]) -> None:
    """Print a metric's value of each measure, in the corner where least of the curves runs."""
    lines = [(metric, "0.2"), *((f"{m} {v:.2f}", style.MEASURES[m]) for m, v in values.items())]
    right, top = _corner(ax)
    x, side = (0.97, "right") if right else (0.04, "left")
    for i, (text, colour) in enumerate(lines):
        where = {"ha": side, "va": "top", "transform": ax.transAxes}
        y = (0.96 if top else 0.4) - 0.1 * i
        ax.text(x, y, text, color=colour, fontsize=style.SMALL, **where)


def _corner(ax: Axes) -> tuple[bool, bool]:
    """Which corner of a panel of ``cell_panels`` has fewest points of curves: right? top?"""
    points = [line.get_path().interpolated(20).vertices for line in ax.lines]
    x, y = np.concatenate(points).T

    def crowded(corner: tuple[bool, bool]) -> int:
        right, top = corner
        return int(((x > 0.6 if right else x < 0.4) & (y > 0.56 if top else y < 0.43)).sum())

    return min(_CORNERS, key=crowded)


def add_key(figure: Figure, key: Mapping[str, Line2D] | None = None) -> None:
    """Add a legend below: the colour of each measure, and what else is to be explained."""
    lines = {
        name: Line2D([], [], color=colour, lw=WIDTHS[name])
        for name, colour in style.MEASURES.items()
    }
    entries = lines | dict(key or {})
    figure.set_figheight(figure.get_figheight() + 0.2)
    figure.legend(
        entries.values(),
        entries.keys(),
        loc="outside lower center",
        ncols=len(entries),
        frameon=False,
    )
