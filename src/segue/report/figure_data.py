"""What the figures read: the tidy tables of a study, and the names its columns are shown by."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from segue import dims
from segue.errors import InputError
from segue.evaluation.task import Task
from segue.keys import LIMITS, METHODS, REPLICATE
from segue.report.score_files import read_csv
from segue.report.style import LINES

TASKS = {"ood": "OOD detection", "ambiguity": "Ambiguity", "calibration": "Calibration"}
"""Heading of each task that the study names, in the order of the panels."""


def task_title(task: str) -> str:
    """Heading of any task."""
    return TASKS.get(task, task.capitalize())


def rivals(task: Task) -> str:
    """The measure that the right one ought to beat; of several, the best of them."""
    if len(task.wrong) == 1:
        return task.wrong[0]
    return f"{'max' if task.higher_is_better else 'min'}({', '.join(task.wrong)})"


_NUMBERS = ("number", "tu", "au", "eu", "correlation", "ncc_au", "ncc_eu")
_SWEPT = ("dataset", "aleatoric", "epistemic", "estimator", "over")


def read_table(tables: Path, name: str, keys: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Read ``<tables>/<name>.csv``: ``keys`` as strings (perhaps empty), ``values`` as numbers.

    Raises:
        InputError: the file or a column is missing, it is damaged, or there is no row.
    """
    path = Path(tables) / f"{name}.csv"
    types = dict.fromkeys(keys, "str") | dict.fromkeys(values, "float64")
    table = read_csv(path, types, values, "tables")
    missing = [column for column in (*keys, *values) if column not in table]
    if missing:
        raise InputError(
            f"{path}: column {missing[0]!r} expected, found only {', '.join(table.columns)}; "
            "run the stage `tables` again"
        )
    if table.empty:
        raise InputError(f"{path}: the table has no rows; run the stage `tables` again")
    return table[[*keys, *values]]


def read_intervals(tables: Path) -> pd.DataFrame:
    """The scores of ``<tables>/intervals.csv`` of splits that have a region, ``id`` or ``ood``.

    Returns:
        Columns of ``segue.keys.REPLICATE``, region, split, task, metric, measure, aggregation and
        ``segue.keys.LIMITS``. Undefined scores are left out.

    Raises:
        InputError: the file or a column is missing, it is damaged, or there is no row.
    """
    keys = (*REPLICATE, "split", "task", "metric", "measure", "aggregation")
    table = read_table(tables, "intervals", keys, LIMITS)
    table = table.assign(region=table["split"].map(dims.region)).dropna(subset="value")
    return table[table["region"].isin(dims.REGIONS)]


def bars(x: pd.DataFrame, y: pd.DataFrame) -> dict[tuple[str, str], tuple[float, ...]]:
    """Intervals of cells along two axes, as ``segue.report.panels.draw_cells`` takes them.

    A cell's interval is the mean of those of its replicates and splits, lower ends and upper ends
    each: these share their images, so it is about as wide as that of their mean, or wider.

    Args:
        x, y: rows of ``read_intervals`` of the panel; NaN where a cell has no interval.

    Returns:
        x_low, x_high, y_low and y_high by epistemic method and aleatoric model.
    """
    ends = [rows.groupby(list(METHODS))[["low", "high"]].mean() for rows in (x, y)]
    both = pd.concat(ends, axis=1)
    return {cell: tuple(row) for cell, row in zip(both.index, both.to_numpy(), strict=True)}


def means(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Mean value over the splits of each region of each replicate, in a column ``name``."""
    keys = [*REPLICATE, "region"]
    return table.groupby(keys, sort=False)["value"].mean().rename(name).reset_index()


def best(table: pd.DataFrame, higher: bool) -> pd.DataFrame:
    """Of the measures of each replicate and split the one with the best value."""
    order = table.sort_values("value", ascending=not higher, kind="stable")
    return order.drop_duplicates([*REPLICATE, "split"])


def read_sweep(tables: Path) -> pd.DataFrame:
    """``<tables>/sweep.csv``, of the estimators of ``LINES``; perhaps without rows.

    Raises:
        InputError: it is missing or damaged.
    """
    path = Path(tables) / "sweep.csv"
    if path.is_file() and not path.read_text(encoding="utf-8").strip():
        return pd.DataFrame(columns=[*_SWEPT, *_NUMBERS])
    types = dict.fromkeys(_SWEPT, "str") | dict.fromkeys(_NUMBERS, "float64")
    table = read_csv(path, types, _NUMBERS, "tables")
    return table[table["estimator"].isin(LINES)]


def of_draws(sweep: pd.DataFrame) -> pd.DataFrame:
    """Rows of cells with several numbers of draws; no jackknife of one draw, which is no other."""
    rows = sweep[(sweep["over"] == "draws") & (sweep["number"] > 0)]
    most = rows.groupby(["dataset", "aleatoric", "epistemic"])["number"].transform("max")
    return rows[(most > 1) & ((rows["number"] > 1) | (rows["estimator"] == "plugin"))]
