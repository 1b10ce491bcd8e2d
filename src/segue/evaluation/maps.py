"""Samples -> maps: total, aleatoric and epistemic uncertainty, and the mean prediction.

The information-theoretic split of Depeweg et al. (2018), https://arxiv.org/abs/1710.07283; the same
formula for every cell of the study, by both estimators of ``segue.evaluation.estimators``.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.special import entr
from tqdm import tqdm

from segue import dims, integrity, store
from segue.blocks import block_size, blocks
from segue.errors import InputError
from segue.evaluation.canonical import canonical, known
from segue.evaluation.estimators import ESTIMATORS, JACKKNIFE, PLUGIN, corrections
from segue.evaluation.probabilities import probabilities

NONE_ROLES = ("samples_as_hypotheses", "strict")


def write_maps(out: Path, *, samples: str, none_roles: str) -> None:
    """Write the store ``out``: per split the maps of each estimator and ``prediction``, float32.

    ``uncertainty`` and ``uncertainty_jackknife`` (image, measure, y, x) are in nats; ``prediction``
    (image, class, y, x) is the mean of the class probabilities over both sample dimensions.

    Args:
        out: path of the new ``maps.zarr``.
        samples: path of ``samples.zarr``.
        none_roles: what a cell with a single weight hypothesis means by EU (protocol §6):
            ``samples_as_hypotheses`` takes its AU samples as hypotheses, ``strict`` gives EU = 0.

    Raises:
        InputError: an unknown ``none_roles``, or samples that are no probabilities.
    """
    source = Path(samples)
    splits = {
        name: canonical(store.open_split(source, name)) for name in known(store.splits(source))
    }
    total = sum(split.sizes["image"] for split in splits.values())
    with store.publish(out) as path, tqdm(total=total, unit="image", mininterval=1) as bar:
        store.describe(path, {"samples": store.attributes(source), "none_roles": none_roles})
        for name, split in splits.items():
            dims.check(split["probs"], dims.SAMPLES, f"{source}/{name}/probs")
            _write(path, name, in_roles(split[["probs"]], none_roles), source, bar)
            for key, values in identities(split).items():
                store.coordinate(path, name, key, "image", values)


def identities(split: xr.Dataset) -> dict[str, list[str]]:
    """``name`` and ``patient`` of each image as text, as far as a split has them."""
    found = (name for name in ("name", "patient") if name in split and split[name].ndim == 1)
    return {name: [str(value) for value in split[name].values] for name in found}


def in_roles(split: xr.Dataset, none_roles: str) -> xr.Dataset:
    """A split whose draws count as hypotheses, where it has one hypothesis and they are to.

    Raises:
        InputError: an unknown ``none_roles``; see ``write_maps``.
    """
    if none_roles not in NONE_ROLES:
        raise InputError(f"none_roles: expected one of {NONE_ROLES}, found {none_roles!r}")
    if none_roles == "samples_as_hypotheses" and split.sizes["eu_sample"] == 1:
        return split.rename(eu_sample="au_sample", au_sample="eu_sample")
    return split


def mapped(split: xr.Dataset) -> Iterator[xr.Dataset]:
    """Maps of a split, a block of images at a time: as ``write_maps`` writes them.

    Args:
        split: with ``probs`` (image, eu_sample, au_sample, class, y, x).
    """
    for block in blocks(split, "probs"):
        probs = probabilities(block["probs"])
        prediction = probs.mean(("eu_sample", "au_sample"), skipna=False)
        found = {ESTIMATORS[name]: maps for name, maps in estimates(probs, *ESTIMATORS).items()}
        maps = xr.Dataset(found).transpose(*dims.UNCERTAINTY)
        yield maps.assign(prediction=prediction)


def decompose(probs: xr.DataArray, estimator: str = PLUGIN) -> xr.DataArray:
    """Information-theoretic split TU = AU + EU, in nats.

    p̄_e, the mean over ``au_sample``, is the predictive distribution of weight hypothesis e;
    TU = H(E_e p̄_e), AU = E_e H(p̄_e), EU = TU - AU.

    Args:
        probs: class probabilities with dims eu_sample, au_sample, class and any others.
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
    return estimates(probs, estimator)[estimator]


def estimates(probs: xr.DataArray, *estimators: str) -> dict[str, xr.DataArray]:
    """``decompose`` by each of some estimators, with what they share computed once."""
    hypothesis = probs.mean("au_sample", skipna=False)
    total = entropy(hypothesis.mean("eu_sample", skipna=False))
    aleatoric = entropy(hypothesis).mean("eu_sample", skipna=False)
    plugin = _maps(total, aleatoric, (total - aleatoric).clip(min=0))
    found = dict.fromkeys(estimators, plugin)
    if JACKKNIFE in found and probs.sizes["au_sample"] > 1:
        of_total, of_hypotheses = corrections(probs)
        total = total + of_total
        aleatoric = aleatoric + of_hypotheses.mean("eu_sample", skipna=False)
        found[JACKKNIFE] = _maps(total, aleatoric, total - aleatoric)
    return found


def _maps(*measures: xr.DataArray) -> xr.DataArray:
    """TU, AU and EU along ``measure``."""
    found = xr.concat(measures, dim="measure")
    return found.assign_coords(measure=list(dims.MEASURES)).transpose(..., "measure", "y", "x")


def entropy(probs: xr.DataArray) -> xr.DataArray:
    """Shannon entropy over ``class``, in nats, with 0·log 0 = 0."""
    return xr.apply_ufunc(entr, probs).sum("class", skipna=False)


def _write(path: Path, name: str, split: xr.Dataset, source: Path, bar: tqdm) -> None:
    chunk = block_size(split, "probs")
    sizes = {"measure": len(dims.MEASURES), **split.sizes}
    orders = dict.fromkeys(ESTIMATORS.values(), dims.UNCERTAINTY) | {"prediction": dims.PREDICTION}
    arrays = {
        variable: store.create(
            path, name, variable, order, tuple(sizes[d] for d in order), "float32", chunk=chunk
        )
        for variable, order in orders.items()
    }
    store.coordinate(path, name, "measure", "measure", list(dims.MEASURES))
    start = 0
    for block in mapped(split):
        images = slice(start, start + block.sizes["image"])
        for variable, array in arrays.items():
            values = block[variable].values
            if not np.isfinite(values).all():
                raise InputError(
                    f"{source}/{name}/probs: expected class probabilities, found values that are "
                    f"none in images {start} to {images.stop - 1}; {integrity.remedy(source)}"
                )
            array[images] = values
        start = images.stop
        bar.update(block.sizes["image"])
