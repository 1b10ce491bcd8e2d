"""Names of dimensions, measures and splits, and the check of an array against them."""

from typing import Any

import numpy as np
import xarray as xr

from segue.errors import InputError

IMAGE = ("image", "channel", "y", "x")
LABELS = ("image", "rater", "y", "x")
SAMPLES = ("image", "eu_sample", "au_sample", "class", "y", "x")
UNCERTAINTY = ("image", "measure", "y", "x")
PREDICTION = ("image", "class", "y", "x")

UNLABELLED = 255
"""What ``labels`` (uint8) hold where a rater gives no class: a pixel to ignore, or one of an image
that the rater did not see (all pixels of the rater are UNLABELLED then). Classes are 0 to 254."""

MEASURES = ("TU", "AU", "EU")
"""Total, aleatoric and epistemic uncertainty, in the order of every ``measure`` dimension."""


def is_ood(split: str) -> bool:
    """Whether ``split`` holds out-of-distribution images (``ood`` or ``ood_<shift>``)."""
    return split == "ood" or split.startswith("ood_")


REGIONS = ("id", "ood")
"""What Δ is of: a split, and all OOD splits together."""


def region(split: str) -> str:
    """What a split counts towards: ``id`` or ``ood``; any other split is its own, without Δ."""
    return "ood" if is_ood(split) else split


def check(array: xr.DataArray, dims: tuple[str, ...], where: str) -> xr.DataArray:
    """Return ``array`` if its dimensions are exactly ``dims``, in that order.

    Raises:
        InputError: naming ``where``, the dimensions expected and those found.
    """
    if array.dims != dims:
        raise InputError(f"{where}: expected dimensions {dims}, found {array.dims}")
    return array


def unlabelled(stored: np.ndarray) -> np.ndarray:
    """Where labels as they are stored say that there is no class.

    That is where they are ``UNLABELLED``, -1 or NaN, as far as their type has these.
    """
    marked = (stored == UNLABELLED) | (stored == -1)
    return marked | np.isnan(stored) if stored.dtype.kind == "f" else marked


def name_of(value: Any) -> str:
    """A patient or an image's name as text; empty where it is missing.

    That is where it is empty, NaN (what a CF fill value is read as) or a negative number. Numbers
    are compared as numbers: 1 is 1.0.
    """
    if isinstance(value, bytes):
        return value.decode(errors="replace").strip()
    if not isinstance(value, (int, float)):
        return "" if value is None else str(value).strip()
    if not value >= 0:  # NaN is not
        return ""
    return str(int(value)) if value == value // 1 else str(value)
