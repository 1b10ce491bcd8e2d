"""Plug-ins: the file is the plug-in, the config entry names the file.

All but ``load`` read files and import nothing, so that a config is checked in no time.
"""

import ast
import builtins
import collections.abc
import contextlib
import importlib
import typing
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from segue import schema
from segue.errors import InputError

PACKAGES = {
    "sources": "segue.data.sources",
    "aleatoric": "segue.models.aleatoric",
    "epistemic": "segue.models.epistemic",
    "schedules": "segue.models.schedules",
    "tasks": "segue.evaluation.tasks",
    "figures": "segue.report.figures",
}
"""Kind of plug-in: the package that holds its files."""

TEST_OPTIONS = "TEST_OPTIONS"
"""Name of the literal that has options to test an AU model, EU method or schedule with: those
of all its functions that have no default, by name. No result depends on it."""

_TYPES = {**vars(typing), **vars(collections.abc), **vars(builtins)}
"""What the type of an option may be made of."""


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


def root(module: str) -> Path | None:
    """Folder of the package that a module is in; where it is in none, its path without ``.py``.

    None where there is no such package. Only what has no dot in its name is looked up, so nothing
    is imported.
    """
    found = find_spec(module.partition(".")[0])
    if found is None or not (found.submodule_search_locations or found.has_location):
        return None
    folders = list(found.submodule_search_locations or [])
    return Path(folders[0]) if folders else Path(found.origin).with_suffix("")


def file_of(module: str) -> Path:
    """File of a module; one that does not exist where there is no such module."""
    above = root(module) or Path(module, "no such module")
    path = above.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _syntax(module: str) -> ast.Module:
    """Syntax tree of a module's file."""
    file = file_of(module)
    return _parse(file, file.stat().st_mtime_ns)


@cache
def _parse(file: Path, changed: int) -> ast.Module:
    """Syntax tree of a file as it was at a time; a study of many cells asks for it often."""
    return ast.parse(file.read_text(encoding="utf-8"))


def definition(module: str, function: str) -> ast.FunctionDef:
    """Syntax tree of a function in ``module``; a method is named ``Class.method``.

    Raises:
        InputError: the module has no such function.
    """
    node: ast.AST = _syntax(module)
    for name in function.split("."):
        named = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        if name not in named:
            raise InputError(f"{module}: expected a function {function}, found none")
        node = named[name]
    return node


def has(module: str, function: str) -> bool:
    """Whether a module has a function."""
    return any(isinstance(n, ast.FunctionDef) and n.name == function for n in _syntax(module).body)


def options(module: str, function: str) -> dict[str, bool]:
    """Options of a function, and whether each has to be given.

    They are its keyword-only parameters but for ``seed``, which is that of the study.
    """
    return {
        argument.arg: default is None
        for argument, default in _keywords(module, function)
        if argument.arg != "seed"
    }


def check_options(
    kind: str, name: str, function: str, given: Mapping[str, Any], where: str
) -> None:
    """Check options of a plug-in against the signature of the function that takes them.

    Args:
        kind, name: of the plug-in, which exists.
        function: as for ``definition``.
        given: value of each option.
        where: the config key that holds them, for the message.

    Raises:
        InputError: an option is unknown or missing, or its value is not of the type that the
            function says; names the key, what was expected, and what was found.
    """
    check_signature(module(kind, name), function, given, where)


def check_signature(path: str, function: str, given: Mapping[str, Any], where: str) -> None:
    """As ``check_options``, of a function of the module with the dotted name ``path``."""
    compare(given, options(path, function), where)
    for argument, _ in _keywords(path, function):
        if argument.arg in given and argument.annotation:
            schema.parse(_type(argument, path), given[argument.arg], f"{where}.{argument.arg}")


def check_own(name: str, given: Mapping[str, Any], where: str) -> None:
    """Check a class outside the package, and its options, against its file.

    Args:
        name: ``package.module:Class``.
        given: value of each option, a keyword-only parameter of the class.
        where: the config key that holds both, as ``name`` and ``options``.

    Raises:
        InputError: no such module or class, or options that it does not take.
    """
    path, _, wanted = name.partition(":")
    if not wanted.isidentifier() or not all(map(str.isidentifier, path.split("."))):
        raise InputError(f"{where}.name: expected package.module:Class, found {name!r}")
    if not file_of(path).is_file():
        raise InputError(
            f"{where}.name: cannot import {path!r}, there is no such module; install its package, "
            "or name its folder in PYTHONPATH"
        )
    try:
        definition(path, f"{wanted}.__init__")
    except (InputError, SyntaxError) as error:
        raise InputError(f"{where}.name: {error}") from error
    check_signature(path, f"{wanted}.__init__", given, f"{where}.options")


def _keywords(module: str, function: str) -> list[tuple[ast.arg, ast.expr | None]]:
    """Keyword-only parameters of a function, each with its default if it has one."""
    arguments = definition(module, function).args
    return list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))


def _type(argument: ast.arg, module: str) -> Any:
    """The type of a parameter, evaluated from its source."""
    source = ast.unparse(argument.annotation)
    try:
        return eval(source, _TYPES)
    except (NameError, TypeError) as error:
        raise InputError(
            f"{module}: {argument.arg}: cannot make sense of the type {source} ({error}); use "
            "names of Python itself, collections.abc and typing"
        ) from error


def declared(module: str, name: str) -> dict[str, Any]:
    """Keyword arguments, as far as they are literals, of the call that ``module`` names ``name``.

    For ``TASK = Task(metric="ncc")`` and the name ``TASK``: ``{"metric": "ncc"}``. Empty where the
    module has no such line.
    """
    found = {}
    for node in _syntax(module).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Call(keywords=keywords)) if (
                target == name
            ):
                for each in keywords:
                    with contextlib.suppress(ValueError):  # no literal
                        found[each.arg] = ast.literal_eval(each.value)
    return found


def literal(module: str, name: str, default: Any) -> Any:
    """The literal that a module names ``name``, read without importing it; else ``default``."""
    for node in _syntax(module).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                return ast.literal_eval(value)
    return default


SUMMARISE, SCORE = "summarise", "score"
"""Functions of a task, of which it needs the second; see ``segue.evaluation.task``."""


def taken(function: str, given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of the options of each task, those that one of its functions takes.

    Args:
        function: ``SUMMARISE`` or ``SCORE``; tasks that do not have it are left out.
        given: options of each task, by its name.
    """
    found = {}
    for task, each in given.items():
        path = module("tasks", require("tasks", task, "scores"))
        if has(path, function):
            names = options(path, function)
            found[task] = {name: value for name, value in each.items() if name in names}
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
        where, path = f"{prefix}scores.{name}", module("tasks", name)
        require("tasks", name, f"{prefix}scores")
        functions = [each for each in (SUMMARISE, SCORE) if each == SCORE or has(path, each)]
        known = {key: must for each in functions for key, must in options(path, each).items()}
        compare(given, known, where)
        for each in functions:
            check_options("tasks", name, each, taken(each, {name: given})[name], where)
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
    if unknown := sorted(map(str, given - set(known))):
        raise InputError(f"{where}: {schema.unknown(unknown, list(known))}")
    if missing := [name for name, needed in known.items() if needed and name not in given]:
        raise InputError(f"{where}: missing key {', '.join(missing)}")
