"""Values from outside checked against types, with one style of message for what is wrong.

Types are those of pydantic, in strict mode, and values what JSON can hold: text is no number, 1 no
truth value, a string no list. But an integer is a number, and a list is a tuple.
"""

import json
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    model_serializer,
)
from pydantic.fields import FieldInfo

from segue.errors import InputError

_LONGEST = 60  # characters of a value in a message
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?", re.IGNORECASE)
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "at least {ge}",
    "int_from_float": "an integer",
    "int_type": "an integer",
    "less_than": "a number below {lt}",
    "less_than_equal": "at most {le}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "missing": "one more element",
    "model_type": "a mapping",
    "none_required": "null",
    "string_pattern_mismatch": "text of the form {pattern}",
    "string_too_short": "text that is not empty",
    "string_type": "text",
    "too_long": "fewer elements",
    "too_short": "at least {min_length}",
    "tuple_type": "a list",
}
"""What was expected, in words, by pydantic's name of an error."""


WHEN_GIVEN = "when given"
"""Mark, by ``Annotated``, of a field that is written only where it is not None. A field that is new
has it, so that what was made before the field was there is known by the same key."""


class Record(BaseModel):
    """A frozen record that refuses unknown, missing and ill-typed keys at every depth."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def written(self) -> dict[str, FieldInfo]:
        """The fields but for those that are ``WHEN_GIVEN`` and are not."""
        return {
            name: field
            for name, field in type(self).model_fields.items()
            if WHEN_GIVEN not in field.metadata or getattr(self, name) is not None
        }

    @model_serializer(mode="wrap")
    def _written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written = self.written()
        return {name: value for name, value in handler(self).items() if name in written}


def parse(kind: Any, value: Any, where: str = "") -> Any:
    """Return ``value`` as ``kind``; nothing is converted.

    Args:
        kind: a ``Record``, or any annotation such as ``Mapping[str, int] | None`` or a ``Literal``.
        value: as read from YAML or JSON.
        where: the key or file that holds the value, which messages begin with.

    Raises:
        InputError: names the key, what was expected there and what was found.
    """
    try:
        text = json.dumps(value)
    except TypeError as error:
        expected = "numbers, text, true, false, null, or lists and mappings of them"
        raise InputError(f"{_join(where)}: expected {expected}, found {_short(value)}") from error
    try:
        return _adapter(kind).validate_json(text)
    except ValidationError as error:
        raise InputError(_message(kind, value, error.errors(), where)) from None


def read_yaml(path: Path, holds: str) -> dict[str, Any]:
    """Read a YAML mapping.

    Args:
        path: of the file.
        holds: what it holds, for the message where there is none.

    Raises:
        InputError: no such file, or it is no YAML mapping.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InputError(f"{path}: no such file; it holds {holds}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected YAML, found: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: expected a YAML mapping, found {type(found).__name__}")
    return found


def unknown(keys: Iterable[str], known: Sequence[str]) -> str:
    """What is said of keys that there are not, with the nearest of those that there are."""
    first, *others = keys
    near = get_close_matches(first, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    there = ", ".join(known) or "none"
    return f"unknown key {', '.join([first, *others])}; there are: {there}{hint}"


@cache
def _adapter(kind: Any) -> TypeAdapter:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return TypeAdapter(kind)
    return TypeAdapter(kind, config=ConfigDict(strict=True, allow_inf_nan=False))


def _message(kind: Any, value: Any, errors: list[dict[str, Any]], where: str) -> str:
    """Of the first error; an unknown key comes before a missing one, which it may be misspelt."""
    first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    *holder, last = first["loc"] or ("",)
    if first["type"] == "extra_forbidden":
        there = _fields(kind, holder)
        return f"{_join(where, *_path(value, holder))}: {unknown([str(last)], there)}"
    if first["type"] == "missing" and isinstance(last, str):
        return f"{_join(where, *_path(value, holder))}: missing key {last}"
    path = _path(value, first["loc"])
    # A union has several errors at one place, one for each of its types.
    same = [error for error in errors if _path(value, error["loc"]) == path]
    expected = " or ".join(
        _EXPECTED.get(error["type"], error["msg"]).format(**error.get("ctx", {})) for error in same
    )
    found = value
    for key in path:
        found = found[key]
    hint = ""
    if "number" in expected and isinstance(found, str) and _NUMBER.fullmatch(found):
        hint = "; in YAML a number is written 0.001 or 1.0e-3, without quotes"
    return f"{_join(where, *path)}: expected {expected}, found {_short(found)}{hint}"


def _path(value: Any, location: Sequence[str | int]) -> list[Any]:
    """Keys that lead to where an error is; pydantic's location also names the types of unions."""
    path = []
    for part in location:
        if isinstance(value, list | tuple) and isinstance(part, int) and part < len(value):
            key = part
        elif isinstance(value, dict) and part in map(str, value):  # keys of JSON are text
            key = next(key for key in value if str(key) == part)
        else:
            continue
        path.append(key)
        value = value[key]
    return path


def _join(*parts: int | str) -> str:
    """Parts of a key with dots; after a file's name, which ends in a colon, with a space."""
    first, *rest = [str(part) for part in parts if part != ""] or ["top level"]
    if first.endswith(":"):
        return f"{first} {'.'.join(rest)}" if rest else first[:-1]
    return ".".join([first, *rest])


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _fields(kind: Any, place: Sequence[int | str]) -> list[str]:
    """Keys of the record at a place in a value of ``kind``."""
    for part in [*place, None]:
        if get_origin(kind) in (Union, UnionType):
            kind = next(each for each in get_args(kind) if each is not NoneType)
        record = isinstance(kind, type) and issubclass(kind, BaseModel)
        if part is None:
            return list(kind.model_fields) if record else []
        kind = kind.model_fields[part].annotation if record else get_args(kind)[-1]
    return []
