"""What the figures read: the tidy tables of a study, and the names its columns are shown by."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from segue.errors import InputError
from segue.report.score_files import read_csv

TASKS = {"ood": "OOD detection", "ambiguity": "Ambiguity", "calibration": "Calibration"}
"""Heading of each task that the study names, in the order of the panels."""


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
