"""Stage prepare: any dataset source -> one dataset store, images normalised as networks take them.

Blocks of images are read by worker processes and written in order, so memory stays flat and the
store does not depend on how many workers there are.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr
from tqdm import tqdm

from segue import dims, plugins, seeds, store
from segue.data.corruptions import CORRUPTIONS
from segue.data.source import Sample, Source
from segue.data.statistics import of_split, sentence
from segue.data.workers import workers
from segue.errors import InputError
from segue.progress import progress

_BLOCK = 64  # images of a worker's task, and of a chunk of the store
_ROUNDING = 4 * np.finfo(float).eps  # of an image's largest value; less than that is constant
_ROUNDED = 1e-5  # how far a sum of float32 probabilities may be off
_SQUARES = (1e-140, 1e140)  # between which values have squares

_log = logging.getLogger(__name__)


class _Shape(NamedTuple):
    """What every sample of a source must look like."""

    image: tuple[int, int, int]
    labels: tuple[int, int, int]
    classes: int
    truth: bool
    normalised: bool


class _Block(NamedTuple):
    """Consecutive images: normalised, by shift (``""`` for the clean ones), and what is of both."""

    images: dict[str, np.ndarray]
    others: dict[str, np.ndarray]  # labels and perhaps truth
    coordinates: list[Mapping[str, Any]]


def prepare(out: Path, *, source: str, options: Mapping[str, Any], seed: int, threads: int) -> None:
    """Write the dataset ``segue.data.sources.<source>`` to the store ``out``.

    Args:
        out: path of the new ``dataset.zarr``.
        source: name of the dataset module.
        options: keyword arguments of its ``open_source``.
        seed: of the study; splits, raters' order and corruptions derive from it.
        threads: worker processes.

    Raises:
        InputError: no such source or option, or data that are missing or not as expected.
    """
    plugins.require("sources", source, "source")
    plugins.check_options("sources", source, "open_source", options, "options")
    opened = plugins.load("sources", source).open_source(seed=seed, **options)
    write_source(opened, out, name=source, seed=seed, threads=threads)


def write_source(source: Source, out: Path, *, name: str, seed: int, threads: int) -> None:
    """Write ``source`` to the store ``out``: a group for each split, and for each shift of ``id``.

    Every image is normalised to mean 0 and standard deviation 1 (a constant one only to mean 0),
    but for a source that does so itself. Corruptions come before that, in the source's units. OOD
    splits made of ``id`` carry its labels, truth and coordinates.

    Raises:
        InputError: a split is empty, or a sample cannot be read or is not as ``source`` says; names
            split and item. Nothing is left at ``out``.
    """
    for split, items in source.splits.items():
        if not items:
            raise InputError(f"{name}: the split {split!r} has no images")
    total = sum(len(items) for items in source.splits.values())
    with (
        store.publish(Path(out)) as path,
        progress(total=total, desc=f"prepare {name}") as bar,
        workers(threads) as run,
    ):
        store.describe(path, _attributes(source, name, seed))
        for split in source.splits:
            _write_split(source, split, path, seed=seed, run=run, bar=bar)
        statistics = {s: of_split(store.open_split(path, s)) for s in store.splits(path)}
        store.describe(path, {"statistics": statistics})
        said = sentence(store.attributes(path), statistics, source.shape)
        _log.info("%s: %s", name, said)


def _write_split(
    source: Source, split: str, path: Path, *, seed: int, run: Callable, bar: tqdm
) -> None:
    items = source.splits[split]
    shifts = list(source.corruptions) if split == "id" else []
    groups = {"": split} | {shift: f"ood_{shift}" for shift in shifts}
    arrays = {shift: _create(path, group, source, len(items)) for shift, group in groups.items()}
    shape = _Shape(
        (source.channels, *source.shape),
        (source.raters, *source.shape),
        len(source.classes),
        source.truth,
        source.normalised,
    )
    starts = range(0, len(items), _BLOCK)
    read = partial(
        _read_block, read=source.read, shape=shape, split=split, shifts=shifts, seed=seed
    )
    numbered = list(enumerate(items))
    tasks = (partial(read, numbered[start : start + _BLOCK]) for start in starts)
    coordinates = []
    for start, block in zip(starts, run(tasks), strict=True):
        here = slice(start, start + len(block.coordinates))
        for shift, of_group in arrays.items():
            of_group["image"][here] = block.images[shift]
            for name, values in block.others.items():
                of_group[name][here] = values
        coordinates.extend(block.coordinates)
        bar.update(len(block.coordinates))
    for key in coordinates[0]:
        for group in groups.values():
            store.coordinate(path, group, key, "image", [c[key] for c in coordinates])


def _create(path: Path, group: str, source: Source, count: int) -> dict[str, zarr.Array]:
    """New arrays ``image``, ``labels`` and perhaps ``truth`` of one split."""
    wanted = {
        "image": (dims.IMAGE, source.channels, "float32"),
        "labels": (dims.LABELS, source.raters, "uint8"),
    }
    if source.truth:
        wanted["truth"] = (dims.PREDICTION, len(source.classes), "float32")
    return {
        name: store.create(
            path, group, name, order, (count, size, *source.shape), dtype, chunk=_BLOCK
        )
        for name, (order, size, dtype) in wanted.items()
    }


def _attributes(source: Source, name: str, seed: int) -> dict[str, Any]:
    return {
        **source.attributes,
        "source": name,
        "seed": seed,
        "code_version": version("segue"),
        "classes": len(source.classes),
        "class_names": list(source.classes),
        "raters": source.raters,
        "channels": source.channels,
        "size": list(source.shape),
    }


def _read_block(
    items: Sequence[tuple[int, Any]],
    *,
    read: Callable[[Any], Sample],
    shape: _Shape,
    split: str,
    shifts: Sequence[str],
    seed: int,
) -> _Block:
    """Read and normalise ``items`` (number in the split, item), clean and shifted."""
    images: dict[str, list[np.ndarray]] = {shift: [] for shift in ("", *shifts)}
    others: dict[str, list[np.ndarray]] = {"labels": []} | ({"truth": []} if shape.truth else {})
    coordinates = []
    normalise = _unchanged if shape.normalised else _normalise
    for number, item in items:
        sample = _read(item, read, shape, split)
        where = f"{split}, {item}"
        images[""].append(normalise(sample.image, where))
        for shift in shifts:
            rng = seeds.rng(seed, "corruption", shift, number)
            images[shift].append(normalise(CORRUPTIONS[shift](sample.image, rng), where))
        for name, arrays in others.items():
            arrays.append(getattr(sample, name))
        coordinates.append(sample.coordinates)
    stacked = {shift: np.stack(arrays) for shift, arrays in images.items()}
    return _Block(stacked, {name: np.stack(each) for name, each in others.items()}, coordinates)


def _read(item: Any, read: Callable[[Any], Sample], shape: _Shape, split: str) -> Sample:
    """One sample, checked against what its source promises."""
    try:
        sample = read(item)
    except (InputError, OSError, ValueError) as error:
        raise InputError(f"{split}, {item}: cannot be read: {error}") from error
    for what, array, expected in (
        ("image", sample.image, shape.image),
        ("labels", sample.labels, shape.labels),
    ):
        if array.shape != expected:
            raise InputError(
                f"{split}, {item}: expected {what} of shape {expected}, got {array.shape}"
            )
    if not np.isfinite(sample.image).all():
        raise InputError(f"{split}, {item}: the image has values that are not finite")
    classes = sample.labels[sample.labels != dims.UNLABELLED]
    if classes.size and classes.max() >= shape.classes:
        raise InputError(
            f"{split}, {item}: expected classes below {shape.classes}, got {classes.max()}"
        )
    if shape.truth:
        _check_truth(sample.truth, (shape.classes, *shape.labels[1:]), f"{split}, {item}")
    if split == "train" and not classes.size:
        raise InputError(
            f"{split}, {item}: no rater gives any pixel a class, so that nothing can be learned "
            "from it; remove it, or move it to another split"
        )
    return sample


def _check_truth(truth: np.ndarray | None, expected: tuple[int, ...], where: str) -> None:
    shape = None if truth is None else truth.shape
    if shape != expected:
        raise InputError(f"{where}: expected truth of shape {expected}, got {shape}")
    if not ((truth >= 0).all() and np.abs(truth.sum(axis=0) - 1).max() < _ROUNDED):
        raise InputError(f"{where}: expected probabilities as truth, which sum to 1 over classes")


def _unchanged(image: np.ndarray, where: str) -> np.ndarray:
    """An image of a source that normalises its own, float32."""
    return image.astype(np.float32)


def _normalise(image: np.ndarray, where: str) -> np.ndarray:
    """z-score of one image over all its channels and pixels, float32."""
    image = image.astype(float)
    largest, spread = np.abs(image).max(), image.max() / 2 - image.min() / 2
    constant = spread <= _ROUNDING * largest
    if largest > _SQUARES[1] or not (constant or spread > _SQUARES[0]):
        raise InputError(
            f"{where}: values up to {largest:g}, too large or too small to be squared; scale them"
        )
    return ((image - image.mean()) / (1 if constant else image.std())).astype(np.float32)
