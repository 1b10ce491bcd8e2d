"""The ``segue`` command; the only module that reads the command line.

``segue check STORE`` and ``segue score STORE --out DIR`` are for predictions of other programs;
``segue report FOLDER`` puts scores or a study on one page; ``segue plan`` says what a study will
do. ``segue stage <name> --settings FILE --out PATH`` runs one stage: it is all that the workflow
runs, so every stage also runs by hand.
"""

import argparse
import ast
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from segue import plugins
from segue.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status, 1 after an error in the user's settings or data."""
    parser = _parser()
    given = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S"
    )
    try:
        given.command(given)
    except _Stopped as error:
        print("segue: stopped", file=sys.stderr)
        return error.args[0]
    except InputError as error:
        print(f"segue: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        # A full disk, a folder that may not be written: file and reason say it all.
        print(f"segue: error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


class _Stopped(BaseException):
    """Ctrl-C or a request to end; its argument is the exit status, 128 and the signal's number."""


@contextmanager
def _stoppable() -> Iterator[None]:
    """End the block with ``_Stopped`` at either signal, so that what it began is taken away."""

    def stop(number: int, frame: object) -> None:
        for each in before:  # a second one is not to disturb what takes away
            signal.signal(each, signal.SIG_IGN)
        raise _Stopped(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@_stoppable()
def _check(given: argparse.Namespace) -> None:
    check = import_module("segue.evaluation.check")
    print(check.describe(given.store))
    for line in check.check(given.store):
        print(line)
    print("Nothing is wrong with it.")


@_stoppable()
def _score(given: argparse.Namespace) -> None:
    names = ("dataset", "aleatoric", "epistemic", "config")
    chosen = {name: getattr(given, name) for name in names if getattr(given, name)}
    output = import_module("segue.evaluation.output")
    predictions = import_module("segue.evaluation.predictions")
    summary = import_module("segue.report.summary")
    with output.new_folder(given.out, store=given.store, replace=given.replace) as folder:
        predictions.score_predictions(given.store, folder, **chosen)
        text = summary.write(folder)
    print(text)


@_stoppable()
def _report(given: argparse.Namespace) -> None:
    page = import_module("segue.report.page.write")
    out = given.out or given.folder / page.NAME
    page.write(out, study=given.folder)
    print(out)


def _plan(given: argparse.Namespace) -> None:
    for line in import_module("segue.study.summary").of_files(given.config, *given.configfile):
        print(line)


def _stage(given: argparse.Namespace) -> None:
    stages = import_module("segue.study.stages")
    stages.run(given.stage, given.settings, given.out, given.threads, given.gpu)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="segue",
        description="Uncertainty of segmentations, and how entangled its two kinds are.",
        epilog="`segue <command> --help` says more. `snakemake` runs whole studies.",
    )
    commands = parser.add_subparsers(required=True, metavar="<command>")

    def add(name: str, function, summary: str, **more) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=f"{summary}.", **more)
        command.set_defaults(command=function)
        return command

    check = add("check", _check, "say what is in a store of predictions and what is wrong with it")
    score = add("score", _score, "score the predictions of another program")
    for command in (check, score):
        command.add_argument(
            "store", metavar="STORE", type=Path, help="Zarr store, see docs/predictions.md"
        )
    score.add_argument("--out", type=Path, required=True, help="folder to write, which is new")
    score.add_argument(
        "--replace", action="store_true", help="replace what an earlier run wrote to --out"
    )
    score.add_argument("--dataset", help="name of the dataset (default: that of the store)")
    score.add_argument("--aleatoric", help="name of the aleatoric method (default: given)")
    score.add_argument("--epistemic", help="name of the epistemic method (default: given)")
    score.add_argument("--config", type=Path, help="YAML file such as config.yaml: how to score")
    report = add("report", _report, "put a study, or scored predictions, on one page")
    report.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        help="results/<study>, or what `segue score` wrote to",
    )
    report.add_argument("--out", type=Path, help="the page (default: report.html in the folder)")
    plan = add("plan", _plan, "say what a study will do and what that will cost")
    plan.add_argument(
        "--config", type=Path, default=Path("config.yaml"), help="default: config.yaml"
    )
    plan.add_argument(
        "--configfile", type=Path, nargs="*", default=[], help="studies that are laid over it"
    )
    try:
        stages = import_module("segue.study.stages").STAGES
    except ImportError as error:  # the light install
        raise SystemExit(f"segue stage: {error}; install segue[study]") from error
    _add_stage(commands, "prepare", stages["prepare"])  # the stage that is run by hand most
    by_hand = add("stage", None, "run one stage of a study by hand")
    names = by_hand.add_subparsers(required=True, metavar="<stage>")
    for name, stage in stages.items():
        _add_stage(names, name, stage)
    return parser


def _add_stage(commands, name: str, stage) -> None:
    """A command for a stage; what it reads is taken from its settings and its function."""
    command = commands.add_parser(
        name,
        help=stage.summary,
        description=f"{name}: {stage.summary}.",
        epilog=_documentation(stage),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(command=_stage, stage=name)
    command.add_argument("--settings", type=Path, required=True, help="JSON file, see below")
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        help="path of the result; one that ends in .json is a stamp, beside which it is put",
    )
    command.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    command.add_argument(
        "--gpu",
        type=int,
        choices=(0, 1),
        default=1,
        help="of train and sample: 1 for a GPU if there is one (default), 0 for the CPU",
    )


def _documentation(stage) -> str:
    """Keys of a stage's settings and docstring of its function, which is read, not imported."""
    keys = f"keys of the settings file: {', '.join(stage.settings.model_fields)}"
    modules = [stage.module]
    if "<" in stage.module:
        modules = [plugins.module("figures", name) for name in plugins.available("figures")]
    texts = []
    for module in modules:
        text = ast.get_docstring(plugins.definition(module, stage.function)) or ""
        texts.append(f"{module}\n\n{text}" if modules[1:] else text)
    return "\n\n".join([keys, *texts])


if __name__ == "__main__":
    sys.exit(main())
