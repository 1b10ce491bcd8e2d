"""Names of dimensions, measures and splits, and the check of an array against them."""

import xarray as xr

from segue.errors import InputError

IMAGE = ("image", "channel", "y", "x")
LABELS = ("image", "rater", "y", "x")
SAMPLES = ("image", "eu_sample", "au_sample", "class", "y", "x")
UNCERTAINTY = ("image", "measure", "y", "x")
PREDICTION = ("image", "class", "y", "x")

MEASURES = ("TU", "AU", "EU")
"""Total, aleatoric and epistemic uncertainty, in the order of every ``measure`` dimension."""


def is_ood(split: str) -> bool:
    """Whether ``split`` holds out-of-distribution images (``ood`` or ``ood_<shift>``)."""
    return split == "ood" or split.startswith("ood_")


def check(array: xr.DataArray, dims: tuple[str, ...], where: str) -> xr.DataArray:
    """Return ``array`` if its dimensions are exactly ``dims``, in that order.

    Raises:
        InputError: naming ``where``, the dimensions expected and those found.
    """
    if array.dims != dims:
        raise InputError(f"{where}: expected dimensions {dims}, found {array.dims}")
    return array
