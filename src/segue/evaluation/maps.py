"""Samples -> maps: total, aleatoric and epistemic uncertainty, and the mean prediction.

The information-theoretic split of Depeweg et al. (2018), https://arxiv.org/abs/1710.07283; the same
formula for every cell of the study, by both estimators of ``segue.evaluation.estimators``. What
tasks need of the samples is taken down in the same pass: scores open no samples.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm import tqdm

from segue import dims, integrity, plugins, store
from segue.blocks import block_size, blocks
from segue.errors import InputError
from segue.evaluation.canonical import known
from segue.evaluation.drawn import Drawn, check_roles, few
from segue.evaluation.estimators import ESTIMATORS, PLUGIN, hypotheses, measures
from segue.evaluation.metrics.entropy import planes
from segue.evaluation.stores import open_together

SAMPLE_DIMS = ("eu_sample", "au_sample")

Options = Mapping[str, Mapping[str, Any]]
"""Of each task, by its name."""


def write_maps(
    out: Path, *, dataset: str, samples: str, none_roles: str, options: dict[str, dict[str, Any]]
) -> None:
    """Write the store ``out``: per split the arrays of ``mapped``, and the images' names.

    Args:
        out: path of the new ``maps.zarr``.
        dataset, samples: paths of the stores with the labels and the samples.
        none_roles: what a cell with a single weight hypothesis means by EU (protocol §6):
            ``samples_as_hypotheses`` takes its AU samples as hypotheses, ``strict`` gives EU = 0.
        options: of the tasks that summarise samples, see ``segue.evaluation.task``.

    Raises:
        InputError: an unknown ``none_roles``, stores that do not fit together, samples that are no
            probabilities, or an option that a task does not have.
    """
    check_roles(none_roles)
    for task, given in options.items():
        plugins.check_options("tasks", task, plugins.SUMMARISE, given, f"scores.{task}")
    references, source = Path(dataset), Path(samples)
    wanted = (references, "labels", dims.LABELS), (source, "probs", dims.SAMPLES)
    splits = {name: open_together(name, wanted) for name in known(store.splits(source))}
    if not splits:
        raise InputError(f"{source}: expected splits val, id or ood_<shift>, found none")
    total = sum(split.sizes["image"] for split in splits.values())
    with store.publish(out) as path, tqdm(total=total, unit="image", mininterval=1) as bar:
        sizes = next(iter(splits.values())).sizes
        store.describe(
            path,
            {
                "samples": store.attributes(source),
                "none_roles": none_roles,
                "summarised": options,
                **{dim: sizes[dim] for dim in SAMPLE_DIMS},
            },
        )
        for name, split in splits.items():
            _write(path, name, mapped(name, split, none_roles, options), split, source, bar)
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
            rater, y, x).
        none_roles, options: as for ``write_maps``.
    """
    tasks = {task: plugins.load("tasks", task).summarise for task in options}
    for block in blocks(split, "probs", "labels"):
        parts = []
        for drawn in few(block, none_roles):
            found = _maps(drawn)
            for task, summarise in tasks.items():
                for key, array in summarise(name, drawn, **options[task]).items():
                    if key in found:
                        raise InputError(f"scores.{task}: there is another array {key!r}")
                    found[key] = array
            parts.append(xr.Dataset(found))
        yield xr.concat(parts, dim="image")


def _maps(drawn: Drawn) -> dict[str, xr.DataArray]:
    coordinate = {"measure": list(dims.MEASURES)}
    found = {
        variable: xr.DataArray(drawn.maps(estimator), coordinate, dims.UNCERTAINTY)
        for estimator, variable in ESTIMATORS.items()
    }
    return found | {"prediction": xr.DataArray(drawn.prediction, dims=dims.PREDICTION)}


def decompose(probs: xr.DataArray, estimator: str = PLUGIN) -> xr.DataArray:
    """Information-theoretic split TU = AU + EU, in nats.

    p̄_e, the mean over ``au_sample``, is the predictive distribution of weight hypothesis e;
    TU = H(E_e p̄_e), AU = E_e H(p̄_e), EU = TU - AU.

    Args:
        probs: class probabilities with dims eu_sample, au_sample, class and any others. They are
            computed with in single precision, or in double if they have it.
        estimator: ``plugin`` takes the means of the draws for p̄_e, and clips EU at 0, where
            rounding leaves it below; ``jackknife`` corrects TU and AU for the noise of these means
            (see ``segue.evaluation.estimators``), so any measure may leave its range in a pixel,
            and EU is negative in some. Both are equal where there is one draw a hypothesis.

    Returns:
        The others' dims with ``measure`` (TU, AU, EU) before y and x; by ``plugin`` in
        [0, ln classes].

    Raises:
        InputError: there is no such estimator.
    """
    if estimator not in ESTIMATORS:
        raise InputError(f"estimator: unknown {estimator!r}; there are: {', '.join(ESTIMATORS)}")
    samples = probs.transpose("eu_sample", "au_sample", "class", ...)
    samples = samples.astype(np.result_type(samples.dtype, np.float32), copy=False)
    found = measures(hypotheses(planes(samples.values, axis=2)), estimator)
    one = samples.isel({"eu_sample": 0, "au_sample": 0, "class": 0}, drop=True)
    maps = one.expand_dims(measure=list(dims.MEASURES)).copy(data=found.astype(samples.dtype))
    return maps.transpose(..., "measure", "y", "x")


def _write(
    path: Path,
    name: str,
    blocks_of_maps: Iterator[xr.Dataset],
    split: xr.Dataset,
    source: Path,
    bar: tqdm,
) -> None:
    """Write the maps of a split, whose arrays are as the first block has them."""
    arrays, start = {}, 0
    for block in blocks_of_maps:
        images = slice(start, start + block.sizes["image"])
        for variable in ("prediction", *ESTIMATORS.values()):
            if not np.isfinite(block[variable].values).all():
                raise InputError(
                    f"{source}/{name}/probs: expected class probabilities, found values that are "
                    f"none in images {start} to {images.stop - 1}; {integrity.remedy(source)}"
                )
        if not arrays:
            arrays = _create(path, name, block, split)
        for variable, array in arrays.items():
            array[images] = block[variable].values
        start = images.stop
        bar.update(block.sizes["image"])


def _create(path: Path, name: str, block: xr.Dataset, split: xr.Dataset) -> dict[str, Any]:
    """Create the arrays of a split's maps, and write the coordinates that no image has."""
    for key, coordinate in block.coords.items():
        store.coordinate(path, name, str(key), str(key), coordinate.values)
    images, chunk = split.sizes["image"], block_size(split, "probs")
    return {
        variable: store.create(
            path,
            name,
            variable,
            array.dims,
            (images, *array.shape[1:]),
            str(array.dtype),
            chunk=chunk,
        )
        for variable, array in block.items()
    }
