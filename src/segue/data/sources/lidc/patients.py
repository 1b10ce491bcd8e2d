"""Which patient a CT series belongs to, by TCIA's list of series."""

import csv
from pathlib import Path

from segue.errors import InputError

_SUBJECT = "Subject ID"
_SERIES = ("Series ID", "Series UID")


def patients_by_series(metadata_csv: Path) -> dict[str, str]:
    """Series UID -> patient, from ``LIDC-IDRI_MetaData.csv`` of TCIA.

    Raises:
        InputError: no such file, or its header has not the two columns.
    """
    if not metadata_csv.is_file():
        raise InputError(f"lidc: metadata_csv: no file {metadata_csv}")
    with metadata_csv.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        header = rows.fieldnames or []
        series = next((name for name in _SERIES if name in header), None)
        if series is None or _SUBJECT not in header:
            raise InputError(
                f"{metadata_csv}: expected columns {_SUBJECT!r} and {_SERIES[0]!r}, "
                f"found {', '.join(header)}"
            )
        return {row[series]: row[_SUBJECT] for row in rows}
