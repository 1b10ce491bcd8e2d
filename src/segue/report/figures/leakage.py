"""How much of the epistemic uncertainty is noise of the draws, and how it falls with their number.

Left: each cell's EU, plug-in and jackknife. Right: EU against the number of AU draws.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.report import panels, style
from segue.report.figure_data import of_draws, read_sweep
from segue.report.names import PLAIN, Labels, Names
from segue.report.style import LINES

TITLE = "Noise of the draws in EU"
CAPTION = (
    "Left: each cell's epistemic uncertainty by the plug-in (filled) and by the jackknife "
    "(hollow); the line between them is noise of finitely many draws. Right: both against the "
    "number of aleatoric draws a hypothesis. Means over images of `id` and replicates."
)
KIND = "tables"
TABLES = ("sweep",)


def draw(out: Path, *, tables: Path, names: Mapping[str, Labels] | None = None) -> None:
    """Draw EU under both estimators, and against the number of draws.

    Args:
        out: path of the files, with one of their endings or without.
        tables: folder of ``sweep.csv``.
        names: see ``segue.report.names.Names``.
    """
    style.save(compose(tables, Names.of(names)), out)


@style.look()
def compose(tables: Path, names: Names = PLAIN) -> Figure:
    """A row for each dataset; a panel of cells, then one for each AU model with several draws.

    Raises:
        InputError: ``sweep.csv`` is missing or damaged.
    """
    table = read_sweep(tables)
    if table.empty:
        return panels.blank("The task leakage was not scored.")
    draws = of_draws(table)
    models = style.ordered(draws["aleatoric"], style.MARKERS)
    datasets = style.ordered(table["dataset"], ())
    cells = len(table[["aleatoric", "epistemic"]].drop_duplicates())
    figure, parts = panels.by_dataset(datasets, 0.125 * cells + 0.8, names)
    for dataset, part in parts.items():
        here = table["dataset"] == dataset
        ratios = {"width_ratios": [1.6, *[1] * len(models)]}
        first, *others = part.subplots(1, 1 + len(models), gridspec_kw=ratios, squeeze=False)[0]
        _cells(first, table[here & (table["over"] == "all")], table, names)
        for ax, model in zip(others, models, strict=True):
            rows = draws[(draws["dataset"] == dataset) & (draws["aleatoric"] == model)]
            _sweep(ax, rows, table, model)
            ax.set_title(panels.short(names.model(model)))
    panels.add_legend(figure, table, names, key=panels.estimators())
    return figure


def _cells(ax: Axes, rows: pd.DataFrame, every: pd.DataFrame, names: Names) -> None:
    """Each cell's EU: filled is the plug-in, hollow the jackknife, the line between is noise."""
    colours, markers = style.colours(every["epistemic"]), style.markers(every["aleatoric"])
    order = [(a, e) for a in markers for e in colours]
    wide = rows.pivot(index=["aleatoric", "epistemic"], columns="estimator", values="eu")
    wide = wide.reindex([cell for cell in order if cell in wide.index])
    for y, ((aleatoric, epistemic), row) in enumerate(wide.iterrows()):
        look = {"marker": markers[aleatoric], "color": colours[epistemic], "markersize": 3.5}
        ends = [row.get("plugin", np.nan), row.get("jackknife", np.nan)]
        ax.plot(ends, [y, y], color=look["color"], linewidth=1)
        ax.plot(ends[0], y, **look, linestyle="none")
        ax.plot(ends[1], y, **look, linestyle="none", markerfacecolor="white")
    ax.axvline(0, color="0.75", linewidth=0.6, zorder=0)
    ax.set_yticks(range(len(wide)), [panels.short(names.cell(a, e)) for a, e in wide.index])
    ax.set_xscale("symlog", linthresh=style.linear_below(wide, decades=1))
    ax.invert_yaxis()
    ax.margins(x=0.06)
    ax.set(xlabel="mean EU (nats), filled: plug-in", title="All draws")


def _sweep(ax: Axes, rows: pd.DataFrame, every: pd.DataFrame, model: str) -> None:
    colours = style.colours(every["epistemic"])
    for (epistemic, estimator), line in rows.groupby(["epistemic", "estimator"], sort=False):
        line = line.sort_values("number")
        ax.plot(
            line["number"],
            line["eu"],
            color=colours[epistemic],
            linestyle=LINES[estimator],
            linewidth=1.1,
            marker=style.markers(every["aleatoric"])[model],
            markersize=2.5,
        )
    ax.axhline(0, color="0.75", linewidth=0.6, zorder=0)
    ax.set(xlabel="AU draws\na hypothesis", ylabel="mean EU (nats)")
    ax.set_xscale("log")
    ticks = sorted(rows["number"].unique())
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
