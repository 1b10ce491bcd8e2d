"""Do samples that match the raters come with an aleatoric map that does? GED against AU NCC."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from segue.errors import InputError
from segue.report import style
from segue.report.against import against
from segue.report.figure_data import read_intervals
from segue.report.names import PLAIN, Labels, Names
from segue.report.panels import better

TITLE = "GED against NCC"
CAPTION = (
    "How well the samples match the raters (GED, distance 1 - Dice) against how well the aleatoric "
    "map does (NCC with the raters' variance), in distribution and, mean over the shifted splits, "
    "out of it. Small markers: replicates; large ones: their mean, with its 95 % interval over "
    "images."
)
KIND = "tables"
TABLES = ("intervals",)
TASKS = ("segmentation", "ambiguity")


def draw(out: Path, *, tables: Path, names: Mapping[str, Labels] | None = None) -> None:
    """Draw GED against AU NCC, in and out of distribution.

    Args:
        out: path of the files, with one of their endings or without.
        tables: folder of ``intervals.csv``.
        names: see ``segue.report.names.Names``.
    """
    style.save(compose(tables, Names.of(names)), out)


@style.look()
def compose(tables: Path, names: Names = PLAIN) -> Figure:
    """See ``segue.report.against.against``; undefined scores are left out.

    Raises:
        InputError: ``intervals.csv``, one of its columns or one of the two metrics is missing.
    """
    table = read_intervals(tables)
    ged = table[(table["metric"] == "ged") & (table["aggregation"] == "dice")]
    # Other tasks have an NCC too: with the truth, or of fewer samples.
    chosen = (
        (table["task"] == "ambiguity") & (table["metric"] == "ncc") & (table["measure"] == "AU")
    )
    ncc = table[chosen]
    for name, rows in (("ged (aggregation dice)", ged), ("ncc (measure AU)", ncc)):
        if rows.empty:
            raise InputError(f"{Path(tables) / 'intervals.csv'}: no row of the metric {name}")
    labels = better("GED", False), better("AU NCC", True)
    return against(ged, ncc, labels, names)
