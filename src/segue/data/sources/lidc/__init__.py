"""LIDC-IDRI with its CT intensities: lung nodules outlined by up to four radiologists.

Armato et al. 2011; TCIA, CC BY 3.0. Three forms are read, told by their content: the pickle of the
Probabilistic U-Net's PyTorch release, the HDF5 file of PHiSeg and CCDM, and TCIA's DICOM files.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from segue.data.contours.database import scans_by_series
from segue.data.contours.nodules import RATERS
from segue.data.corruptions import CORRUPTIONS
from segue.data.partition import by_group, checksum, limit
from segue.data.source import Sample, Source
from segue.data.sources.lidc import dicom, hdf5, pickle_file
from segue.data.sources.lidc.patients import patients_by_series
from segue.data.sources.lidc.slice import Slice
from segue.errors import InputError

PATHS = ("path", "metadata_csv")  # options that say where the data are

_LOG = logging.getLogger(__name__)
_PUBLISHED_PICKLE = "327025e97c296a9e02841bb7e9968521147039e9c5474ba3b214c1f8056c177e"
_BY_PATIENT = "by patient, 60/20/20"

Read = Callable[[Path, Any], tuple[np.ndarray, np.ndarray]]


class Item(NamedTuple):
    """One slice of a nodule and its patient (empty: unknown)."""

    slice: Slice
    patient: str

    def __str__(self) -> str:
        """Name it in an error message."""
        return f"{self.patient} nodule {self.slice.nodule} slice {self.slice.slice}"


class _Form(NamedTuple):
    """What one form of the data comes to: side of its images, how to read, its splits."""

    side: int
    read: Read
    splits: dict[str, list[Item]]
    attributes: dict[str, Any]


def open_source(
    *,
    seed: int,
    path: str,
    metadata_csv: str | None = None,
    shift_masks: Sequence[int] = (0, 0),
    size: int = 128,
    images: Mapping[str, int | None] | None = None,
    sha256: str | None = None,
) -> Source:
    """Open the pickle, the HDF5 file or the folder of DICOM files at ``path``.

    Args:
        seed: of the split by patient, of the limits and of the raters' order (DICOM).
        path: file or folder.
        metadata_csv: TCIA's list, for the patient of each series; by default the package knows it.
        shift_masks: pixels down and right to move the masks by. In the pickle they lie one pixel
            up-left of the image: [1, 1] puts them right; the published study left them.
        size: side of the images, pixels; a divisor of 128. Blocks are averaged (image) or taken at
            their maximum (masks).
        images: so many of a split, drawn by the seed; null, for one split or for all: every one.
        sha256: what the file's must be; by default one that was not published is only warned of.

    Raises:
        InputError: the file is none of the three, names a foreign class, is not whole, or has
            another checksum; a series' patient is unknown; ``size`` or ``shift_masks`` do not fit.
    """
    form = _open(Path(path), seed, metadata_csv, sha256)
    if size < 1 or form.side % size:
        raise InputError(f"lidc: size: expected a divisor of {form.side}, came {size}")
    if len(shift_masks) != 2 or any(abs(s) >= form.side for s in shift_masks):
        raise InputError(f"lidc: shift_masks: expected [down, right] in pixels, came {shift_masks}")
    splits = limit(form.splits, images, seed, "lidc")
    for split, part in splits.items():
        _LOG.info("lidc: %s: %d images of %d patients", split, *_counts(part).values())
    return Source(
        shape=(size, size),
        channels=1,
        raters=RATERS,
        classes=["background", "nodule"],
        splits=splits,
        read=partial(_read, path=Path(path), form=form.read, shift=tuple(shift_masks), size=size),
        corruptions=tuple(CORRUPTIONS),
        attributes={
            "title": "LIDC-IDRI",
            "licence": "CC BY 3.0",
            "citation": "Armato et al. 2011; TCIA collection LIDC-IDRI",
            "caption": "CT patches around lung nodules, four radiologists",
            **form.attributes,
            "shift_masks": list(shift_masks),
            "counts": {split: _counts(part) for split, part in splits.items()},
        },
    )


def _open(path: Path, seed: int, metadata_csv: str | None, sha256: str | None) -> _Form:
    if path.is_dir():
        splits = _by_patient(dicom.index(path), seed, metadata_csv)
        read = partial(dicom.read, seed=seed)
        return _Form(dicom.SIDE, read, splits, {"split": _BY_PATIENT, "units": "HU"})
    if not path.is_file():
        raise InputError(f"lidc: path: no file or folder {path}")
    with path.open("rb") as file:
        magic = file.read(len(hdf5.MAGIC))
    if magic == hdf5.MAGIC:
        attributes = {
            "sha256": _checksum(path, None, sha256),
            "split": "the file's own; patients unknown",
        }
        splits = {k: [Item(s, "") for s in v] for k, v in hdf5.index(path).items()}
        return _Form(hdf5.side(path), hdf5.read, splits, attributes)
    if magic.startswith(pickle_file.MAGIC):
        attributes = {
            "sha256": _checksum(path, _PUBLISHED_PICKLE, sha256),
            "split": _BY_PATIENT,
        }
        slices = pickle_file.index(path)
        splits = _by_patient(slices, seed, metadata_csv)
        return _Form(pickle_file.side(slices), pickle_file.read, splits, attributes)
    raise InputError(f"{path}: expected a pickle, an HDF5 file or a folder of DICOM files")


def _checksum(path: Path, published: str | None, expected: str | None) -> str:
    found = checksum(path, None if expected else published)
    if expected and found != expected.lower():
        raise InputError(f"{path}: sha256 is {found}; the settings expect {expected}")
    return found


def _by_patient(
    slices: Sequence[Slice], seed: int, metadata_csv: str | None
) -> dict[str, list[Item]]:
    if metadata_csv is not None:
        patients = patients_by_series(Path(metadata_csv))
    else:
        patients = {s: patient for s, (patient, _) in scans_by_series().items()}
    unknown = sorted({s.series for s in slices} - patients.keys())
    if unknown:
        raise InputError(
            f"lidc: the patient of series {unknown[0]!r} and {len(unknown) - 1} others is unknown; "
            "give metadata_csv, TCIA's list of series and patients (LIDC-IDRI_MetaData.csv)"
        )
    items = [Item(s, patients[s.series]) for s in slices]
    parts = by_group([item.patient for item in items], seed, "lidc")
    return {split: [items[i] for i in part] for split, part in parts.items()}


def _counts(items: Sequence[Item]) -> dict[str, int]:
    return {"images": len(items), "patients": len({i.patient for i in items} - {""})}


def _read(item: Item, path: Path, form: Read, shift: tuple[int, int], size: int) -> Sample:
    """Read one slice, shift its masks, take blocks."""
    image, masks = form(path, item.slice.place)
    block = image.shape[0] // size
    return Sample(
        image=_blocks(image, block).mean((-3, -1), dtype=np.float32)[None],
        labels=_blocks(shift_down_right(masks, shift), block).max((-3, -1)),
        coordinates=_coordinates(item),
    )


def _coordinates(item: Item) -> dict[str, Any]:
    """None where the file tells nothing of its slices (HDF5)."""
    if not item.patient:
        return {}
    _, _, nodule, number, spacing = item.slice
    return {"patient": item.patient, "nodule": nodule, "slice": number, "spacing": spacing}


def shift_down_right(masks: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    """Move masks (..., y, x) by ``shift`` pixels down and right; what enters is background."""
    down, right = shift
    height, width = masks.shape[-2:]
    out = np.zeros_like(masks)
    out[..., max(down, 0) : height + down, max(right, 0) : width + right] = masks[
        ..., max(-down, 0) : height - down, max(-right, 0) : width - right
    ]
    return out


def _blocks(array: np.ndarray, block: int) -> np.ndarray:
    """(..., y, x) as (..., y / block, block, x / block, block)."""
    *lead, height, width = array.shape
    return array.reshape(*lead, height // block, block, width // block, block)
