"""How many draws does a map need? NCC of AU and EU against the number of AU draws."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segue.report import panels, style
from segue.report.figure_data import of_draws, read_sweep
from segue.report.names import PLAIN, Labels, Names
from segue.report.style import LINES

TITLE = "Metrics against the number of draws"
CAPTION = (
    "NCC of the aleatoric and of the epistemic map with the raters' variance, and the correlation "
    "of the two maps, against the number of aleatoric draws a hypothesis, of the plug-in (solid) "
    "and, where the epistemic map takes part, the jackknife (dashed). Means over images of `id` "
    "and replicates."
)
KIND = "tables"
TABLES = ("sweep",)

_METRICS = {
    "ncc_au": panels.better("AU NCC", True),
    "ncc_eu": "EU NCC",
    "correlation": "r of AU and EU",
}


def draw(out: Path, *, tables: Path, names: Mapping[str, Labels] | None = None) -> None:
    """Draw the NCC of AU and EU, and their correlation, against the number of draws.

    Args:
        out: path of the files, with one of their endings or without.
        tables: folder of ``sweep.csv``.
        names: see ``segue.report.names.Names``.
    """
    style.save(compose(tables, Names.of(names)), out)


@style.look()
def compose(tables: Path, names: Names = PLAIN) -> Figure:
    """A row for each dataset, a panel for each metric; a line for each cell with several draws.

    Raises:
        InputError: ``sweep.csv`` is missing or damaged.
    """
    table = of_draws(read_sweep(tables))
    if table.empty:
        return panels.blank("No cell was scored with several numbers of draws.")
    figure, parts = panels.by_dataset(style.ordered(table["dataset"], ()), 2.1, names)
    for dataset, part in parts.items():
        axes = part.subplots(1, len(_METRICS))
        for ax, (metric, label) in zip(axes, _METRICS.items(), strict=True):
            _panel(ax, table[table["dataset"] == dataset], metric, table)
            ax.set(xlabel="AU draws a hypothesis", ylabel=label)
    panels.add_legend(figure, table, names, key=panels.estimators())
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, metric: str, every: pd.DataFrame) -> None:
    colours, markers = style.colours(every["epistemic"]), style.markers(every["aleatoric"])
    shown = rows[rows["estimator"].isin(LINES if metric != "ncc_au" else ["plugin"])]
    keys = ["aleatoric", "epistemic", "estimator"]
    for (aleatoric, epistemic, estimator), line in shown.groupby(keys, sort=False):
        line = line.sort_values("number")
        look = {"color": colours[epistemic], "marker": markers[aleatoric]}
        ax.plot(
            line["number"],
            line[metric],
            **look,
            linestyle=LINES[estimator],
            linewidth=0.9,
            markersize=2.5,
            label=f"{aleatoric} × {epistemic}, {estimator}",
        )
    ax.set_xscale("log")
    ticks = sorted(rows["number"].unique())
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
