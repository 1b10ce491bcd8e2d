"""Scores and Δ of predictions that another program wrote, by the stages that the workflow runs."""

import logging
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from segue import plugins
from segue.errors import InputError
from segue.evaluation import intervals
from segue.evaluation.check import check
from segue.evaluation.maps import write_maps
from segue.evaluation.score import intervals_beside, score
from segue.evaluation.variants import named
from segue.files import replacing
from segue.schema import read_yaml

STUDY = "predictions"
GIVEN = "given"

_DEFAULTS = files("segue.evaluation") / "scores.yaml"
_KINDS = {dict: "a mapping", list: "a list that is not empty", int: "an integer"}
_ENTANGLEMENT = ["dataset", "task", "split", intervals.DELTA, "low", "high"]

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
    and ``entanglement.csv``: dataset, task, split (``id`` or ``ood``), Δ under the first variant
    and its 95 % interval over images.

    Args:
        store: of another program's samples and references, see ``segue.evaluation.check``.
        out: path of the folder.
        dataset: what the rows call the dataset; the store's name by default.
        aleatoric, epistemic: what they call the methods.
        config: YAML file; its sections seed, variants, uncertainty, scores and tables, those of
            them that it has, replace those of ``segue/evaluation/scores.yaml``.

    Raises:
        InputError: something is wrong with the store or the config, or the maps are there already.
    """
    maps, scores = out / "maps.zarr", out / "scores.csv"
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: expected a folder, found a file; name another --out")
    if maps.exists():
        raise InputError(f"{maps}: exists already; remove it, or name another folder")
    options = settings(config)
    _log.info("checking %s", store)
    check(store)
    _log.info("maps of uncertainty")
    write_maps(maps, samples=str(store), **options["uncertainty"])
    score(
        scores,
        dataset=str(store),
        samples=str(store),
        maps=str(maps),
        key={
            "study": STUDY,
            "dataset": dataset or store.resolve().stem,
            "aleatoric": aleatoric,
            "epistemic": epistemic,
            "replicate": 0,
        },
        variants=options["variants"],
        options=options["scores"],
        seed=options["seed"],
    )
    found = entanglement(scores, options["variants"][0], options["tables"]["tasks"])
    with replacing(out / "entanglement.csv") as file:
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


def entanglement(scores: Path, variant: str, aggregations: dict[str, str]) -> pd.DataFrame:
    """Δ and its interval of each task and region, from the file beside a file of scores.

    Args:
        scores: the file of scores.
        variant: the one to take.
        aggregations: the tasks that rank, and which of their aggregations does.

    Returns:
        Columns dataset, task, split, delta, low, high; numbers as they are written there.
    """
    rows = pd.read_csv(intervals_beside(scores), dtype=str, keep_default_na=False)
    here = (rows["metric"] == intervals.DELTA) & (rows["variant"] == variant)
    chosen = rows["task"].map(aggregations) == rows["aggregation"]
    return rows[here & chosen].rename(columns={"value": intervals.DELTA})[_ENTANGLEMENT]
