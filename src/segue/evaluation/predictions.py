"""Scores and Δ of predictions that another program wrote, by the stages that the workflow runs."""

import logging
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from segue import dims, plugins
from segue.errors import InputError
from segue.evaluation import intervals
from segue.evaluation.check import check
from segue.evaluation.entanglement import Ranked
from segue.evaluation.entanglement import deltas as deltas_of_means
from segue.evaluation.maps import write_maps
from segue.evaluation.score import intervals_beside, score
from segue.evaluation.variants import named
from segue.files import replacing
from segue.schema import read_yaml

STUDY = "predictions"
GIVEN = "given"

_DEFAULTS = files("segue.evaluation") / "scores.yaml"
_KINDS = {dict: "a mapping", list: "a list that is not empty", int: "an integer"}

_log = logging.getLogger(__name__)


def score_predictions(
    store: Path,
    out: Path,
    *,
    dataset: str | None = None,
    aleatoric: str = GIVEN,
    epistemic: str = GIVEN,
    config: Path | None = None,
) -> None:
    """Check a store, then write maps, scores and Δ to the folder ``out``.

    ``maps.zarr``; ``scores.csv`` (``segue.keys.SCORE_ROW``) with its intervals beside it;
    and ``deltas.csv``, see ``deltas``, under the first variant.

    Args:
        store: of another program's samples and references, see ``segue.evaluation.check``.
        out: path of the folder, see ``segue.evaluation.output``.
        dataset: what the rows call the dataset; the store's name by default.
        aleatoric, epistemic: what they call the methods.
        config: YAML file; its sections seed, variants, uncertainty, scores and tables, those of
            them that it has, replace those of ``segue/evaluation/scores.yaml``.

    Raises:
        InputError: something is wrong with the store or the config, or the maps are there already.
    """
    maps, scores = out / "maps.zarr", out / "scores.csv"
    options = settings(config)
    _log.info("checking %s", store)
    for line in check(store):
        _log.info("%s: %s", store, line)
    _log.info("maps of uncertainty")
    summarised = plugins.taken(plugins.SUMMARISE, options["scores"])
    write_maps(
        maps,
        dataset=str(store),
        samples=str(store),
        options=summarised,
        **options["uncertainty"],
    )
    score(
        scores,
        dataset=str(store),
        maps=str(maps),
        key={
            "study": STUDY,
            "dataset": dataset or store.resolve().stem,
            "aleatoric": aleatoric,
            "epistemic": epistemic,
            "replicate": 0,
        },
        variants=options["variants"],
        options=plugins.taken(plugins.SCORE, options["scores"]),
        seed=options["seed"],
    )
    found = deltas(scores, options["variants"][0], options["tables"]["tasks"])
    with replacing(out / "deltas.csv") as file:
        file.write(found.to_csv(index=False, lineterminator="\n"))


def settings(config: Path | None) -> dict[str, Any]:
    """The sections of a config file that say how to score; defaults for those it does not have.

    Raises:
        InputError: no such file, it is no YAML mapping, or a section is not as it ought to be.
    """
    defaults = yaml.safe_load(_DEFAULTS.read_text(encoding="utf-8"))
    if config is None:
        return defaults
    found = read_yaml(config, "the section `scores`")
    chosen = defaults | {name: found[name] for name in defaults if name in found}
    _check(chosen, defaults, f"{config}: ")
    return chosen


def _check(chosen: dict[str, Any], defaults: dict[str, Any], prefix: str) -> None:
    """Check what the workflow's schema checks, before a large store is read for nothing."""
    for name, section in defaults.items():
        _check_kind(chosen[name], type(section), f"{prefix}{name}")
    for name in ("uncertainty", "tables"):
        plugins.compare(chosen[name], dict.fromkeys(defaults[name], True), f"{prefix}{name}")
    named(chosen["variants"])
    _check_kind(chosen["tables"]["tasks"], dict, f"{prefix}tables.tasks")
    for name, given in chosen["scores"].items():
        _check_kind(given, dict, f"{prefix}scores.{name}")
    plugins.check_tasks(chosen["scores"], chosen["tables"]["tasks"], prefix)


def _check_kind(found: Any, kind: type, where: str) -> None:
    if not isinstance(found, kind) or found == []:
        raise InputError(f"{where}: expected {_KINDS[kind]}, found {found!r}")


def deltas(scores: Path, variant: str, aggregations: dict[str, str]) -> pd.DataFrame:
    """Δ and its interval of each task on ``id`` and on ``ood``, the mean of the OOD splits.

    Args:
        scores: a file of scores; read is that of the intervals beside it.
        variant: the one to take.
        aggregations: the tasks that rank, and which of their aggregations does.

    Returns:
        Columns dataset, task, split, correct and wrong (U_c and U_w, values of the task's metric),
        delta, low, high (of its 95 % interval), as they are written there, and reason: why there
        is no Δ, where it is empty.
    """
    table = pd.read_csv(intervals_beside(scores), dtype=str, keep_default_na=False)
    table = table[table["variant"] == variant]
    rows = []
    for task, aggregation in aggregations.items():
        ranks = plugins.load("tasks", task).TASK
        for region in dims.REGIONS:
            # What OOD splits are compared with has no Δ of its own.
            if region == "ood" or region not in ranks.references:
                found = _delta(table, task, Ranked(ranks, aggregation), region)
                rows.append({"task": task, "split": region} | found)
    columns = ["dataset", "task", "split", "correct", "wrong", intervals.DELTA, "low", "high"]
    found = pd.DataFrame(rows, columns=[*columns, "reason"], dtype=object).fillna("")
    return found.assign(dataset=table["dataset"].iloc[0])


def _delta(table: pd.DataFrame, task: str, ranked: Ranked, region: str) -> dict[str, str]:
    """What ``deltas`` says of one task in one region."""
    is_delta = table["metric"] == intervals.DELTA
    there = set(table.loc[~is_delta, "split"])
    regions = set(map(dims.region, there))
    for needed in (region, *ranked.task.references):
        if needed not in regions:
            return {"reason": f"there is no {'OOD split' if needed == 'ood' else needed}"}
    here = (table["task"] == task) & (table["aggregation"] == ranked.aggregation)
    limits = table[here & is_delta & (table["split"] == region)]
    if limits.empty:
        return {"reason": "it was not scored"}
    means = table[here & (table["metric"] == ranked.task.metric)]
    means = means.assign(score=pd.to_numeric(means["value"]))
    both = deltas_of_means(means, {task: ranked}).set_index("split").loc[region]
    known = {name: str(both[name]) for name in ("correct", "wrong") if both[name] == both[name]}
    row = limits.iloc[0]
    found = {intervals.DELTA: row["value"], "low": row["low"], "high": row["high"]}
    return known | found | {"reason": row.get("reason", "")}
