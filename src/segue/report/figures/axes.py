"""Does each measure follow what it ought to? AU and EU of each cell along each axis."""

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.report import panels, style
from segue.report.names import PLAIN, Labels, Names
from segue.report.score_files import read_csv

TITLE = "AU and EU along axes"
CAPTION = (
    "Aleatoric (above) and epistemic uncertainty (below) of each cell along each axis, by the "
    "jackknife; means over images and replicates. Dashed: what is true where that is known, the "
    "entropy H(p*) of the raters' distribution above and the excess risk KL(p* ‖ p̄) below."
)
KIND = "tables"
TABLES = ("axes",)

_NUMBERS = ("at", "tu", "au", "eu", "h_star", "kl")
_KEYS = ("axis", "quantity", "epistemic", "aleatoric", "estimator")
_ESTIMATOR = "jackknife"  # without the noise of the draws, which is no property of a method
_TRUTH = {"au": "h_star", "eu": "kl"}
_ACROSS = 3  # axes side by side
_LETTERS = 32  # along a panel
_LABELS = {"au": "mean AU (nats)", "eu": "mean EU (nats)"}


def draw(out: Path, *, tables: Path, names: Mapping[str, Labels] | None = None) -> None:
    """Draw AU and EU along each axis.

    Args:
        out: path of the files, with one of their endings or without.
        tables: folder of ``axes.csv``.
        names: see ``segue.report.names.Names``.
    """
    style.save(compose(tables, Names.of(names)), out)


@style.look()
def compose(tables: Path, names: Names = PLAIN) -> Figure:
    """A column for each axis; above AU, below EU, jackknife; a line for each cell.

    So many axes as a page's width takes are side by side, others below.

    EU differs between methods by orders of magnitude: its scale is logarithmic, but for the
    smallest values, which may be negative.

    Dashed: what is true where that is known, H(p*) above, and below the excess risk, mean over the
    cells, on a scale of its own at the right.

    Raises:
        InputError: ``axes.csv`` is missing or damaged.
    """
    types = dict.fromkeys(_KEYS, "str") | dict.fromkeys(_NUMBERS, "float64")
    table = read_csv(Path(tables) / "axes.csv", types, _NUMBERS, "tables")
    table = table[table["estimator"] == _ESTIMATOR]
    axes = list(dict.fromkeys(table["axis"]))
    bands = ceil(len(axes) / _ACROSS)
    figure = Figure(figsize=(style.PAGE, 3.6 * bands), layout="constrained")
    grid = figure.subplots(2 * bands, min(_ACROSS, len(axes)), squeeze=False)
    for ax in grid.flat:
        ax.set_visible(False)
    for i, name in enumerate(axes):
        rows, (band, column) = table[table["axis"] == name], divmod(i, _ACROSS)
        pair = grid[2 * band : 2 * band + 2, column]
        for ax, measure in zip(pair, _TRUTH, strict=True):
            ax.set_visible(True)
            _panel(ax, rows, measure, table)
        pair[0].set_title(fill(name.replace("_", " "), _LETTERS))
        pair[1].set_xlabel(fill(rows["quantity"].iloc[0], _LETTERS))
    panels.add_legend(figure, table, names)
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, measure: str, every: pd.DataFrame) -> None:
    colours, markers = style.colours(every["epistemic"]), style.markers(every["aleatoric"])
    places = {at: i for i, at in enumerate(sorted(rows["at"].unique()))}
    for (aleatoric, epistemic), line in rows.groupby(["aleatoric", "epistemic"], sort=False):
        line = line.sort_values("at")
        ax.plot(
            line["at"].map(places),
            line[measure],
            color=colours[epistemic],
            marker=markers[aleatoric],
            markersize=2.5,
            linewidth=0.8,
            alpha=0.8,
        )
    truth = rows.groupby("at")[_TRUTH[measure]].mean().dropna()
    if len(truth):
        other = ax.twinx() if measure == "eu" else ax
        style_of = {"color": "black", "linestyle": (0, (4, 2)), "linewidth": 1.2, "zorder": 5}
        other.plot(truth.index.map(places), truth, **style_of)
        if other is not ax:
            other.set_ylabel("KL(p* ‖ p̄), dashed (nats)", fontsize=style.SMALL)
            other.set_ylim(bottom=0)
    ax.set_xticks(range(len(places)), [f"{at:g}" for at in places])
    ax.set_ylabel(_LABELS[measure] + (", dashed: H(p*)" if measure == "au" else ""))
    if measure == "eu":
        ax.set_yscale("symlog", linthresh=style.linear_below(rows[measure], decades=3))
    ax.set_ylim(bottom=min(0, float(rows[measure].min())))
