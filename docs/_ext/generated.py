"""Pages whose content is the code's: config keys, options of plug-ins, the command, Python names.

A page's line ``<!-- generated: NAME -->`` is replaced by Markdown when the site is built.
"""

import argparse
import ast
import os
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from numpy.typing import ArrayLike
from sphinx.application import Sphinx
from sphinx.util.typing import stringify_annotation

import segue
from segue import cli, plugins
from segue.study.config import Config

ROOT = Path(__file__).parent.parent.parent
_LINE = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
_WIDTH = "100"  # columns of the command's help

FUNCTIONS = {
    "sources": [("options", "open_source")],
    "aleatoric": [("options", "Model.__init__"), ("sampling", "Model.sample")],
    "epistemic": [("options", "hypotheses")],
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
    "tasks": ("Tasks", "Options of an entry of `scores`, whose name is the task's."),
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", _fill)
    app.connect("env-get-outdated", lambda *_: list(_pages(app)))
    app.connect("autodoc-process-signature", _short)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _pages(app: Sphinx) -> Iterator[str]:
    """Pages to make anew although their own file has not changed."""
    for name in app.env.found_docs:
        if _LINE.search(Path(app.env.doc2path(name)).read_text(encoding="utf-8")):
            yield name


def _short(app, what, name, object_, options, signature, returns) -> tuple[str | None, str | None]:
    """A signature with NumPy's name in the place of all that an array may be made of."""
    for mode in ("smart", "fully-qualified-except-typing"):
        if signature:
            signature = signature.replace(stringify_annotation(ArrayLike, mode), "ArrayLike")
    return signature, returns


def _fill(app: Sphinx, page: str, source: list[str]) -> None:
    content = {
        "config": config_keys,
        "options": plugin_options,
        "command": commands,
        "public": public_names,
    }
    source[0] = _LINE.sub(lambda found: "\n".join(content[found[1]]()), source[0])


# --- keys of config.yaml --------------------------------------------------------------------------
def config_keys() -> Iterator[str]:
    """Each section: as config.yaml has it, with its comments, and its keys in the schema."""
    schema = Config.model_json_schema()
    for name, text in sections((ROOT / "config.yaml").read_text(encoding="utf-8")).items():
        yield f"## {name}\n\n```yaml\n{text}\n```\n"
        whole = schema["properties"][name]
        rows = list(_keys(name, whole, name in schema["required"], whole, schema["$defs"]))
        columns = ("key", "value", "default")
        if not any(default for *_, default in rows):
            columns, rows = columns[:2], [row[:2] for row in rows]
        yield from _table(columns, rows)


def sections(text: str) -> dict[str, str]:
    """Text of each top-level key of a YAML file, with the comment lines right above it."""
    lines = text.splitlines()
    starts = [key.start_mark.line for key, _ in yaml.compose(text).value]
    names = [key.value for key, _ in yaml.compose(text).value]
    for place, start in enumerate(starts):
        while start and re.match(r"# (?!---)", lines[start - 1]):
            start -= 1
        starts[place] = start
    found = {}
    for name, start, end in zip(names, starts, [*starts[1:], len(lines)], strict=True):
        kept = [line for line in lines[start:end] if not line.startswith("# ---")]
        found[name] = "\n".join(kept).strip()
    return found


def _keys(
    path: str, schema: Mapping, required: bool, entry: Mapping, known: Mapping
) -> Iterator[tuple[str, str, str]]:
    """A row for a key, then those below it: path, what it holds, what it is if not given."""
    default = "" if required else f"`{yaml.safe_dump(entry.get('default')).split(chr(10))[0]}`"
    yield f"`{path}`", words(schema, known), default
    for below, inner in _records(path, schema, known):
        for name, each in inner["properties"].items():
            must = name in inner.get("required", [])
            yield from _keys(f"{below}.{name}", each, must, each, known)


def _records(path: str, schema: Mapping, known: Mapping) -> Iterator[tuple[str, Mapping]]:
    """Records that a value is or holds, each with the path of its keys."""
    if "$ref" in schema:
        yield path, known[schema["$ref"].rpartition("/")[2]]
    for each in schema.get("anyOf", []):
        yield from _records(path, each, known)
    if "items" in schema:
        yield from _records(f"{path}[]", schema["items"], known)
    inside = schema.get("additionalProperties") or next(
        iter(schema.get("patternProperties", {}).values()), None
    )
    if isinstance(inside, Mapping):
        yield from _records(f"{path}.<name>", inside, known)


def words(schema: Mapping, known: Mapping) -> str:
    """What a value has to be."""
    if "$ref" in schema:
        return "keys below"
    if "anyOf" in schema:
        return " or ".join(words(each, known) for each in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    match schema.get("type"):
        case "array":
            least = f" (at least {schema['minItems']})" if "minItems" in schema else ""
            return f"list of {_plural(words(schema['items'], known))}{least}"
        case "object":
            inside = schema.get("additionalProperties", schema.get("patternProperties"))
            if inside in (True, None):
                return "mapping of options"
            if "patternProperties" in schema:
                inside = next(iter(inside.values()))
            return f"mapping of names to {_plural(words(inside, known))}"
        case "null":
            return "`null`"
        case "boolean":
            return "`true` or `false`"
        case "string":
            if "pattern" in schema:
                return f"text of the form `{schema['pattern']}`"
            return "text"
        case "integer" | "number" as kind:
            bounds = [
                f"{sign} {schema[key]:g}"
                for key, sign in {
                    "minimum": "≥",
                    "exclusiveMinimum": ">",
                    "maximum": "≤",
                    "exclusiveMaximum": "<",
                }.items()
                if key in schema
            ]
            return " ".join([kind, ", ".join(bounds)]).strip()
    raise NotImplementedError(f"no words for {schema}")


def _plural(text: str) -> str:
    many = {"integer": "integers", "number": "numbers", "text": "texts"}
    many |= {"keys": "entries with the keys", "mapping": "mappings"}
    first, *rest = text.split(" ")
    return " ".join([many.get(first, first), *rest])


# --- options of plug-ins --------------------------------------------------------------------------
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
            yield from _table(columns, rows) if rows else ["It has no options.\n"]


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


# --- Python ---------------------------------------------------------------------------------------
def public_names() -> Iterator[str]:
    """What ``import segue`` gives."""
    yield "```{eval-rst}"
    for name in segue.__all__:
        one = isinstance(getattr(segue, name), type)
        yield f".. auto{'class' if one else 'function'}:: segue.{name}"
        yield "   :members:\n" if one else ""
    yield "```"


# --- the command ----------------------------------------------------------------------------------
def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command by its name, such as ``segue score``."""
    found, pending = {}, [("segue", cli._parser())]
    while pending:
        name, parser = pending.pop(0)
        found[name] = parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                inner = [(f"{name} {each}", below) for each, below in action.choices.items()]
                pending = inner + pending
    return found


def commands() -> Iterator[str]:
    """What ``--help`` of each command says."""
    os.environ["COLUMNS"] = _WIDTH
    for command, parser in parsers().items():
        level = "##" if command.count(" ") < 2 else "###"
        yield f"{level} {command}\n\n```text\n{parser.format_help().rstrip()}\n```\n"


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Markdown of a table."""
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""
