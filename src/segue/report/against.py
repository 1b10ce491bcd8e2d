"""One score of each cell against another, in and out of distribution."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from segue.report import panels, style
from segue.report.figure_data import bars, means
from segue.report.names import Names

TITLES = {"id": "In distribution", "ood": "Out of distribution"}


def against(
    x: pd.DataFrame, y: pd.DataFrame, labels: tuple[str, str], names: Names, *, equal: bool = False
) -> Figure:
    """A row for each dataset; a column for ``id`` and one for the mean over the OOD splits.

    A small marker is a replicate, a large one the cell's mean with its intervals over images.

    Args:
        x, y: rows of ``segue.report.figure_data.read_intervals`` of the two scores.
        labels: of the axes.
        names: what is printed for the config's names.
        equal: whether a line shows where both scores are equal.
    """
    points = means(x, "x").merge(means(y, "y"), how="inner")
    if points.empty:
        return panels.blank("No cell has both scores.")
    points["panel"] = points["region"].map(TITLES)
    titles = [title for title in TITLES.values() if title in set(points["panel"])]
    figure, filled = panels.panels(points, titles, names, style.COLUMN)
    for ax, rows in filled:
        place = rows[["dataset", "region"]].iloc[0].tolist()
        here = [each[(each[["dataset", "region"]] == place).all(axis=1)] for each in (x, y)]
        panels.draw_cells(ax, rows, "x", "y", points, bars(*here))
        if equal:
            limits = ax.get_xlim(), ax.get_ylim()  # which the line is not to widen
            ends = min(map(min, limits)), max(map(max, limits))
            ax.plot(ends, ends, color="0.75", lw=0.7, ls=(0, (4, 3)), zorder=0, label="equal")
            ax.set(xlim=limits[0], ylim=limits[1])
        ax.set(xlabel=labels[0], ylabel=labels[1])
        ax.xaxis.set_major_locator(MaxNLocator(3))
        ax.yaxis.set_major_locator(MaxNLocator(4))
    panels.add_legend(figure, points, names)
    return figure
