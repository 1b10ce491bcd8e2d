"""Does it matter how calibration errors are averaged? ACE against ECE of the total uncertainty."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from segue.errors import InputError
from segue.evaluation.tasks.calibration import TASK
from segue.report import style
from segue.report.against import against
from segue.report.figure_data import read_intervals
from segue.report.names import PLAIN, Labels, Names
from segue.report.panels import better

TITLE = "ACE against ECE"
CAPTION = (
    "Average calibration error of the total uncertainty, in which every bin of confidence counts "
    "alike, against the expected one, in which it counts by its pixels. Dashed: both are equal. "
    "Small markers: replicates; large ones: their mean, with its 95 % interval over images."
)
KIND = "tables"
TABLES = ("intervals",)
TASKS = ("calibration",)


def draw(
    out: Path,
    *,
    tables: Path,
    names: Mapping[str, Labels] | None = None,
    tasks: Mapping[str, str] | None = None,
) -> None:
    """Draw ACE against ECE, in and out of distribution.

    Args:
        out: path of the files, with one of their endings or without.
        tables: folder of ``intervals.csv``.
        names: see ``segue.report.names.Names``.
        tasks: aggregation of each task that ranks.
    """
    style.save(compose(tables, Names.of(names), tasks or {}), out)


@style.look()
def compose(tables: Path, names: Names = PLAIN, tasks: Mapping[str, str] | None = None) -> Figure:
    """See ``segue.report.against.against``; of the aggregation that ranks, or else pooled.

    Raises:
        InputError: ``intervals.csv``, one of its columns or one of the two metrics is missing.
    """
    table = read_intervals(tables)
    how = (tasks or {}).get("calibration", TASK.aggregations[0])
    table = table[(table["measure"] == TASK.correct) & (table["aggregation"] == how)]
    errors = {name: table[table["metric"] == name] for name in ("ece", "ace")}
    for name, rows in errors.items():
        if rows.empty:
            where = f"{Path(tables) / 'intervals.csv'}"
            raise InputError(f"{where}: no row of the metric {name} (aggregation {how})")
    labels = tuple(better(f"{TASK.correct} {name.upper()}", False) for name in errors)
    return against(*errors.values(), labels, names, equal=True)
