"""Stage score: maps, predictions and samples of one cell and replicate -> its rows of scores.

Every task of the config section ``scores`` reads what it needs, a block of images at a time, so
memory does not grow with their number; only per-image scores are kept.
"""

import csv
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from segue import dims, plugins, store
from segue.errors import InputError
from segue.files import replacing
from segue.task import Score
from segue.variants import named

KEY = ("study", "dataset", "aleatoric", "epistemic", "replicate")
COLUMNS = (
    "study",
    "task",
    "metric",
    "variant",
    "dataset",
    "split",
    "aleatoric",
    "epistemic",
    "replicate",
    "measure",
    "aggregation",
    "image",
    "score",
)
"""Of the rows; ``image`` is an index or ``all``; ``measure`` and ``aggregation`` may be empty."""

_log = logging.getLogger(__name__)


def score(
    out: Path,
    *,
    dataset: str,
    samples: str,
    maps: str,
    key: dict[str, Any],
    variants: list[str],
    options: dict[str, dict[str, Any]],
) -> None:
    """Write the scores of every task and split to the CSV file ``out``.

    Args:
        out: path of the file.
        dataset, samples, maps: paths of the stores.
        key: value of each of ``KEY``, which every row carries.
        variants: names of the variants to compute (``segue.variants``), the main one first.
        options: config section ``scores``: the options of each task to score, by its name.

    Raises:
        InputError: stores that do not fit together, a split that a task needs is missing, an
            unknown option, or a score that is no finite number.
    """
    splits = open_splits(Path(dataset), Path(samples), Path(maps))
    with replacing(out) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for task, options_of_task in options.items():
            for found in scores(task, splits, variants, options_of_task):
                for variant in [found.variant] if found.variant else variants:
                    writer.writerows(_rows(task, found, variant, key))


def open_splits(dataset: Path, samples: Path, maps: Path) -> dict[str, xr.Dataset]:
    """Open each split of the maps with its labels and samples, not loaded (see ``segue.task``).

    Raises:
        InputError: the stores do not have the same splits, images or classes.
    """
    splits = {}
    for name in store.splits(maps):
        sources = (
            (dataset, "labels", dims.LABELS),
            (samples, "probs", dims.SAMPLES),
            (maps, "uncertainty", dims.UNCERTAINTY),
            (maps, "prediction", dims.PREDICTION),
        )
        variables: dict[str, xr.DataArray] = {}
        for path, variable, expected in sources:
            array = store.open_split(path, name)[variable].reset_coords(drop=True)
            dims.check(array, expected, f"{path}/{name}/{variable}")
            for dim in set(array.dims) & {"image", "class", "y", "x"}:
                sizes = {other.sizes[dim] for other in variables.values() if dim in other.dims}
                if sizes - {array.sizes[dim]}:
                    raise InputError(
                        f"{path}/{name}/{variable}: expected {sizes.pop()} along {dim!r} as in the "
                        f"other stores, found {array.sizes[dim]}; make the store anew"
                    )
            variables[variable] = array
        splits[name] = xr.Dataset(variables)
    return splits


def scores(
    task: str, splits: Mapping[str, xr.Dataset], variants: Sequence[str], options: dict[str, Any]
) -> Iterator[Score]:
    """Scores of one task, named by its module, of all splits; see ``score`` for args and errors."""
    where = f"scores.{task}"
    plugins.compare(
        options,
        plugins.options(f"segue.tasks.{plugins.require('tasks', task, where)}", "score"),
        where,
    )
    module = plugins.load("tasks", task)
    if missing := [name for name in module.TASK.references if name not in splits]:
        raise InputError(
            f"{where}: needs the split {missing[0]!r}, found only {', '.join(splits)}; "
            "add it to the dataset or remove the task"
        )
    _log.info("%s", task)
    for found in module.score(splits, named(variants), **options):
        if not np.isfinite(found.values).all():
            raise InputError(
                f"{where}: {found.metric} {found.measure} {found.aggregation} of the split "
                f"{found.split!r} is no finite number; check the maps"
            )
        yield found


def _rows(task: str, found: Score, variant: str, key: dict[str, Any]) -> Iterator[list[Any]]:
    """Rows of ``COLUMNS``; floats are written so that reading gives the same number."""
    values = np.atleast_1d(np.asarray(found.values, np.float64)).tolist()
    images = range(len(values)) if np.ndim(found.values) else ["all"]
    row = {**key, "task": task, "variant": variant, **_names(found)}
    head = [row[column] for column in COLUMNS[:-2]]
    for image, value in zip(images, values, strict=True):
        yield [*head, image, value]


def _names(found: Score) -> dict[str, str]:
    return {n: getattr(found, n) for n in ("metric", "split", "measure", "aggregation")}
