"""``data_lidc.pickle`` of the Probabilistic U-Net's PyTorch release: key → image, masks, uid.

The masks of one slice may differ in dtype: those of raters who drew nothing are float64 there.
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from segue.data.contours.nodules import RATERS
from segue.data.sources.lidc.pickle_arrays import Array, array, read_array
from segue.data.sources.lidc.pickle_index import Inert, contents
from segue.data.sources.lidc.slice import UNKNOWN, Slice
from segue.errors import InputError

MAGIC = b"\x80"
_EXPECTED = "expected a dict of dicts with image, masks (4), series_uid and pixel_spacing"


def index(path: Path) -> list[Slice]:
    """Find the slices in the pickle, ordered by key; nothing in it is executed.

    Raises:
        InputError: the file names a foreign class, or is not the dict that it ought to be.
    """
    entries = contents(path)
    if not isinstance(entries, dict) or not entries:
        raise InputError(f"{path}: {_EXPECTED}; came {type(entries).__name__}")
    slices = [_slice(path, str(key), entries[key]) for key in sorted(entries, key=str)]
    shapes = sorted({s.place[0].shape for s in slices})
    if len(shapes) > 1:
        raise InputError(
            f"{path}: images of {len(shapes)} shapes, {shapes[0]} and {shapes[1]}, ..."
        )
    return slices


def side(slices: Sequence[Slice]) -> int:
    """Side of the images, pixels."""
    return slices[0].place[0].shape[0]


def read(path: Path, place: tuple[Array, tuple[Array, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Read one slice.

    Returns:
        image (y, x) float32 in [0, 1] and masks (rater, y, x) uint8 of 0, 1.
    """
    image, masks = place
    with np.errstate(over="ignore"):  # infinite values of a damaged file are refused later
        pixels = read_array(path, image).astype(np.float32)
    return pixels, np.stack([read_array(path, mask) > 0 for mask in masks]).astype(np.uint8)


def _slice(path: Path, key: str, entry: Any) -> Slice:
    if not isinstance(entry, dict) or not {"image", "masks"} <= entry.keys():
        raise InputError(f"{path}: entry {key!r}: {_EXPECTED}")
    image = array(entry["image"])
    masks = entry["masks"] if isinstance(entry["masks"], (list, tuple)) else ()
    masks = tuple(array(mask) for mask in masks)
    if image is None or len(image.shape) != 2 or image.shape[0] != image.shape[1]:
        raise InputError(f"{path}: entry {key!r}: image is not a square array of numbers")
    if len(masks) != RATERS or any(m is None or m.shape != image.shape for m in masks):
        raise InputError(
            f"{path}: entry {key!r}: expected {RATERS} masks of the image's shape {image.shape}"
        )
    numbers = {
        name: int(found[1]) if (found := re.search(rf"{name}\D?(\d+)", key)) else UNKNOWN
        for name in ("slice", "lesion")
    }
    return Slice(
        place=(image, masks),
        series=_text(entry.get("series_uid")),
        nodule=numbers["lesion"],
        slice=numbers["slice"],
        spacing=_spacing(entry.get("pixel_spacing")),
    )


def _text(value: Any) -> str:
    """A string, or the one inside pydicom's UID."""
    if isinstance(value, Inert) and value.arguments:
        value = value.arguments[0]
    return value if isinstance(value, str) else ""


def _spacing(value: Any) -> float:
    """First number in a list, or in pydicom's MultiValue of DSfloat; NaN where there is none."""
    match value:
        case Inert(name="pydicom.multival.MultiValue", state={"_list": [first, *_]}):
            return _spacing(first)
        case Inert(name="pydicom.valuerep.DSfloat", arguments=(first, *_)) | [first, *_]:
            return _spacing(first)
        case float() | int():
            return float(value)
        case str() if re.fullmatch(r"\s*[\d.]+\s*", value):
            return float(value)
    return math.nan
