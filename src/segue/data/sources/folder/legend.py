"""From what mask files hold to class indices, by one rule for all files of a dataset.

Which number of a file is which class can rarely be told from one file: 255 may be the foreground or
a pixel to ignore, and a palette may be sorted anew by whatever program saved it. So a survey of all
files comes first, and what it leaves open is refused, and can be settled by the option ``values``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from segue.data.sources.folder.masks import Raw
from segue.dims import UNLABELLED
from segue.errors import InputError

_MOST = 300  # different values of all masks; where there are more, they are no classes
_WHITE = 255
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_TRUTHS = {"false": 0, "true": 1}


@dataclass
class Survey:
    """What all masks of a dataset hold; ``where`` is a file for messages, the first with a value.

    Attributes:
        found: by kind, each code in use and where; of a palette, the colours of its indices.
        pairs: of the palettes, each index in use with its colours and where.
    """

    found: dict[str, dict[int, str]] = field(default_factory=dict)
    pairs: dict[tuple[int, int], str] = field(default_factory=dict)

    def add(self, raw: Raw, where: str) -> None:
        """Note a mask.

        Raises:
            InputError: so many different values that they cannot be classes.
        """
        codes = np.unique(raw.codes).tolist()
        known = self.found.setdefault(raw.kind, {})
        if raw.kind == "palette":
            for index in codes:
                self.pairs.setdefault((index, int(raw.palette[index])), where)
            codes = raw.palette[codes].tolist()
        for code in codes:
            known.setdefault(code, where)
        if len(known) > _MOST:
            raise InputError(
                f"{where}: more than {_MOST} different values in the masks so far; these are no "
                "class indices"
            )


@dataclass(frozen=True)
class Legend:
    """Which code is which class, by kind; of a palette either its colours or its indices count."""

    classes: Mapping[str, Mapping[int, int]]
    by_index: bool = False

    def apply(self, raw: Raw) -> np.ndarray:
        """Class indices (y, x) uint8 of a mask, ``UNLABELLED`` where it is to be ignored."""
        codes = raw.codes
        if raw.kind == "palette" and not self.by_index:
            codes = raw.palette[codes]
        out = np.empty(codes.shape, np.uint8)
        classes = self.classes[raw.kind]
        for code in np.unique(codes).tolist():
            out[codes == code] = classes[code]
        return out


def values_option(
    values: Mapping[str, int | str] | None, names: Sequence[str]
) -> dict[int | str, int] | None:
    """The option ``values``: grey value, or colour such as ``#ff0000`` -> class index.

    Raises:
        InputError: a key is neither, or a class that there is not.
    """
    if values is None:
        return None
    return {_key(key): _class(key, each, values, names) for key, each in values.items()}


def _key(key: str) -> int | str:
    text = str(key).strip().lower()
    if _COLOUR.fullmatch(text):
        return text
    try:
        number = float(_TRUTHS.get(text, text))
        if number == int(number):
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise InputError(
        f"folder: values: expected pixel value: class, such as 255: 1 or '#ff0000': 1; came {key}"
    )


def _class(key: str, given: int | str, values: Mapping, names: Sequence[str]) -> int:
    if given in names:
        return list(names).index(given)
    if isinstance(given, int) and 0 <= given < len(names):
        return given
    turned = {str(v): k for k, v in values.items()}
    swapped = all(str(k).isdecimal() and int(k) < len(names) for k in values)
    hint = f"; is it the other way round, {{{_pairs(turned)}}}?" if swapped else ""
    raise InputError(
        f"folder: values.{key}: classes are 0 to {len(names) - 1} ({', '.join(names)}); came "
        f"{given!r}{hint}"
    )


def _pairs(values: Mapping) -> str:
    return ", ".join(f"{key}: {value}" for key, value in values.items())


def legend(
    survey: Survey, names: Sequence[str], values: Mapping[int | str, int] | None, ignore: int | None
) -> Legend:
    """Decide which code of the surveyed masks is which class.

    Grey values are class indices, or as ``values`` says. Without ``values``, 0 and 255 are the two
    classes where there are two and no other value occurs. Of a palette the colours count if all
    that are in use are grey and known, or in ``values``; else its indices, if each has one colour
    in all files and black, if used, is index 0 and greys are in the order of their indices.

    Args:
        names: of the classes.
        values: see ``values_option``.
        ignore: grey value of pixels without a class; None: there are none.

    Raises:
        InputError: a value that is no class, or one that may be one class or another; names a file.
    """
    if ignore is not None and values is not None and ignore in values:
        raise InputError(f"folder: ignore: {ignore} is one of values too; take it out of either")
    grey = {c: c for c in range(len(names))} if values is None else _numbers(values)
    if ignore is not None:
        grey[ignore] = UNLABELLED
    colours = {} if values is None else _rgb(values)
    found = survey.found
    classes: dict[str, Mapping[int, int]] = {}
    if "grey" in found:
        classes["grey"] = _known(found["grey"], grey, names, values)
    if "bit" in found:
        classes["bit"] = _bits(found["bit"], grey, values)
    if "colour" in found:
        greys = {value * 0x10101: each for value, each in grey.items()}
        classes["colour"] = _known_colours(found["colour"], greys | colours)
    if "palette" not in found:
        return Legend(classes)
    by_colour = {value * 0x10101: each for value, each in grey.items()} | colours
    used = found["palette"]
    if not used.keys() <= by_colour.keys() and values is None and len(names) == 2:
        binary = {0: 0, _WHITE * 0x10101: 1}
        by_colour = binary if used.keys() <= binary.keys() else by_colour
    if used.keys() <= by_colour.keys():
        return Legend(classes | {"palette": by_colour})
    _check_palette(survey)
    indices = {index: where for (index, _), where in survey.pairs.items()}
    return Legend(classes | {"palette": _known(indices, grey, names, values)}, by_index=True)


def _numbers(values: Mapping[int | str, int]) -> dict[int, int]:
    return {key: each for key, each in values.items() if isinstance(key, int)}


def _rgb(values: Mapping[int | str, int]) -> dict[int, int]:
    return {int(k[1:], 16): each for k, each in values.items() if isinstance(k, str)}


def _known(
    found: Mapping[int, str], grey: Mapping[int, int], names: Sequence[str], values: Mapping | None
) -> Mapping[int, int]:
    foreign = [value for value in found if value not in grey]
    if not foreign:
        return grey
    if values is None and len(names) == 2 and found.keys() <= {0, _WHITE}:
        return {0: 0, _WHITE: 1}
    value = foreign[0]
    if values is None and found.keys() <= set(range(1, len(names) + 1)):
        numbered = _pairs({i + 1: i for i in range(len(names))})
        raise InputError(
            f"{found[value]}: pixel value {value}, and no 0 in any mask; if the classes are "
            f"numbered from 1, say values: {{{numbered}}}"
        )
    raise InputError(
        f"{found[value]}: pixel value {value}; expected one of {', '.join(map(str, grey))}: correct"
        f" the mask, give the class of each value in the option values, or, if pixels of {value} "
        f"have no class, say ignore: {value}{_noise(found)}"
    )


def _noise(found: Mapping[int, str]) -> str:
    """A hint where many values are near two: what is left of a mask that was saved as JPEG."""
    if len(found) < 10:
        return ""
    return (
        f". {len(found)} different values occur: was a mask saved as JPEG, or resized with "
        "interpolation? Make it anew from its original"
    )


def _bits(
    found: Mapping[int, str], grey: Mapping[int, int], values: Mapping | None
) -> Mapping[int, int]:
    """Classes of black and white in files of one bit: those of 0, and of 255 or 1."""
    if values is None:
        return {0: 0, 1: 1}
    white = {grey[key] for key in (1, _WHITE) if key in grey and grey[key] != UNLABELLED}
    if 1 in found and len(white) != 1:
        what = "both, as different classes" if white else "neither"
        raise InputError(
            f"{found[1]}: a mask of one bit, whose white is 1 or 255; values has {what}"
        )
    if 0 in found and 0 not in grey:
        raise InputError(f"{found[0]}: a mask of one bit, whose black is 0; values has no 0")
    return {0: grey.get(0, 0), 1: next(iter(white), 0)}


def _known_colours(found: Mapping[int, str], known: Mapping[int, int]) -> Mapping[int, int]:
    foreign = [code for code in found if code not in known]
    if foreign:
        raise InputError(
            f"{found[foreign[0]]}: the colour '#{foreign[0]:06x}'; expected class indices, or the "
            f"class of each colour in the option values, such as '#{foreign[0]:06x}': 1"
        )
    return known


def _check_palette(survey: Survey) -> None:
    """Raise InputError unless the indices of all palettes can be taken for what they mean."""
    remedy = "say which colour is which class in the option values, such as '#ff0000': 1"
    by_index: dict[int, tuple[int, str]] = {}
    by_colour: dict[int, tuple[int, str]] = {}
    for (index, colour), where in survey.pairs.items():
        other, first = by_index.setdefault(index, (colour, where))
        if other != colour:
            raise InputError(
                f"{where}: index {index} of the palette is '#{colour:06x}', in {first} "
                f"'#{other:06x}', so it may mean different classes; {remedy}"
            )
        number, first = by_colour.setdefault(colour, (index, where))
        if number != index:
            raise InputError(
                f"{where}: '#{colour:06x}' is index {index} of the palette, in {first} index "
                f"{number}, so they may mean different classes; {remedy}"
            )
    if by_colour.get(0, (0, ""))[0] != 0:
        index, where = by_colour[0]
        raise InputError(f"{where}: black is index {index} of the palette, and not 0; {remedy}")
    colours = [by_index[index][0] for index in sorted(by_index)]
    greys = [colour for colour in colours if colour % 0x10101 == 0]
    if greys == colours and greys != sorted(greys):
        where = next(iter(survey.pairs.values()))
        raise InputError(
            f"{where}: the greys of the palette are not in the order of their indices; {remedy}"
        )
