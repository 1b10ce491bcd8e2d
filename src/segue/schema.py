"""Values from outside checked against types, with one style of message for what is wrong.

Types are those of pydantic, in strict mode: text is no number, 1 no truth value, a string no list.
"""

from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from segue.errors import InputError

_EXPECTED = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "list_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "none_required": "null",
    "literal_error": "one of {expected}",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "at least {min_length}",
    "string_pattern_mismatch": "text of the form {pattern}",
}
"""What was expected, in words, by pydantic's name of an error."""


class Record(BaseModel):
    """A frozen record that refuses unknown, missing and ill-typed keys at every depth."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def parse(kind: Any, value: Any, where: str = "") -> Any:
    """Return ``value`` as ``kind``, a ``Record`` or any other annotation.

    Args:
        where: key or file that holds the value, which messages begin with.

    Raises:
        InputError: names the key, what was expected there and what was found.
    """
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        raise InputError(_message(kind, error.errors(), where)) from None


def unknown(key: str, known: list[str]) -> str:
    """What is said of a key that there is not, with the nearest of those that there are."""
    close = get_close_matches(key, known, 1)
    meant = f" (did you mean {close[0]}?)" if close else ""
    return f"unknown key {key}{meant}; there are: {', '.join(known) or 'none'}"


@cache
def _adapter(kind: Any) -> TypeAdapter:
    config = ConfigDict(strict=True)
    record = isinstance(kind, type) and issubclass(kind, BaseModel)
    return TypeAdapter(kind) if record else TypeAdapter(kind, config=config)


def _message(kind: Any, errors: list[dict[str, Any]], where: str) -> str:
    """Of the first error; an unknown key comes before a missing one, which it may be misspelt."""
    first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    *place, last = [part for part in first["loc"] if _is_key(part)] or [""]
    match first["type"]:
        case "extra_forbidden":
            return f"{_join(where, *place)}: {unknown(str(last), _fields(kind, place))}"
        case "missing":
            return f"{_join(where, *place)}: missing key {last}"
    found = first["input"]
    expected = _EXPECTED.get(first["type"])
    text = expected.format(**first.get("ctx", {})) if expected else first["msg"]
    hint = ""
    if first["type"] in ("float_type", "int_type") and isinstance(found, str):
        hint = "; in YAML a number is written 0.001 or 1.0e-3, without quotes"
    return f"{_join(where, *place, last)}: expected {text}, found {found!r}{hint}"


def _is_key(part: int | str) -> bool:
    """Whether a part of an error's place is a key of the value, and no name of a type."""
    return not (isinstance(part, str) and ("[" in part or part in ("int", "float", "str", "none")))


def _join(*parts: int | str) -> str:
    """Parts of a key with dots; after a file's name, which ends in a colon, with a space."""
    first, *rest = [str(part) for part in parts if part != ""] or ["top level"]
    if first.endswith(":"):
        return f"{first} {'.'.join(rest)}" if rest else first[:-1]
    return ".".join([first, *rest])


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _fields(kind: Any, place: list[int | str]) -> list[str]:
    """Keys of the record at a place in a value of ``kind``."""
    for part in place:
        kind = _inner(kind, part)
    kind = _inner(kind, None)
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _inner(kind: Any, part: int | str | None) -> Any:
    """The annotation of a part of ``kind``; of itself without what may be null for None."""
    if _is_union(kind):
        kind = next(each for each in get_args(kind) if each is not NoneType)
    if part is None:
        return kind
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_fields[part].annotation
    return get_args(kind)[-1]
