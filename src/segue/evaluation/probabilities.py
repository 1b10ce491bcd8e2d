"""From class probabilities as they are stored, rounded, to those that are computed with."""

import xarray as xr


def probabilities(stored: xr.DataArray) -> xr.DataArray:
    """Stored (rounded) probabilities as float32 that sum to 1 over ``class``.

    Args:
        stored: floats with a dimension ``class`` and any others.

    Returns:
        The same dimensions. NaN stays NaN.
    """
    probs = stored.astype("float32")
    return probs / probs.sum("class")
