"""Values are taken as they are or refused in plain words; nothing is converted."""

import contextlib
import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InputError
from segue.schema import Record, parse

IMAGES = Mapping[str, int | None] | None
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (3, int),
        (10**30, int),
        (0.5, float),
        (3, float),
        (True, bool),
        ("", str),
        (None, int | None),
        ([1, 2], Sequence[int]),
        ((1, 2), Sequence[int]),
        ([1, 2], list[int]),
        ([1, 2], tuple[int, int]),
        ([], Sequence[str]),
        ({"train": 3, "id": None}, IMAGES),
        (None, IMAGES),
        ({0: 0, 255: 1}, Mapping[str, int]),  # keys of a JSON object are text
        ("b", Literal["a", "b"]),
        (True, Literal[True]),
    ],
    ids=str,
)
def test_what_fits_is_taken(value, kind):
    parse(kind, value, "key")


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ("x", int, "key: expected an integer, found 'x'"),
        ("3", int, "key: expected an integer, found '3'"),
        (3.0, int, "key: expected an integer, found 3.0"),
        (True, int, "key: expected an integer, found True"),
        (None, int, "key: expected an integer, found None"),
        ([3], int, "key: expected an integer, found [3]"),
        ("1e-3", float, "key: expected a number, found '1e-3'"),
        (False, float, "key: expected a number, found False"),
        (float("nan"), float, "key: expected a finite number, found nan"),
        (float("inf"), float, "key: expected a finite number, found inf"),
        ("no", bool, "key: expected true or false, found 'no'"),
        (1, bool, "key: expected true or false, found 1"),
        (5, str, "key: expected text, found 5"),
        ("a, b", Sequence[str], "key: expected a list, found 'a, b'"),
        ("ab", tuple[str, ...], "key: expected a list, found 'ab'"),
        ({"a": 1}, list[int], "key: expected a list, found {'a': 1}"),
        (["a", 1], Sequence[str], "key.1: expected text, found 1"),
        ([1], tuple[int, int], "key: expected one more element, found [1]"),
        ([1, 2, 3], tuple[int, int], "found [1, 2, 3]"),
        ([1], Mapping[str, int], "key: expected a mapping, found [1]"),
        ({"train": "all"}, IMAGES, "key.train: expected an integer, found 'all'"),
        ({0: "x"}, Mapping[str, int], "key.0: expected an integer, found 'x'"),
        (5, None, "key: expected null, found 5"),
        ({"a": {"b": [1, "c"]}}, dict[str, dict[str, list[int]]], "key.a.b.1: expected an integer"),
        ("c", Literal["a", "b"], "key: expected 'a' or 'b', found 'c'"),
        (1.5, int | str, "key: expected an integer or text, found 1.5"),
        ("x", Sequence[int] | int, "key: expected a list or an integer, found 'x'"),
        (["x"], Sequence[int] | int, "key.0: expected an integer, found 'x'"),
        (datetime.date(2026, 1, 2), str, "found datetime.date(2026, 1, 2)"),
        ([Path("a")], Sequence[str], "key: expected numbers, text, true, false, null, or lists"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_in_plain_words(value, kind, message):
    with pytest.raises(InputError) as refused:
        parse(kind, value, "key")
    assert message in str(refused.value)


def test_a_message_has_the_beginning_of_a_long_value_only():
    with pytest.raises(InputError) as refused:
        parse(int, "x" * 1000, "key")
    assert len(str(refused.value)) < 120


@given(JSON)
def test_anything_is_anything(value):
    parse(Any, value, "key")


@given(JSON, st.sampled_from([int, float, bool, str, Sequence[int], IMAGES, int | str]))
def test_what_does_not_fit_is_always_an_input_error_that_begins_with_the_key(value, kind):
    with contextlib.suppress(InputError) as _, begins_with("key"):
        parse(kind, value, "key")


@contextlib.contextmanager
def begins_with(key):
    try:
        yield
    except InputError as error:
        if not str(error).startswith(key):
            raise AssertionError(str(error)) from error
        raise


class Inner(Record):
    size: int
    names: list[str] = []  # noqa: RUF012


class Outer(Record):
    inner: Inner
    more: dict[str, Inner] | None = None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"inner": {"size": 1, "sizes": 2}}, "f: inner: unknown key sizes; there are: size, names"),
        ({"inner": {}}, "f: inner: missing key size"),
        ({"iner": {"size": 1}}, "f: unknown key iner; there are: inner, more; did you mean inner?"),
        ({"inner": {"size": 1, "names": ["a", 2]}}, "f: inner.names.1: expected text, found 2"),
        (
            {"inner": {"size": 1}, "more": {"x": {"size": 1, "y": 2}}},
            "f: more.x: unknown key y; there are: size, names",
        ),
        ([], "f: expected a mapping, found []"),
    ],
)
def test_a_record_is_checked_at_every_depth(value, message):
    with pytest.raises(InputError) as refused:
        parse(Outer, value, "f:")
    assert str(refused.value).startswith(message)
