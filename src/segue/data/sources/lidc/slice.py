"""What each reader of LIDC-IDRI (pickle, HDF5, DICOM) tells about one slice of a nodule."""

from typing import Any, NamedTuple

UNKNOWN = -1
"""A nodule or slice number that the file does not tell."""


class Slice(NamedTuple):
    """One nodule in one slice.

    Attributes:
        place: where its pixels are; small, picklable, read by the reader that made it.
        series: DICOM series UID; empty where the file has none.
        nodule, slice: numbers, or ``UNKNOWN``.
        spacing: side of a pixel, mm; NaN where the file does not tell.
    """

    place: Any
    series: str
    nodule: int
    slice: int
    spacing: float
