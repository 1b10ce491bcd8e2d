"""The ``segue`` command: one subcommand a stage, each of which calls one function.

``segue <stage> --settings FILE --out PATH [--threads N]`` reads the JSON object in FILE and passes
its keys to the stage's function as keyword arguments. This is all that the workflow runs, so every
stage also runs by hand. The only module that reads the command line or a settings file.

For predictions of other programs: ``segue check STORE`` and ``segue score STORE --out DIR``.
"""

import argparse
import ast
import inspect
import json
import logging
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from segue import plugins
from segue.errors import InputError

STAGES = {
    "prepare": ("data.prepare", "prepare", "read a dataset and write its splits to one store"),
    "card": ("report.card", "write", "describe a prepared dataset: counts, agreement, a picture"),
    "train": ("models.train", "train", "train one model: one aleatoric method, recipe and seed"),
    "sample": ("models.sample", "sample", "draw the class probabilities of one cell and replicate"),
    "uncertainty": (
        "evaluation.maps",
        "uncertainty",
        "samples -> maps and mean predictions",
    ),
    "score": (
        "evaluation.score",
        "score",
        "score the maps and predictions of one cell",
    ),
    "tables": ("report.tables", "tables", "rank the cells and write the tables"),
    "figure": ("report.figures.<figure>", "draw", "draw one figure, as SVG and as PNG"),
}
"""Stage: (module in ``segue``, function in it, what it does). The settings name the figure."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one stage; returns the exit status, 1 after an error in the user's settings or data."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.stage == "score" and bool(given.store) == bool(given.settings):
        parser.error("score: give either a STORE or --settings FILE")
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S"
    )
    try:
        if given.stage == "check":
            _check_store(given.store)
        elif given.stage == "score" and given.store:
            names = ("dataset", "aleatoric", "epistemic", "config")
            chosen = {name: getattr(given, name) for name in names if getattr(given, name)}
            predictions = import_module("segue.evaluation.predictions")
            predictions.score_predictions(given.store, given.out, **chosen)
        else:
            run(given.stage, given.settings, given.out, given.threads)
    except InputError as error:
        print(f"segue: error: {error}", file=sys.stderr)
        return 1
    return 0


def run(stage: str, settings: Path, out: Path, threads: int) -> None:
    """Call the function of ``stage`` with the settings in a JSON file.

    Args:
        stage: a key of ``STAGES``.
        settings: file with a JSON object; its keys are the function's keyword arguments.
        out: path the stage writes to.
        threads: passed on to a function that has such an argument.

    Raises:
        InputError: the file is no JSON object, or a key is unknown or missing.
    """
    keywords = _read(settings)
    module, function, _ = STAGES[stage]
    if stage == "figure":
        name = keywords.pop("figure", None)
        module = f"report.figures.{plugins.require('figures', str(name), f'{settings}: figure')}"
    call = getattr(import_module(f"segue.{module}"), function)
    if "threads" in inspect.signature(call).parameters:
        keywords["threads"] = threads
    _check(call, keywords, settings)
    call(out, **keywords)


def _check_store(path: Path) -> None:
    check = import_module("segue.evaluation.check")
    print(check.describe(path))
    check.check(path)
    print("Nothing is wrong with it.")


def _read(settings: Path) -> dict[str, Any]:
    try:
        content = json.loads(settings.read_text())
    except FileNotFoundError as error:
        raise InputError(f"{settings}: no such file; it holds the stage's settings") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{settings}: expected JSON, found: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{settings}: expected a JSON object, found {type(content).__name__}")
    return content


def _check(call: Callable[..., None], keywords: dict[str, Any], settings: Path) -> None:
    """Compare the keys with the keyword-only parameters of ``call``, by name."""
    parameters = inspect.signature(call).parameters.values()
    known = {p.name: p.default is p.empty for p in parameters if p.kind is p.KEYWORD_ONLY}
    plugins.compare(keywords, known, str(settings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="segue",
        description="One stage of the study, run by hand; `snakemake` runs them all.",
        epilog="`segue <stage> --help` lists the settings of a stage.",
    )
    stages = parser.add_subparsers(dest="stage", required=True, metavar="<stage>")
    summary = "say what is in a store of predictions, and what is wrong with it"
    stages.add_parser("check", help=summary, description=summary).add_argument(
        "store", metavar="STORE", type=Path, help="Zarr store, see docs/predictions.md"
    )
    for name, (module, function, summary) in STAGES.items():
        stage = stages.add_parser(
            name,
            help=summary,
            description=f"{name}: {summary}.",
            epilog=_documentation(module, function),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        needed = name != "score"
        stage.add_argument("--settings", type=Path, required=needed, help="JSON file, see below")
        stage.add_argument("--out", type=Path, required=True, help="path to write to")
        stage.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
        if name == "score":
            _add_predictions(stage)
    return parser


def _add_predictions(stage: argparse.ArgumentParser) -> None:
    """Let ``score`` take a store of predictions in the place of settings."""
    group = stage.add_argument_group("predictions of another program (docs/predictions.md)")
    group.add_argument(
        "store", metavar="STORE", type=Path, nargs="?", help="Zarr store; --out is then a folder"
    )
    group.add_argument("--dataset", help="name of the dataset (default: that of the store)")
    group.add_argument("--aleatoric", help="name of the aleatoric method (default: given)")
    group.add_argument("--epistemic", help="name of the epistemic method (default: given)")
    group.add_argument("--config", type=Path, help="YAML file such as config.yaml: how to score")


def _documentation(module: str, function: str) -> str:
    """Settings and docstring of a stage's function, read without importing it."""
    if module == "report.figures.<figure>":
        known = plugins.available("figures")
        texts = [_documentation(f"report.figures.{name}", function) for name in known]
        heads = [f'--- settings with "figure": "{name}" ---' for name in known]
        return "\n\n".join(f"{h}\n{t}" for h, t in zip(heads, texts, strict=True))
    call = plugins.definition(f"segue.{module}", function)
    keys = [a.arg for a in call.args.kwonlyargs if a.arg != "threads"]
    text = ast.get_docstring(call) or ""
    return f"keys of the settings file: {', '.join(keys)}\n\n{text}"


if __name__ == "__main__":
    sys.exit(main())
