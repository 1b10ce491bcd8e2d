"""Stage score: maps and predictions of one cell and replicate -> its rows of scores.

Every task of the config section ``scores`` reads what it needs, a block of images at a time, so
memory does not grow with their number; only per-image scores are kept. While they are there, the
scores and Δ get their intervals.
"""

import csv
import dataclasses
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr

from segue import dims, plugins, store
from segue.errors import InputError
from segue.evaluation import draws, intervals
from segue.evaluation.estimators import ESTIMATORS
from segue.evaluation.maps import SAMPLE_DIMS
from segue.evaluation.stores import arrays_of, open_together
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant, by_estimator, named
from segue.files import replacing
from segue.keys import INTERVAL_ROW, SCORE_ROW
from segue.plugins import SUMMARISE

ATTRIBUTES = ("none_roles", *SAMPLE_DIMS)
"""What the maps' attributes, and those of each split to score, say of the samples."""

_SUMMARISED = "summarised"  # the attribute that names the tasks
_SPLIT = ("AU", "EU")  # what TU is split into
ONE_SAMPLE = "one hypothesis with one draw has no split into AU and EU"

_log = logging.getLogger(__name__)


def score(
    out: Path,
    *,
    dataset: str,
    maps: str,
    key: dict[str, Any],
    variants: list[str],
    options: dict[str, dict[str, Any]],
    seed: int,
) -> None:
    """Write the scores of every task and split to the CSV file ``out``; intervals, draws beside it.

    Args:
        out: path of the file; that of the intervals is ``intervals_beside(out)``, that of the
            draws ``segue.evaluation.draws.draws_beside(out)``.
        dataset, maps: paths of the stores.
        key: value of each of ``study`` and of ``segue.keys.REPLICATE``, which every row carries.
        variants: names of the variants to compute (``VARIANTS``), the main one first.
        options: config section ``scores``: the options of each task to score, by its name.
        seed: the study's, for the draws of the intervals.

    Raises:
        InputError: stores that do not fit together, an unknown option, or a score that is no finite
            number without being undefined.
    """
    splits = open_splits(Path(dataset), Path(maps), options)
    references = {name: store.open_split(Path(dataset), name) for name in splits}
    units = {name: intervals.units(split, name) for name, split in references.items()}
    names = {name: image_names(split) for name, split in references.items()}
    weights = intervals.weights(units, seed)
    with replacing(out) as file, replacing(intervals_beside(out)) as second:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SCORE_ROW)
        limits = csv.DictWriter(second, INTERVAL_ROW, extrasaction="ignore", lineterminator="\n")
        limits.writeheader()
        kept: list[intervals.Compared] = []
        for task, options_of_task in options.items():
            drawn = []
            for found in scores(task, splits, variants, options_of_task):
                for variant in [found.variant] if found.variant else variants:
                    written = rows(task, found, variant, key, names)
                    writer.writerows(map(_written, written))
                drawn.append(intervals.draw(found, weights))
            kept += (compared := intervals.compared(task, drawn))
            for row in intervals.intervals(task, drawn, compared):
                known = {name: value for name, value in row.items() if value == value}  # not NaN
                for variant in [row["variant"]] if row["variant"] else variants:
                    limits.writerow(key | known | {"variant": variant})
        draws.write(draws.draws_beside(out), key, kept, variants, weights)


def intervals_beside(scores: Path) -> Path:
    """Path of the file of intervals that belongs to a file of scores."""
    return scores.with_name(f"{scores.stem}-intervals.csv")


def open_splits(dataset: Path, maps: Path, tasks: Iterable[str]) -> dict[str, xr.Dataset]:
    """Open each split of the maps with its labels, not loaded.

    Args:
        dataset, maps: paths of the stores.
        tasks: names of those to score.

    Raises:
        InputError: the stores do not have the same splits, images or classes, or the maps not what
            a task needs of the samples.
    """
    known = store.attributes(maps)
    needed = plugins.taken(SUMMARISE, {task: {} for task in tasks}).keys()
    lacking = [*({*ATTRIBUTES} - known.keys()), *(needed - {*known.get(_SUMMARISED, ())})]
    if lacking:
        raise InputError(
            f"{maps}: knows nothing of {min(lacking)}, as maps that were made for it do; remove "
            f"{maps} and make it again"
        )
    told = {key: known[key] for key in ATTRIBUTES}
    return {name: _open_split(dataset, maps, name, told) for name in store.splits(maps)}


def scores(
    task: str, splits: Mapping[str, xr.Dataset], variants: Sequence[str], options: dict[str, Any]
) -> Iterator[Score]:
    """Scores of one task, named by its module, of all splits; see ``score`` for args and errors.

    None, and a line in the log, where a split or the truth is missing that the task needs. Scores
    of AU and EU are undefined where there is one sample an image.
    """
    where = f"scores.{task}"
    module = plugins.load("tasks", plugins.require("tasks", task, where))
    plugins.check_options("tasks", task, plugins.SCORE, options, where)
    if missing := _missing(module.TASK, splits):
        _log.warning(
            "%s: left out, for it needs %s; found only %s", where, missing, ", ".join(splits)
        )
        return
    if "truth" in module.TASK.reads and not all("truth" in split for split in splits.values()):
        _log.info("%s: left out, for it needs the truth, which not every split has", where)
        return
    _log.info("%s", task)
    for found in _by_variant(module, splits, named(variants), options):
        if not _sound(found):
            what = " ".join(filter(None, (found.metric, found.measure, found.aggregation)))
            raise InputError(
                f"{where}: {what} of the split {found.split!r} is no finite number; check the maps"
            )
        yield _undefined(found) if found.measure in _SPLIT and _one_sample(splits) else found


def _by_variant(
    module: ModuleType,
    splits: Mapping[str, xr.Dataset],
    variants: Sequence[Variant],
    options: dict[str, Any],
) -> Iterator[Score]:
    """Scores of a task by each estimator of the variants, if it depends on the estimator at all.

    Where there are several, a score on which the variants of one agree is given for each of them.
    """
    groups = by_estimator(variants)
    if "uncertainty" not in module.TASK.reads:
        yield from module.score(splits, variants, **options)
        return
    for estimator, of_it in groups.items():
        estimated = {name: _estimated(split, estimator) for name, split in splits.items()}
        for found in module.score(estimated, of_it, **options):
            if found.variant or len(groups) == 1:
                yield found
            else:
                yield from (dataclasses.replace(found, variant=v.name) for v in of_it)


def _estimated(split: xr.Dataset, estimator: str) -> xr.Dataset:
    """A split whose ``uncertainty`` is by one estimator, without the maps of others."""
    others = [name for name in ESTIMATORS.values() if name in split]
    chosen = split[ESTIMATORS[estimator]].variable
    return split.drop_vars(others).assign(uncertainty=chosen)


def _missing(task: Task, splits: Mapping[str, xr.Dataset]) -> str:
    """What the splits lack of those that a task needs, in words; empty where nothing."""
    for name in task.references:
        if name == "ood" and not any(map(dims.is_ood, splits)):
            return "at least one split 'ood_<shift>'"
        if name != "ood" and name not in splits:
            return f"the split {name!r}"
    return ""


def _sound(found: Score) -> bool:
    """Whether the values are numbers where they should be, and NaN only where the task says so."""
    if np.isinf(found.values).any():
        return False
    numbers = np.isfinite(found.values)
    if np.ndim(found.values) == 0:
        return bool(numbers) != bool(found.reason)
    return bool((numbers == (True if found.defined is None else found.defined)).all())


def _one_sample(splits: Mapping[str, xr.Dataset]) -> bool:
    return all(split.attrs[dim] == 1 for split in splits.values() for dim in SAMPLE_DIMS)


def _undefined(found: Score) -> Score:
    """A score of AU or EU where there is no such thing."""
    defined = None if np.ndim(found.values) == 0 else np.zeros(len(found.values), bool)
    values = np.nan if defined is None else np.full(len(defined), np.nan)
    return dataclasses.replace(
        found, values=values, defined=defined, reweighted=None, reason=ONE_SAMPLE
    )


def _written(row: list[Any]) -> list[Any]:
    """A row for a CSV file, in which an undefined score is empty."""
    *head, value = row
    return row if value == value else [*head, ""]


def _open_split(dataset: Path, maps: Path, name: str, told: Mapping[str, Any]) -> xr.Dataset:
    truth = [(dataset, "truth", dims.PREDICTION)] * ("truth" in store.arrays(dataset, name))
    wanted = [
        (dataset, "labels", dims.LABELS),
        *truth,
        *((maps, variable, dims.UNCERTAINTY) for variable in ESTIMATORS.values()),
        (maps, "prediction", dims.PREDICTION),
    ]
    theirs = [each for each in arrays_of(maps, name) if each not in wanted]
    return open_together(name, wanted + theirs).assign_attrs(told)


def image_names(split: xr.Dataset) -> list[str]:
    """Name of each image of a split; empty ones where it has no ``name``."""
    if "name" in split:
        return [str(value) for value in dims.check(split["name"], ("image",), "name").values]
    return [""] * split.sizes["image"]


def rows(
    task: str,
    found: Score,
    variant: str,
    key: Mapping[str, Any],
    names: Mapping[str, Sequence[str]],
) -> Iterator[list[Any]]:
    """Rows of ``SCORE_ROW``; a float is written so that reading gives the same number."""
    row = {**key, **vars(found), "task": task, "variant": variant}
    head = [row[column] for column in SCORE_ROW[:-3]]
    values = np.atleast_1d(np.asarray(found.values, np.float64)).tolist()
    images = enumerate(names[found.split]) if np.ndim(found.values) else [("all", "")]
    for (image, name), value in zip(images, values, strict=True):
        yield [*head, image, name, value]
