"""The keys of config.yaml as Markdown: from its schema, and from the file with its comments."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from markdown_table import table

from segue.study.config import Config

ROOT = Path(__file__).parent.parent.parent


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
        yield from table(columns, rows)


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
