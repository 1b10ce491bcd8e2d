"""The options of plug-ins as Markdown: from the signatures and docstrings of what takes them."""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import yaml
from markdown_table import table

from segue import plugins

FUNCTIONS = {
    "sources": [("options", "open_source")],
    "aleatoric": [("options", "Model.__init__"), ("sampling", "Model.sample")],
    "epistemic": [("options", "hypotheses")],
    "schedules": [("options", "rate")],
    "tasks": [("scores", "summarise"), ("scores", "score")],
}
"""Kind of plug-in: keys of its config entry that hold options, and the functions that take them."""

TITLES = {
    "sources": ("Sources", "`options` of an entry of `datasets`, by its `source`."),
    "aleatoric": (
        "Aleatoric models",
        "`options` and `sampling` of an entry of `aleatoric`, by its `method`.",
    ),
    "epistemic": ("Epistemic methods", "`options` of an entry of `epistemic`, by its `method`."),
    "schedules": (
        "Schedules",
        "`options` of the `schedule` of an entry of `recipes`, by its `method`.",
    ),
    "tasks": ("Tasks", "Options of an entry of `scores`, whose name is the task's."),
}


def plugin_options() -> Iterator[str]:
    """Options of each plug-in, from the signature and the docstring of what takes them."""
    for kind, functions in FUNCTIONS.items():
        title, text = TITLES[kind]
        yield f"## {title}\n\n{text}\n"
        for name in plugins.available(kind):
            yield f"### {name}\n\n{summary(kind, name)}\n"
            rows = [row for key, each in functions for row in _options(kind, name, key, each)]
            columns = ("option", "of", "type", "default", "meaning")
            if len({key for key, _ in functions}) == 1:
                columns, rows = columns[:1] + columns[2:], [row[:1] + row[2:] for row in rows]
            yield from table(columns, rows) if rows else ["It has no options.\n"]


def summary(kind: str, name: str) -> str:
    """The first paragraph of a plug-in's docstring."""
    file = Path(find_spec(plugins.module(kind, name)).origin)
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def _options(kind: str, name: str, key: str, function: str) -> Iterator[tuple[str, ...]]:
    module = plugins.module(kind, name)
    if "." not in function and not plugins.has(module, function):
        return
    node = plugins.definition(module, function)
    owner = plugins.definition(module, function.split(".")[0])
    meanings = described(ast.get_docstring(owner)) | described(ast.get_docstring(node))
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if argument.arg == "seed":  # the study's
            continue
        yield (
            f"`{argument.arg}`",
            f"`{key}`",
            f"`{ast.unparse(argument.annotation)}`",
            f"`{_yaml(default)}`" if default else "must be given",
            meanings.get(argument.arg, ""),
        )


def _yaml(default: ast.expr) -> str:
    """A default as config.yaml would have it; a name stays one."""
    try:
        return yaml.safe_dump(ast.literal_eval(default), default_flow_style=True).split("\n")[0]
    except ValueError:
        return ast.unparse(default)


def described(docstring: str | None) -> dict[str, str]:
    """Meaning of each argument, from the section ``Args`` of a docstring."""
    found: dict[str, str] = {}
    names: list[str] = []
    section = re.search(r"^Args:\n((?:(?: {4}.*)?\n?)*)", docstring or "", re.MULTILINE)
    for line in section[1].splitlines() if section else []:
        if start := re.match(r" {4}(\w[\w, ]*): (.*)", line):
            names = start[1].split(", ")
            found |= dict.fromkeys(names, start[2])
        elif line.strip():
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found
