"""The CSV that lists a user's images: which file, which masks, which split, which group."""

import csv
import io
import logging
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from segue.data import decoding
from segue.data.sources.folder import pattern
from segue.data.sources.folder.listing import Listing
from segue.errors import InputError

SPLITS = ("train", "val", "id")

_DELIMITERS = (",", ";", "\t")
_GROUPS = ("group", "patient")
_RATER = re.compile(r"rater_(\d+)")
_MISSING = ("", "na", "n/a", "nan", "none", "null", "-")  # as spreadsheets and pandas write it
_LISTED = 5  # missing readings that are named
_SPLIT_NAME = re.compile(r"ood(_[^\W_][\w .()+-]*)?")
_log = logging.getLogger(__name__)


class Row(NamedTuple):
    """One image; ``where`` names file and line for messages; ``split``, ``group`` may be empty.

    ``name`` is its path as the CSV has it; ``masks`` has None for a rater who did not see it.
    """

    where: str
    name: str
    image: Path
    masks: tuple[Path | None, ...]
    split: str
    group: str

    def __str__(self) -> str:
        """Name it in an error message."""
        return self.image.name


def read(folder: Path, index: str, masks: str | None) -> tuple[list[Row], list[str]]:
    """Read ``index``, a CSV in ``folder`` with a column ``image`` and perhaps ``split``, ``group``.

    Commas, semicolons or tabs; UTF-8, UTF-16 with its mark, or cp1252. Rows without any value are
    passed over.

    Args:
        masks: where the masks of an image are, see ``segue.data.sources.folder.pattern``; or None:
            columns rater_1, rater_2, ... name them, and an empty cell is a missing reading.

    Returns:
        The rows, and what the raters are called: their columns, or what ``*`` stands for.

    Raises:
        InputError: a column, file or mask is missing, or is named twice.
    """
    path = folder / index
    if not path.is_file():
        raise InputError(f"folder: index: no file {path}; expected a CSV with a column 'image'")
    header, cells = _lines(path)
    columns = _columns(path, header, masks)
    listing = Listing(folder)
    lines = [(where, dict(zip(header, line, strict=True))) for where, line in cells]
    rows = [_row(where, listing, line) for where, line in lines]
    if not rows:
        raise InputError(f"{path}: no rows; expected one for each image")
    _check_once(rows)
    if masks:
        found, raters = pattern.assign(folder, masks, [(row.where, row.image) for row in rows])
    else:
        raters = columns
        found = [_named(where, listing, line, columns) for where, line in lines]
    rows = [row._replace(masks=each) for row, each in zip(rows, found, strict=True)]
    _check_masks(rows, raters)
    if missing := [
        (row, r) for row in rows for r, m in zip(raters, row.masks, strict=True) if not m
    ]:
        _log.warning(
            "%s: %d of %d readings are missing, taken as images that the rater did not see: %s",
            path,
            len(missing),
            len(rows) * len(raters),
            ", ".join(f"{row.name} by {rater}" for row, rater in missing[:_LISTED])
            + (", ..." if missing[_LISTED:] else ""),
        )
    return rows, raters


def _lines(path: Path) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """The header, lower case, and the rows that are not empty, each with its place."""
    text = decoding.text(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    lines: list[tuple[str, list[str]]] = []
    start = 1
    try:
        for cells in reader:
            where, start = f"{path}, line {start}", reader.line_num + 1
            if any("\n" in cell for cell in cells):
                raise InputError(
                    f"{where}: a value that goes on in the next line; is a quote not closed?"
                )
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if not header:
                header = [name.casefold() for name in cells]
                continue
            lines.append((where, _fitted(where, cells, header)))
    except csv.Error as error:
        raise InputError(
            f"{path}, line {start}: not readable as CSV ({error}); is a quote not closed?"
        ) from error
    width = max((i + 1 for i, name in enumerate(header) if name), default=0)
    if any(any(cells[width:]) for _, cells in lines):
        where, cells = next((w, c) for w, c in lines if any(c[width:]))
        raise InputError(
            f"{where}: {next(filter(None, cells[width:]))!r} is in a column without "
            "a name; name the column or empty it"
        )
    return header[:width], [(where, cells[:width]) for where, cells in lines]


def _fitted(where: str, cells: list[str], header: list[str]) -> list[str]:
    """The cells of a row, as many as the header has; more may be there if they are empty."""
    if len(cells) < len(header) or any(cells[len(header) :]):
        raise InputError(
            f"{where}: as many values as columns expected, {len(header)}, in quotes if they hold "
            f"the delimiter; found {len(cells)}"
        )
    return cells[: len(header)]


def _columns(path: Path, header: list[str], masks: str | None) -> list[str]:
    """Check the header; return the raters' columns by number; none where a pattern finds masks."""
    if twice := [name for name in dict.fromkeys(header) if name and header.count(name) > 1]:
        raise InputError(f"{path}: the column {twice[0]!r} is there twice; rename or remove one")
    raters = sorted(filter(_RATER.fullmatch, header), key=lambda name: int(name[6:]))
    known = ["image", "split", *_GROUPS]
    extra = [name for name in header if name not in known and name not in raters]
    near = {name: get_close_matches(name, [*known, "rater_1"], n=1, cutoff=0.8) for name in extra}
    if misspelt := [(name, close[0]) for name, close in near.items() if close]:
        name, meant = misspelt[0]
        raise InputError(f"{path}: the column {name!r}; did you mean {meant!r}? Rename it")
    if "image" not in header or bool(raters) == bool(masks):
        raise InputError(
            f"{path}: expected the column 'image', perhaps 'split' and 'group', and either columns "
            f"'rater_1', 'rater_2', ... or the option masks; found {', '.join(header)}"
            f"{' and masks' if masks else ''}"
        )
    if all(name in header for name in _GROUPS):
        raise InputError(f"{path}: columns 'group' and 'patient' both; keep what groups images")
    if extra:
        _log.info("%s: not used: %s", path, ", ".join(name or "(no name)" for name in extra))
    return raters


def _row(where: str, listing: Listing, line: Mapping[str, str]) -> Row:
    if not line["image"]:
        raise InputError(f"{where}: image is empty; name a file")
    image = _file(where, listing, line["image"])
    split = line.get("split", "")
    if "split" in line and split not in SPLITS and not _SPLIT_NAME.fullmatch(split):
        raise InputError(
            f"{where}: split {split!r}; expected train, val, id (the test images) or ood_<shift>, "
            "a shift of letters, digits, spaces and _ . - + ( )"
        )
    groups = [line[name] for name in _GROUPS if name in line]
    if groups and groups[0].casefold() in _MISSING:
        raise InputError(f"{where}: group is empty; name one, such as a patient")
    return Row(where, line["image"], image, (), split, *(groups or [""]))


def _named(
    where: str, listing: Listing, line: Mapping[str, str], columns: Sequence[str]
) -> tuple[Path | None, ...]:
    """Masks that the columns of a row name; None where a cell says that there is none."""
    return tuple(
        None
        if line[name].casefold() in _MISSING and not listing.find(line[name])
        else _file(where, listing, line[name])
        for name in columns
    )


def _file(where: str, listing: Listing, name: str) -> Path:
    if found := listing.find(name):
        return found
    raise InputError(
        f"{where}: no file {listing.folder / name}; names are relative to {listing.folder}"
    )


def _check_once(rows: Sequence[Row]) -> None:
    """Raise InputError if two rows name one image, however they spell it."""
    seen: dict[Path, Row] = {}
    for row in rows:
        other = seen.setdefault(row.image.resolve(), row)
        if other is not row:
            raise InputError(
                f"{row.where}: {row.name} is the image of {_line(other)} too; remove one of the "
                "rows"
            )


def _check_masks(rows: Sequence[Row], raters: Sequence[str]) -> None:
    """Raise InputError if one file is two masks, or an image and a mask."""
    images = {row.image.resolve(): row for row in rows}
    seen: dict[Path, tuple[Row, str]] = {}
    for row in rows:
        for rater, mask in zip(raters, row.masks, strict=True):
            if mask is None:
                continue
            key = mask.resolve()
            if key in images:
                raise InputError(f"{row.where}: {rater}: {mask.name} is an image of the list too")
            other, name = seen.setdefault(key, (row, rater))
            if (other, name) != (row, rater):
                place = name if other is row else f"{_line(other)}, {name}"
                raise InputError(
                    f"{row.where}: {mask.name} is the mask of {rater} and of {place}; each mask "
                    "belongs to one image and rater: copy it if both drew the same"
                )


def _line(row: Row) -> str:
    return row.where.rsplit(", ", 1)[-1]
