"""Which patient a CT series belongs to, by TCIA's list of series."""

import csv
from pathlib import Path

from segue.data.decoding import decoding, text
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
    with decoding(f"{metadata_csv}: not readable as CSV", "fetch it again"):
        rows = csv.DictReader(text(metadata_csv).splitlines())
        header = rows.fieldnames or []
        series = next((name for name in _SERIES if name in header), None)
        if series is None or _SUBJECT not in header:
            raise InputError(
                f"{metadata_csv}: expected columns {_SUBJECT!r} and {_SERIES[0]!r}, "
                f"found {', '.join(header)}"
            )
        return {row[series]: row[_SUBJECT] for row in rows if row[series] and row[_SUBJECT]}
