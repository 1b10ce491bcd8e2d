"""Plug-ins: the file is the plug-in, the config entry names the file.

All but ``load`` read files and import nothing, so that a config is checked in no time.
"""

import ast
import contextlib
import importlib
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from segue.errors import InputError

PACKAGES = {
    "sources": "segue.data.sources",
    "aleatoric": "segue.models.aleatoric",
    "epistemic": "segue.models.epistemic",
    "tasks": "segue.evaluation.tasks",
    "figures": "segue.report.figures",
}
"""Kind of plug-in: the package that holds its files."""


def available(kind: str) -> list[str]:
    """Names of the plug-ins of a kind, a key of ``PACKAGES``: its modules and its packages."""
    folders = [Path(p) for p in find_spec(PACKAGES[kind]).submodule_search_locations]
    modules = {file.stem for folder in folders for file in folder.glob("*.py")}
    packages = {file.parent.name for folder in folders for file in folder.glob("*/__init__.py")}
    return sorted(name for name in modules | packages if not name.startswith("_"))


def module(kind: str, name: str) -> str:
    """Dotted name of the module of a plug-in."""
    return f"{PACKAGES[kind]}.{name}"


def require(kind: str, name: str, where: str) -> str:
    """Return ``name`` if there is a plug-in of that kind and name.

    Raises:
        InputError: naming ``where`` (the config key), the name and those that exist.
    """
    if name not in available(kind):
        choices = ", ".join(available(kind))
        raise InputError(f"{where}: nothing named {name!r} in {kind}; there are: {choices}")
    return name


def load(kind: str, name: str) -> ModuleType:
    """Import a plug-in."""
    return importlib.import_module(module(kind, require(kind, name, "method")))


def definition(module: str, function: str) -> ast.FunctionDef:
    """Syntax tree of a function in ``module``; a method is named ``Class.method``.

    Raises:
        InputError: the module has no such function.
    """
    node: ast.AST = ast.parse(Path(find_spec(module).origin).read_text())
    for name in function.split("."):
        named = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        if name not in named:
            raise InputError(f"{module}: expected a function {function}, found none")
        node = named[name]
    return node


def options(module: str, function: str) -> dict[str, bool]:
    """Keyword-only parameters of a function, and whether each has to be given."""
    arguments = definition(module, function).args
    defaults = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {argument.arg: default is None for argument, default in defaults}


def declared(module: str, name: str) -> dict[str, Any]:
    """Keyword arguments, as far as they are literals, of the call that ``module`` names ``name``.

    For ``TASK = Task(metric="ncc")`` and the name ``TASK``: ``{"metric": "ncc"}``. Empty where the
    module has no such line.
    """
    found = {}
    for node in ast.parse(Path(find_spec(module).origin).read_text()).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Call(keywords=keywords)) if (
                target == name
            ):
                for each in keywords:
                    with contextlib.suppress(ValueError):  # no literal
                        found[each.arg] = ast.literal_eval(each.value)
    return found


def check_tasks(scores: Mapping[str, Mapping], ranked: Mapping[str, str], prefix: str = "") -> None:
    """Check the tasks of a config against the files of the package.

    Args:
        scores: config section ``scores``: the options of each task to score, by its name.
        ranked: the tasks that rank cells and the aggregation of each that counts, of
            ``tables.tasks``.
        prefix: what the messages begin with.

    Raises:
        InputError: a task, an option or an aggregation that does not exist, or a task to rank that
            is not scored or compares no measures.
    """
    for name, given in scores.items():
        require("tasks", name, f"{prefix}scores")
        compare(given, options(module("tasks", name), "score"), f"{prefix}scores.{name}")
    compare(ranked, dict.fromkeys(scores, False), f"{prefix}tables.tasks")
    check_ranked(ranked, prefix)


def check_ranked(ranked: Mapping[str, str], prefix: str = "") -> None:
    """Check tasks that are to rank cells; args as in ``check_tasks``.

    Raises:
        InputError: a task or an aggregation that does not exist, or a task that compares no
            measures.
    """
    for name, aggregation in ranked.items():
        where = f"{prefix}tables.tasks.{name}"
        task = declared(module("tasks", require("tasks", name, where)), "TASK")
        if "correct" not in task:
            raise InputError(f"{where}: this task compares no measures and cannot rank; remove it")
        there = task.get("aggregations", ("",))
        if aggregation not in there:
            raise InputError(
                f"{where}: no aggregation {aggregation!r}; there are: {', '.join(map(repr, there))}"
            )


def compare(given: Iterable[str], known: Mapping[str, bool], where: str) -> None:
    """Check the names of options.

    Args:
        given: names of the options given.
        known: names of those there are, and whether each has to be given.
        where: the config key or file that holds them, for the message.

    Raises:
        InputError: a name is not known, or one that has to be given is missing.
    """
    given = set(given)
    there = ", ".join(known) or "none"
    if unknown := sorted(given - set(known)):
        raise InputError(f"{where}: unknown key {', '.join(unknown)}; there are: {there}")
    if missing := [name for name, needed in known.items() if needed and name not in given]:
        raise InputError(f"{where}: missing key {', '.join(missing)}")
