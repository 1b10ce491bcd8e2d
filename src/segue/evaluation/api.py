"""Scores of arrays in memory: what the stages maps and score do, without files."""

import logging
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import pandas as pd
import xarray as xr
import yaml

from segue import plugins
from segue.evaluation.canonical import canonical, known
from segue.evaluation.check import check_splits
from segue.evaluation.drawn import check_roles
from segue.evaluation.maps import SAMPLE_DIMS, mapped
from segue.evaluation.score import image_names, rows, scores
from segue.evaluation.structure import ARRAYS
from segue.evaluation.variants import CORRECTED
from segue.keys import REPLICATE, SCORE_ROW

_CELL = ("study", *REPLICATE)

_log = logging.getLogger(__name__)


def score(
    splits: Mapping[str, xr.Dataset],
    *,
    tasks: Mapping[str, Mapping[str, Any]] | None = None,
    variants: Sequence[str] = (CORRECTED.name,),
    none_roles: str = "samples_as_hypotheses",
) -> pd.DataFrame:
    """Score the predictions of one model on every task; the numbers are those of ``segue score``.

    Args:
        splits: by name: ``val``, on which confidences are fitted, ``id``, and ``ood_<shift>`` for
            each shift, at least one of them; others are left out. A task that needs a split which
            is not there is left out, and the log says so: calibration without ``val``, OOD
            detection without ``id`` or any shift. Each split has ``probs`` (image, eu_sample,
            au_sample, class, y, x), class probabilities in [0, 1] of every draw (``au_sample``)
            under every weight hypothesis (``eu_sample``), and ``labels`` (image, rater, y, x),
            class indices, ``segue.dims.UNLABELLED`` where a rater gives none. They may be lazy, and
            have the ``name`` of each image, and ``truth`` (image, class, y, x), the distribution
            that the labels are drawn from, where it is known.
        tasks: the tasks to score, by name, each with its options; by default all, with the options
            of config.yaml.
        variants: how to score: ``corrected``, ``jackknife``, ``paper_code`` or
            ``paper_code_v1``.
        none_roles: what EU means with one hypothesis: ``samples_as_hypotheses`` takes its draws for
            hypotheses, with ``strict`` EU is 0.

    Returns:
        A row a score, with its task, metric, variant, split, measure (TU, AU, EU, or empty),
        aggregation, image (its index, or ``all`` for a number of the whole split), name (the
        image's) and score, NaN where it is undefined: that of an image which nobody read, of
        ambiguity without two raters, of AU and EU where there is one hypothesis with one draw, and
        of the diversity of draws or raters where there is one.

    Raises:
        InputError: arrays that are missing, do not fit together or hold what they may not, or a
            task, option or variant that there is not.
    """
    for line in check_splits(splits, "splits"):
        _log.info("%s", line)
    if tasks is None:
        defaults = files("segue.evaluation") / "scores.yaml"
        tasks = yaml.safe_load(defaults.read_text(encoding="utf-8"))["scores"]
    check_roles(none_roles)
    plugins.check_tasks(tasks, {})
    whole = {name: _with_maps(name, splits[name], none_roles, tasks) for name in known(splits)}
    names = {name: image_names(splits[name]) for name in whole}
    key = dict.fromkeys(_CELL, "")
    found = [
        row
        for task, options in plugins.taken(plugins.SCORE, tasks).items()
        for each in scores(task, whole, variants, options)
        for variant in ([each.variant] if each.variant else variants)
        for row in rows(task, each, variant, key, names)
    ]
    return pd.DataFrame(found, columns=list(SCORE_ROW)).drop(columns=list(_CELL))


def _with_maps(
    name: str, split: xr.Dataset, none_roles: str, tasks: Mapping[str, Mapping[str, Any]]
) -> xr.Dataset:
    """A split as tasks take it, with the arrays that the stage ``maps`` would write."""
    names = [*ARRAYS, *(["truth"] if "truth" in split else [])]
    given = canonical(split[names].reset_coords(drop=True))
    summarised = plugins.taken(plugins.SUMMARISE, tasks)
    maps = xr.concat(mapped(name, given, none_roles, summarised), dim="image")
    known = {dim: given.sizes[dim] for dim in SAMPLE_DIMS}
    return given.drop_vars("probs").assign(maps).assign_attrs(none_roles=none_roles, **known)
