"""Run one stage of one job: read its settings, find its inputs whole, make the result, stamp it.

A stage's own function knows neither stamps nor the study: it takes paths of stores and files. What
is finished is kept: a training or sampling whose settings and inputs are those of a result that is
there already is not made again, so that a plan that looks at a result once more costs seconds.
"""

import inspect
import json
import logging
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from segue import digests, files, plugins, stamp
from segue.errors import InputError
from segue.schema import Record, parse
from segue.stamp import Stamp
from segue.study import figures, passing
from segue.study import settings as of
from segue.study.code import code, software

PROVENANCE = "provenance.json"
_UNFINISHED = "unfinished"

_log = logging.getLogger(__name__)


class Stage(NamedTuple):
    """A stage.

    Attributes:
        settings: record of what a job of it reads.
        module, function: what does the work; ``function(out, **settings)``.
        summary: what it does, in a line.
        results: names of what it leaves, the main one first; none where it writes files that need
            no stamp.
    """

    settings: type[Record]
    module: str
    function: str
    summary: str
    results: tuple[str, ...] = ()


STAGES = {
    "prepare": Stage(
        of.Prepare,
        "segue.data.prepare",
        "prepare",
        "read a dataset and write its splits to one store",
        ("dataset.zarr",),
    ),
    "card": Stage(
        of.Card, "segue.report.card", "write", "describe a dataset: counts, agreement, a picture"
    ),
    "train": Stage(
        of.Train,
        "segue.models.train",
        "train",
        "train one model: one aleatoric method, recipe, replicate and member",
        ("model.pt", "model.csv"),
    ),
    "sample": Stage(
        of.Sample,
        "segue.models.sample",
        "sample",
        "draw the class probabilities of one cell and replicate",
        ("samples.zarr",),
    ),
    "given": Stage(
        of.Given,
        "segue.evaluation.check",
        "link",
        "check another program's store and link it as samples",
        ("samples.zarr",),
    ),
    "maps": Stage(
        of.Maps,
        "segue.evaluation.maps",
        "write_maps",
        "turn samples into maps and mean predictions",
        ("maps.zarr",),
    ),
    "score": Stage(
        of.Score,
        "segue.evaluation.score",
        "score",
        "score the maps and predictions of one cell and replicate",
        ("scores.csv", "scores-intervals.csv", "scores-draws.npz"),
    ),
    "tables": Stage(
        of.AllTables, "segue.report.tables", "tables", "rank the cells and write the tables"
    ),
    "figure": Stage(
        of.Figure, "segue.report.figures.<figure>", "draw", "draw one figure, as SVG, PNG and PDF"
    ),
    "page": Stage(of.Page, "segue.report.page.write", "write", "put a study on one page"),
}
"""Stages by name, in the order of the data."""

_APART = ("train", "sample")
"""Stages whose every result has a folder of its own below the stamp's, and is never replaced."""


def run(stage: str, settings_file: Path, out: Path, threads: int, gpu: int = 1) -> None:
    """Run a stage.

    Args:
        stage: a key of ``STAGES``.
        settings_file: JSON file of its settings; a place in them is the path of a stamp, or of the
            store or file itself.
        out: where the name ends in ``.json``, a stamp to write, beside which the result is put;
            else the result itself.
        threads: CPU threads.
        gpu: 1 for a GPU if there is one, 0 for the CPU; of a stage that could use one.

    Raises:
        InputError: the settings are not as they ought to be, an input is missing or damaged, or the
            stage says what else is wrong.
    """
    settings, module = load(stage, settings_file)
    # Each once: a store of given predictions is both a cell's samples and its references.
    stamped = {place for place in of.places(settings) if place.endswith(".json")}
    stamps = {place: stamp.verified(Path(place)) for place in sorted(stamped)}
    where = {p: str(stamps[p].main) if p in stamps else p for p in of.places(settings)}
    keywords = of.placed(settings, where)
    keywords.pop("figure", None)  # it has told which function to call
    keep = keywords.pop("keep", True)
    if stage == "maps" and keep:
        passing.stay(Path(settings.samples))

    def produce(path: Path) -> Any:
        # Imported here: a result that is kept costs no import of torch.
        call = getattr(import_module(module), STAGES[stage].function)
        work = str(path.parent / f".{path.name}.{_UNFINISHED}")
        taken = inspect.signature(call).parameters
        more = {"threads": threads, "work": work, "gpu": gpu}
        # A figure takes of the settings of its kind what it needs.
        needed, offered = ({}, keywords | more) if stage == "figure" else (keywords, more)
        device = call(path, **needed, **{k: v for k, v in offered.items() if k in taken})
        if not keep and stage == "sample":
            passing.mark(path.parent)
        return device

    inputs = [stamps[p].content if p in stamps else None for p in of.places(settings)]
    made_by = {"stage": stage, "settings": of.identity(settings), "inputs": inputs}
    more = {"sources": of.sources(settings), "code": code(stage, settings)}
    if out.suffix != ".json" or not STAGES[stage].results:
        produce(out)
        if stage == "tables":
            _record(out, {**made_by, **more})
        return
    with files.locked(out.parent / ".lock"):
        folder = _finished(stage, out.parent, made_by, produce, more)
        found = _provenance(folder)["files"]
        main = folder / STAGES[stage].results[0]
        content = digests.content_digest(main) if stage == "prepare" else found[main.name]
        if folder != out.parent:
            for name in found:
                files.link(out.parent / name, folder / name)
        stamp.write(out, Stamp(folder, found, content))
    if stage == "sample" and keep:
        passing.stay(out)
    if stage == "maps" and not keep:
        passing.remove(Path(settings.samples))


def load(stage: str, settings_file: Path) -> tuple[Record, str]:
    """Settings of a stage, checked at every depth, and the module that does the work.

    Raises:
        InputError: no such file, it is no JSON, or a key is unknown, missing or ill-typed.
    """
    content = _read(settings_file)
    kind, module = STAGES[stage][:2]
    if stage == "figure" and isinstance(content, dict):
        name = plugins.require("figures", str(content.get("figure")), f"{settings_file}: figure")
        kind = figures.kind(name)
        module = plugins.module("figures", name)
    settings = parse(kind, content, f"{settings_file}:")
    return settings, module


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; it holds the stage's settings") from error
    except ValueError as error:
        raise InputError(f"{path}: expected JSON in UTF-8, found: {error}; save it anew") from error


def _finished(
    stage: str,
    parent: Path,
    made_by: Mapping[str, Any],
    produce: Callable[[Path], Any],
    more: Mapping[str, Any],
) -> Path:
    """Folder of a stage's result, which is made unless it is there and whole.

    Args:
        made_by: what it depends on; ``more``: what is on record beside that, the code at least.
    """
    names = STAGES[stage].results
    apart = stage in _APART
    identity = digests.of_json(made_by)[:8]
    folder = parent / identity if apart else parent
    if stage == "prepare":
        folder = _prepared(parent, names[0], produce)
    elif _is_whole(folder, names, made_by if apart else {**made_by, "code": more["code"]}):
        _log.info("%s: was made of the same settings and inputs; kept", folder)
        if (found := _provenance(folder))["sources"] != more["sources"]:
            _write(folder, {**found, "sources": more["sources"]})
        return folder
    # One that was killed between its end and its record is finished too.
    elif not (apart and all((folder / name).exists() for name in names)):
        _remove(folder, names)
        if device := produce(folder / names[0]):  # which trainings and samplings tell
            more = {**more, "device": device}
    _record(folder, {**made_by, **more, "files": stamp.of_files(folder, names)})
    return folder


def _record(folder: Path, provenance: Mapping[str, Any]) -> None:
    _write(folder, {**provenance, "software": software()})


def _write(folder: Path, provenance: Mapping[str, Any]) -> None:
    with files.replacing(folder / PROVENANCE) as file:
        json.dump(provenance, file, indent=1)


def _is_whole(folder: Path, names: tuple[str, ...], made_by: Mapping[str, Any]) -> bool:
    """Whether a result is that of ``made_by``, and as it was made; one that is not is removed."""
    if not (folder / PROVENANCE).is_file():
        return False
    try:
        found = _provenance(folder)
        if found["files"] != stamp.of_files(folder, names):
            raise ValueError("its digests are others")
        whole = made_by.items() <= found.items()
    except (InputError, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        _log.warning("%s: is damaged (%s); it is made again", folder, error)
        whole = False
    if not whole:
        _remove(folder, names)
    return whole


def _remove(folder: Path, names: tuple[str, ...]) -> None:
    for name in (PROVENANCE, *names):
        files.remove(folder / name)


def _provenance(folder: Path) -> dict[str, Any]:
    return json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))


def _prepared(parent: Path, name: str, produce: Callable[[Path], None]) -> Path:
    """Prepare data; their folder is named by what they hold, so other data replace none."""
    unfinished = parent / _UNFINISHED
    files.remove(unfinished)
    produce(unfinished / name)
    folder = parent / digests.content_digest(unfinished / name)[:8]
    files.remove(folder)
    os.replace(unfinished, folder)
    return folder
