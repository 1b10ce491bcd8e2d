"""CT slices of LIDC-IDRI as TCIA gives them, with masks from the radiologists' outlines.

Folders have had two ways of naming since TCIA renamed them; series are told by their UID instead.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from segue.data.contours.database import load, scans_by_series
from segue.data.contours.nodules import SLICE_SIDE, labels, nodules_of, window_origin
from segue.data.decoding import decoding
from segue.data.sources.lidc.slice import Slice
from segue.errors import InputError
from segue.progress import progress

_LOG = logging.getLogger(__name__)
SIDE = 128
_AIR = -1024.0  # HU; scanners pad with values below
_HEADER = [
    *("SeriesInstanceUID", "ImagePositionPatient", "InstanceNumber", "Rows", "Columns"),
    *("RescaleSlope", "RescaleIntercept"),
]


class Place(NamedTuple):
    """File of the slice; scan, nodule and slice in ``segue.data.contours``."""

    file: str
    scan: int
    nodule: int
    slice: int


def index(path: Path) -> list[Slice]:
    """Find the outlined slices of every series under ``path`` that is one of LIDC-IDRI.

    Raises:
        InputError: pydicom is missing, a file is not a readable DICOM file, no series is known, or
            a series lacks a slice that was outlined.
    """
    known = scans_by_series()
    scans = load()
    found: list[Slice] = []
    everything = _series(path)
    for series, files in sorted(everything.items()):
        if series not in known or known[series][1] not in scans:
            continue
        scan = scans[known[series][1]]
        for nodule in nodules_of(scan.id).values():
            for k in nodule.slices:
                file = _nearest(files, float(scan.positions[k]), scan.slice_spacing, series)
                place = Place(file, scan.id, nodule.index, k)
                found.append(Slice(place, series, nodule.index, k, scan.spacing))
    if not found:
        raise InputError(
            f"{path}: none of {len(everything)} DICOM series is one that was outlined; "
            "expected LIDC-IDRI (TCIA), folders LIDC-IDRI-dddd"
        )
    _LOG.info("%s: %d slices of %d series", path, len(found), len({s.series for s in found}))
    return found


def read(path: Path, place: Place, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Read one slice and crop it around the union of its masks.

    Returns:
        image (128, 128) float32 in HU, at least -1024, and masks (rater, 128, 128) uint8 of 0, 1.
    """
    nodule = nodules_of(place.scan)[place.nodule]
    row, column = window_origin(nodule, place.slice, SIDE)
    with decoding(f"{path / place.file}: not a readable CT slice", "fetch its series again"):
        data = _pydicom().dcmread(path / place.file)
        units = data.pixel_array * float(data.RescaleSlope) + float(data.RescaleIntercept)
    window = units[row : row + SIDE, column : column + SIDE]
    masks = labels(nodule, place.slice, seed=seed, side=SIDE)
    return np.maximum(window, _AIR).astype(np.float32), masks


def _series(path: Path) -> dict[str, dict[float, str]]:
    """Series UID -> z, mm -> file name below ``path``."""
    found: dict[str, dict[float, tuple[int, str]]] = {}
    for name, header in _headers(path):
        with decoding(f"{path / name}: no position", "fetch its series again"):
            z = float(header.ImagePositionPatient[2])
            number = int(header.get("InstanceNumber") or 0)
        slices = found.setdefault(str(header.SeriesInstanceUID), {})
        # Some series hold a slice twice: the lower instance number counts.
        slices[z] = min(slices.get(z, (number, name)), (number, name))
    return {series: {z: f for z, (_, f) in s.items()} for series, s in found.items()}


def _headers(path: Path) -> Iterator[tuple[str, object]]:
    """Name and header of each CT slice; other objects have no position and are passed over."""
    pydicom = _pydicom()
    files = sorted(f for f in path.rglob("*") if f.suffix.lower() == ".dcm")
    for file in progress(files, desc="DICOM headers", unit="file", delay=10):
        with decoding(f"{file}: not a DICOM file", "fetch its series again"):
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_HEADER)
        if "ImagePositionPatient" not in header or "RescaleSlope" not in header:
            continue
        shape = (header.Rows, header.Columns)
        if shape != (SLICE_SIDE, SLICE_SIDE):
            raise InputError(
                f"{file}: {shape[0]} x {shape[1]} pixels; expected {SLICE_SIDE} x {SLICE_SIDE}"
            )
        yield file.relative_to(path).as_posix(), header


def _nearest(files: dict[float, str], z: float, spacing: float, series: str) -> str:
    nearest = min(files, key=lambda other: abs(other - z))
    if abs(nearest - z) > spacing / 2:
        raise InputError(
            f"lidc: series {series}: no slice at z = {z:g} mm, the nearest of {len(files)} is at "
            f"{nearest:g}; fetch the series again, or remove it"
        )
    return files[nearest]


def _pydicom() -> ModuleType:
    try:
        import pydicom
    except ImportError as error:
        raise InputError(
            "lidc: DICOM files need pydicom; install it with: pip install 'segue[data]'"
        ) from error
    return pydicom
