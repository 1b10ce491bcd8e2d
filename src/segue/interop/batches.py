"""Batches of predictions as loops have them -> arrays as stores have them, checked at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from segue import dims
from segue.errors import InputError
from segue.evaluation.structure import check_arrays, check_types
from segue.evaluation.values import Found, values
from segue.store import Array

_MAY_LACK = ("eu_sample", "au_sample")


def check_order(given: Sequence[str]) -> tuple[str, ...]:
    """Dimensions of ``probs`` as a loop has them, in any order.

    Raises:
        InputError: one that there is not, one that is there twice, or one that may not be left out.
    """
    order = tuple(given)
    if isinstance(given, str) or set(order) - {*dims.SAMPLES} or len(set(order)) != len(order):
        raise InputError(f"dims: expected some of {dims.SAMPLES}, each once, found {given!r}")
    for dim in dims.SAMPLES:
        if dim not in order and dim not in _MAY_LACK:
            raise InputError(
                f"dims: expected {dim!r} in {order}; only {' and '.join(_MAY_LACK)} may be left "
                "out, and have size 1 then"
            )
    return order


def batch_of(probs: Any, labels: Any, order: tuple[str, ...], split: str, root: str) -> xr.Dataset:
    """A batch in memory: ``probs`` by ``dims.SAMPLES`` and ``labels`` by ``dims.LABELS``.

    Args:
        probs: tensor or array with the dimensions ``order``, or of xarray with names of its own.
        labels: (image, rater, y, x), or (image, y, x) of one rater; those of xarray in any order.
        split: the split's name.
        root: what messages begin with.

    Raises:
        InputError: other numbers of axes, or sizes or types that do not fit.
    """
    where = f"{root}/{split}"
    if isinstance(probs, xr.DataArray):
        order = check_order([str(dim) for dim in probs.dims])
    found = numbers(probs, f"{where}/probs")
    if found.ndim != len(order):
        raise InputError(
            f"{where}/probs: expected the {len(order)} axes {order}, found the shape "
            f"{found.shape}; name the axes that it has by `dims` of the PredictionWriter"
        )
    samples = xr.Variable(order, found)
    samples = samples.set_dims([*(dim for dim in _MAY_LACK if dim not in order), *order])
    if isinstance(labels, xr.DataArray):
        if not {"image", "y", "x"} <= {*labels.dims} <= {*dims.LABELS}:
            raise InputError(
                f"{where}/labels: expected the dimensions {dims.LABELS}, found {labels.dims}; "
                "rename those that are called otherwise"
            )
        labels = labels.transpose(*(dim for dim in dims.LABELS if dim in labels.dims))
    masks = numbers(labels, f"{where}/labels")
    masks = masks[:, None] if masks.ndim == 3 else masks
    if masks.ndim != len(dims.LABELS):
        raise InputError(
            f"{where}/labels: expected the axes {dims.LABELS}, or (image, y, x) of one rater, "
            f"found the shape {masks.shape}"
        )
    arrays = {"probs": samples.transpose(*dims.SAMPLES), "labels": xr.Variable(dims.LABELS, masks)}
    stored = {n: Array(v.dims, v.shape, str(v.dtype), v.nbytes) for n, v in arrays.items()}
    check_arrays({split: stored}, root)
    batch = xr.Dataset(arrays)
    check_types({split: batch}, root)
    return batch


def numbers(given: Any, where: str) -> np.ndarray:
    """A tensor of PyTorch on any device, or whatever NumPy takes, as an array.

    Raises:
        InputError: it is neither.
    """
    try:
        if hasattr(given, "detach"):  # a tensor, known without importing PyTorch
            given = given.detach().cpu()
            given = (given.float() if given.is_floating_point() else given).numpy()
        found = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{where}: expected a tensor or an array, found {error}") from error
    if found.dtype.kind not in "biuf":
        raise InputError(f"{where}: expected a tensor or an array of numbers, found {type(given)}")
    return found


def texts(given: Any, count: int, where: str) -> list[str]:
    """Names or patients of a batch as text, empty where one is missing.

    Raises:
        InputError: not one an image.
    """
    try:
        found = [given] if isinstance(given, str) else list(given)
    except TypeError:
        found = [given]
    if isinstance(given, str) or len(found) != count:
        what = repr(given) if isinstance(given, str) else len(found)
        raise InputError(f"{where}: expected {count}, one an image, found {what}")
    return [dims.name_of(each.item() if hasattr(each, "item") else each) for each in found]


def checked(batch: xr.Dataset, split: str, root: str, start: int, names: Sequence[str]) -> Found:
    """What the values of a batch are, see ``segue.evaluation.values``.

    Args:
        batch: of ``batch_of``.
        split: the split's name.
        root: what messages begin with.
        start: images of the split before this batch.
        names: of the images, or none.

    Raises:
        InputError: of the first image that holds what it may not; has its name.
    """
    try:
        return values(batch, f"{root}/{split}", start)
    except InputError:
        for i, name in enumerate(names):  # the same again, to know which image it is
            values(batch.isel(image=[i]), f"{name!r}, {root}/{split}", start + i)
        raise
