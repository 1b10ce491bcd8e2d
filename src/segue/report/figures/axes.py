"""Does each measure follow what it ought to? AU and EU of each cell along each axis."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.report import style
from segue.report.score_files import read_csv

_NUMBERS = ("at", "tu", "au", "eu", "h_star", "kl")
_KEYS = ("axis", "quantity", "epistemic", "aleatoric", "estimator")
_ESTIMATOR = "jackknife"  # without the noise of the draws, which is no property of a method
_TRUTH = {"au": "h_star", "eu": "kl"}
_LABELS = {"au": "mean AU (nats)", "eu": "mean EU (nats)"}


def draw(out: Path, *, tables: Path, captions: Mapping[str, str] | None = None) -> None:
    """Draw AU and EU along each axis: SVG and PNG.

    Args:
        out: path of both files, without an ending.
        tables: folder of ``axes.csv``.
        captions: not used: the axes have names of their own.
    """
    style.save(compose(tables), out)


@style.look()
def compose(tables: Path) -> Figure:
    """A column for each axis; above AU, below EU, jackknife; a line for each cell.

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
    names = list(dict.fromkeys(table["axis"]))
    figure = Figure(figsize=(2.3 * len(names), 4.4), layout="constrained")
    panels = figure.subplots(2, len(names), squeeze=False)
    for column, name in enumerate(names):
        rows = table[table["axis"] == name]
        for ax, measure in zip(panels[:, column], _TRUTH, strict=True):
            _panel(ax, rows, measure, table)
        panels[0, column].set_title(name.replace("_", " "))
        panels[1, column].set_xlabel(rows["quantity"].iloc[0])
    style.add_legend(figure, table)
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
            markersize=3,
            linewidth=0.8,
            alpha=0.8,
        )
    truth = rows.groupby("at")[_TRUTH[measure]].mean().dropna()
    if len(truth):
        other = ax.twinx() if measure == "eu" else ax
        style_of = {"color": "black", "linestyle": (0, (4, 2)), "linewidth": 1.2, "zorder": 5}
        other.plot(truth.index.map(places), truth, **style_of)
        if other is not ax:
            other.set_ylabel("KL(p* ‖ p̄), dashed (nats)", fontsize=6)
            other.set_ylim(bottom=0)
    ax.set_xticks(range(len(places)), [f"{at:g}" for at in places])
    ax.set_ylabel(_LABELS[measure] + (", dashed: H(p*)" if measure == "au" else ""))
    if measure == "eu":
        ax.set_yscale("symlog", linthresh=style.linear_below(rows[measure], decades=3))
    ax.set_ylim(bottom=min(0, float(rows[measure].min())))
