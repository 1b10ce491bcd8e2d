"""The CSV that lists a user's images: which file, which masks, which split, which group."""

import csv
import glob
import re
from pathlib import Path
from typing import NamedTuple

from segue.dims import is_ood
from segue.errors import InputError


class Row(NamedTuple):
    """One image; ``where`` names file and line for messages; ``split``, ``group`` may be empty.

    ``name`` is its path as the CSV has it.
    """

    where: str
    name: str
    image: Path
    masks: tuple[Path, ...]
    split: str
    group: str

    def __str__(self) -> str:
        """Name it in an error message."""
        return self.image.name


def read(folder: Path, index: str, masks: str | None) -> list[Row]:
    """Read ``index``, a CSV in ``folder`` with a column ``image`` and perhaps ``split``, ``group``.

    Args:
        masks: where the masks of an image are: a pattern such as ``masks/{stem}_*.png``, with the
            raters in the order of the file names; or None: columns rater_1, rater_2, ... name them.

    Raises:
        InputError: a column, a file or a mask is missing, or the number of raters varies.
    """
    path = folder / index
    if not path.is_file():
        raise InputError(f"folder: index: no file {path}; expected a CSV with a column 'image'")
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file)
        header = table.fieldnames or []
        columns = _raters(path, header, masks)
        rows = [
            _row(f"{path}, line {table.line_num}", folder, line, columns, masks) for line in table
        ]
    if not rows:
        raise InputError(f"{path}: no rows; expected one for each image")
    for row in rows:
        if len(row.masks) != len(rows[0].masks):
            raise InputError(
                f"{row.where}: {row.image.name} has {len(row.masks)} masks, that of "
                f"{rows[0].where.split(', ')[-1]} {len(rows[0].masks)}; every image needs one mask "
                "of each rater, all background where a rater marked nothing"
            )
    return rows


def _raters(path: Path, header: list[str], masks: str | None) -> list[str]:
    """Names of the raters' columns, by their number; none where a pattern finds the masks."""
    found = [name for name in header if re.fullmatch(r"rater_\d+", name)]
    known = {"image", "split", "group", *found}
    unknown = [name for name in header if name not in known]
    if "image" not in header or unknown or bool(found) == bool(masks):
        raise InputError(
            f"{path}: expected the column 'image', perhaps 'split' and 'group', and either columns "
            f"'rater_1', 'rater_2', ... or the option masks; found {', '.join(header)}"
            f"{' and masks' if masks else ''}"
        )
    return sorted(found, key=lambda name: int(name.removeprefix("rater_")))


def _row(
    where: str, folder: Path, line: dict[str, str], columns: list[str], masks: str | None
) -> Row:
    if None in line or None in line.values():
        raise InputError(f"{where}: as many values as columns expected, in quotes if they hold ','")
    line = {name: value.strip() for name, value in line.items()}
    image = folder / line["image"]
    if masks:
        pattern = masks.replace("{stem}", glob.escape(image.stem))
        files = sorted(folder.glob(pattern))
        if not files:
            raise InputError(f"{where}: no mask of {image.name}: nothing matches {pattern}")
    else:
        empty = [name for name in columns if not line[name]]
        if empty:
            raise InputError(
                f"{where}: {empty[0]} is empty; name a mask, all background where the rater marked "
                "nothing"
            )
        files = [folder / line[name] for name in columns]
    for file in (image, *files):
        if not file.is_file():
            raise InputError(f"{where}: no file {file}; names are relative to {folder}")
    split = line.get("split", "")
    if "split" in line and split not in ("train", "val", "id") and not is_ood(split):
        raise InputError(
            f"{where}: split {split!r}; expected train, val, id (the test images) or ood_<shift>"
        )
    if "group" in line and not line["group"]:
        raise InputError(f"{where}: group is empty; name one, such as a patient")
    return Row(where, line["image"], image, tuple(files), split, line.get("group", ""))
