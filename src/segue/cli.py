"""The ``segue`` command; the only module, beside its arguments, that reads the command line.

``segue import``, ``segue check STORE``, ``segue score STORE --out DIR`` and ``segue export MAPS``
are for predictions of other programs; ``segue report FOLDER`` puts scores or a study on one page;
``segue plan`` says what a study will do. ``segue stage <name> --settings FILE --out PATH`` runs one
stage: it is all that the workflow runs, so every stage also runs by hand.
"""

import argparse
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from segue import progress
from segue.arguments import parser
from segue.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status, 1 after an error in the user's settings or data."""
    given = parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S"
    )
    try:
        with progress.apart():
            _COMMANDS[given.command](given)
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
def _import(given: argparse.Namespace) -> None:
    names = ("split", "labels", "slices", "axes", "size", "values", "ignore")
    chosen = {
        name: getattr(given, name) for name in names if getattr(given, name, None) is not None
    }
    if "values" in chosen:
        chosen["values"] = dict(chosen["values"])
    importing = import_module("segue.interop.importing")
    for line in importing.import_from(given.source, given.out, **chosen):
        print(line)
    print(f"Written to {given.out}. Next: segue check {given.out}")


@_stoppable()
def _export(given: argparse.Namespace) -> None:
    export = import_module("segue.interop.export").export
    print(export(given.maps, given.out, to=given.to, estimators=given.estimator))


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


_COMMANDS = {
    "check": _check,
    "export": _export,
    "import": _import,
    "plan": _plan,
    "report": _report,
    "score": _score,
    "stage": _stage,
}


if __name__ == "__main__":
    sys.exit(main())
