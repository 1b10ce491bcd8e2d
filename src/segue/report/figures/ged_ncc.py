"""Do samples that match the raters come with an aleatoric map that does? GED against AU NCC."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from segue import dims
from segue.errors import InputError
from segue.keys import REPLICATE
from segue.report import style
from segue.report.figure_data import read_table

_TITLES = ("In distribution", "Out of distribution")


def draw(out: Path, *, tables: Path, captions: Mapping[str, str] | None = None) -> None:
    """Draw GED against AU NCC, in and out of distribution: SVG and PNG.

    Args:
        out: path of both files, without an ending.
        tables: folder of ``scores.csv``.
        captions: what is printed beside a dataset's name.
    """
    style.save(compose(tables, captions), out)


@style.look()
def compose(tables: Path, captions: Mapping[str, str] | None = None) -> Figure:
    """A row for each dataset; a column for ``id`` and one for the mean over the OOD splits.

    GED (distance 1 - Dice) compares samples with raters, lower is better; AU NCC compares the
    aleatoric map with the raters' variance, higher is better. Undefined scores are left out.

    Raises:
        InputError: ``scores.csv``, one of its columns or one of the two metrics is missing.
    """
    keys = (*REPLICATE, "split", "task", "metric", "measure", "aggregation")
    table = read_table(tables, "scores", keys, ("score",))
    ged = (table["metric"] == "ged") & (table["aggregation"] == "dice")
    # Other tasks have an NCC too: with the truth, or of fewer samples.
    ncc = (table["task"] == "ambiguity") & (table["metric"] == "ncc") & (table["measure"] == "AU")
    for name, rows in (("ged (aggregation dice)", ged), ("ncc (measure AU)", ncc)):
        if not rows.any():
            raise InputError(f"{Path(tables) / 'scores.csv'}: no row of the metric {name}")
    table = table[ged | ncc].assign(
        panel=[_title(split) for split in table.loc[ged | ncc, "split"]]
    )
    points = table.pivot_table("score", [*REPLICATE, "panel"], "metric")
    points = points.reindex(columns=["ged", "ncc"]).dropna().reset_index()
    if points.empty:
        return style.blank("No cell has both a GED and an NCC.")
    titles = [title for title in _TITLES if title in set(points["panel"])]
    figure, filled = style.panels(points, titles, captions)
    for ax, rows in filled:
        style.draw_cells(ax, rows, "ged", "ncc", points)
        ax.set(xlabel="GED (lower is better)", ylabel="AU NCC (higher is better)")
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.yaxis.set_major_locator(MaxNLocator(4))
    style.add_legend(figure, points, width=3)
    return figure


def _title(split: str) -> str:
    """Panel of a split; ``val`` and others have none."""
    return _TITLES[1] if dims.is_ood(split) else _TITLES[0] if split == "id" else ""
