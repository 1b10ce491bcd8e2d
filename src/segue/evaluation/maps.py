"""Samples -> maps: total, aleatoric and epistemic uncertainty, and the mean prediction.

The same formula for every cell of the study (``segue.evaluation.decomposition``), by both
estimators of ``segue.evaluation.estimators``. What tasks need of the samples is taken down in the
same pass, and a few samples to look at: neither scores nor figures open the samples.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm import tqdm

from segue import dims, integrity, plugins, rounding, shards, store
from segue.blocks import blocks
from segue.errors import InputError
from segue.evaluation.canonical import known
from segue.evaluation.drawn import Drawn, as_stored, check_roles, few
from segue.evaluation.estimators import ESTIMATORS
from segue.evaluation.shown import choose
from segue.evaluation.stores import open_together
from segue.left_out import COMPLEMENT, SUM
from segue.progress import progress

SAMPLE_DIMS = ("eu_sample", "au_sample")

SHOWN = "shown_probs"
"""Array of the samples of the images to show; its coordinate ``shown`` has their indices."""

Options = Mapping[str, Mapping[str, Any]]
"""Of each task, by its name."""

_WITHOUT = {"prediction": COMPLEMENT, **dict.fromkeys(ESTIMATORS.values(), SUM)}


def write_maps(
    out: Path,
    *,
    dataset: str,
    samples: str,
    none_roles: str,
    bits: int = rounding.ALL["float32"],
    shown: int = 0,
    options: dict[str, dict[str, Any]],
) -> None:
    """Write the store ``out``: per split the arrays of ``mapped``, and the images' names.

    Stored are AU and EU, whose sum is TU, and all classes but the first (``segue.left_out``).

    Args:
        out: path of the new ``maps.zarr``.
        dataset, samples: paths of the stores with the labels and the samples.
        none_roles: what a cell with a single weight hypothesis means by EU (protocol §6):
            ``samples_as_hypotheses`` takes its AU samples as hypotheses, ``strict`` gives EU = 0.
        bits: of the mantissa that maps and predictions keep (``segue.rounding``).
        shown: images of each split whose samples are kept in ``shown_probs`` (shown, eu_sample,
            au_sample, class, y, x), see ``segue.evaluation.shown``.
        options: of the tasks that summarise samples, see ``segue.evaluation.task``.

    Raises:
        InputError: an unknown ``none_roles``, ``bits`` that there are not, stores that do not fit
            together, samples that are no probabilities, or an option that a task does not have.
    """
    check_roles(none_roles)
    rounding.check(bits, "float32", "uncertainty.bits")
    for task, given in options.items():
        plugins.check_options("tasks", task, plugins.SUMMARISE, given, f"scores.{task}")
    references, source = Path(dataset), Path(samples)
    wanted = (references, "labels", dims.LABELS), (source, "probs", dims.SAMPLES)
    names = known(store.splits(source))
    splits = {name: open_together(name, wanted) for name in names}
    if not splits:
        raise InputError(f"{source}: expected splits val, id or ood_<shift>, found none")
    total = sum(split.sizes["image"] for split in splits.values())
    with store.publish(out) as path, progress(total=total, desc=f"maps of {source}") as bar:
        sizes = next(iter(splits.values())).sizes
        store.describe(
            path,
            {
                "samples": store.attributes(source),
                "none_roles": none_roles,
                "bits": bits,
                "summarised": options,
                **{dim: sizes[dim] for dim in SAMPLE_DIMS},
            },
        )
        for name, split in splits.items():
            read = as_stored(split, source, name)
            _write(path, name, mapped(name, read, none_roles, options), bits, read, source, bar)
            _write_shown(path, name, split, choose(split, shown))
            for key, values in identities(store.open_split(source, name)).items():
                store.coordinate(path, name, key, "image", values)


def identities(split: xr.Dataset) -> dict[str, list[str]]:
    """``name`` and ``patient`` of each image as text, as far as a split has them."""
    found = (name for name in ("name", "patient") if name in split and split[name].ndim == 1)
    return {name: [str(value) for value in split[name].values] for name in found}


def mapped(name: str, split: xr.Dataset, none_roles: str, options: Options) -> Iterator[xr.Dataset]:
    """Maps of a split, and what tasks need of its samples, a block of images at a time.

    ``uncertainty`` and ``uncertainty_jackknife`` (image, measure, y, x) are in nats; ``prediction``
    (image, class, y, x) is the mean of the class probabilities over both sample dimensions; all are
    float32. The other arrays are the tasks'.

    Args:
        name: of the split.
        split: with ``probs`` (image, eu_sample, au_sample, class, y, x) and ``labels`` (image,
            rater, y, x), see ``segue.evaluation.drawn.as_stored``.
        none_roles, options: as for ``write_maps``.
    """
    tasks = {task: plugins.load("tasks", task).summarise for task in options}
    for block in blocks(split, "probs", "labels"):
        parts = []
        for drawn in few(block, none_roles):
            parts.append(found := _maps(drawn))
            for task, summarise in tasks.items():
                for key, array in summarise(name, drawn, **options[task]).items():
                    if key in found:
                        raise InputError(f"scores.{task}: there is another array {key!r}")
                    found[key] = array
        yield xr.Dataset({key: _joined([part[key] for part in parts]) for key in parts[0]})


def _maps(drawn: Drawn) -> dict[str, xr.DataArray]:
    coordinate = {"measure": list(dims.MEASURES)}
    found = {
        variable: xr.DataArray(drawn.maps(estimator), coordinate, dims.UNCERTAINTY)
        for estimator, variable in ESTIMATORS.items()
    }
    return found | {"prediction": xr.DataArray(drawn.prediction, dims=dims.PREDICTION)}


def _joined(parts: list[xr.DataArray]) -> xr.DataArray:
    """Arrays of images one after another, with the coordinates of the first."""
    first, *_ = parts
    return xr.DataArray(np.concatenate([part.values for part in parts]), first.coords, first.dims)


def _write(
    path: Path,
    name: str,
    blocks_of_maps: Iterator[xr.Dataset],
    bits: int,
    split: xr.Dataset,
    source: Path,
    bar: tqdm,
) -> None:
    """Write the maps of a split, whose arrays are as the first block has them."""
    arrays, start, waiting = {}, 0, []
    for block in blocks_of_maps:
        for variable in _WITHOUT:
            if not np.isfinite(block[variable].values).all():
                images = f"{start} to {start + block.sizes['image'] - 1}"
                raise InputError(
                    f"{source}/{name}/probs: expected class probabilities, found values that are "
                    f"none in images {images}; {integrity.remedy(source)}"
                )
        start += block.sizes["image"]
        waiting.append(_rounded(block, bits))
        if not arrays:
            arrays, shard = _create(path, name, waiting[0], split)
        if start % shard == 0 or start == split.sizes["image"]:
            for variable, array in arrays.items():
                found = np.concatenate([each[variable].values for each in waiting])
                array[start - len(found) : start] = found
            waiting = []
        bar.update(block.sizes["image"])


def _rounded(block: xr.Dataset, bits: int) -> xr.Dataset:
    """A block whose maps and predictions are rounded."""
    return block.assign(
        {
            name: block[name].copy(data=rounding.rounded(block[name].values, bits))
            for name in _WITHOUT
        }
    )


def _create(
    path: Path, name: str, block: xr.Dataset, split: xr.Dataset
) -> tuple[dict[str, Any], int]:
    """Create the arrays of a split's maps, and write the coordinates that no image has.

    Returns:
        The arrays by name, and how many images are to be written at a time.
    """
    for key, coordinate in block.coords.items():
        store.coordinate(path, name, str(key), str(key), coordinate.values)
    images, chunk = split.sizes["image"], block.sizes["image"]
    shard = shards.images(block.nbytes / block.sizes["image"], chunk)
    arrays = {
        str(variable): store.create(
            path,
            name,
            str(variable),
            array.dims,
            (images, *array.shape[1:]),
            str(array.dtype),
            chunk=chunk,
            shard=shard,
            without=_WITHOUT.get(str(variable)),
        )
        for variable, array in block.items()
    }
    return arrays, shard


def _write_shown(path: Path, name: str, split: xr.Dataset, chosen: list[int]) -> None:
    """Write the samples of the chosen images of a split, in half precision."""
    if not chosen:
        return
    probs = split["probs"].isel(image=chosen).transpose(*dims.SAMPLES)
    store.coordinate(path, name, "shown", "shown", np.array(chosen))
    array = store.create(
        path,
        name,
        SHOWN,
        ("shown", *dims.SAMPLES[1:]),
        probs.shape,
        "float32",
        chunk=1,
        shard=len(chosen),
        without=COMPLEMENT,
        stored_as="float16",
    )
    array[:] = probs.values
