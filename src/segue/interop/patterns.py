"""Which file is what of which image: by a pattern of names, such as ``id/{member}/{image}.npz``.

What stands in braces is another in every file, and never has a ``/`` in it. A folder stands for the
files in it, or in the folders in it, which are the members or raters then.
"""

import glob
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from segue.data.sources.folder.listing import composed
from segue.data.sources.folder.pattern import natural
from segue.errors import InputError

_PARTS = re.compile(r"(\{[^}/]*\})")


class Files(NamedTuple):
    """Files of images.

    Attributes:
        pattern: by which they were found.
        keys: what a file is of beside an image: some of member, draw, class; or rater.
        values: of each key, in the order of numbers in them and then of letters.
        images: of each image, by its name, its files by the values of ``keys``.
    """

    pattern: str
    keys: tuple[str, ...]
    values: Mapping[str, list[str]]
    images: Mapping[str, Mapping[tuple[str, ...], Path]]


def find(given: str, known: Sequence[str], suffixes: Sequence[str]) -> Files:
    """Find files.

    Args:
        given: a pattern, or a folder.
        known: keys that a pattern may have beside ``{image}``; the first is that of folders in a
            folder.
        suffixes: of the files that a folder is searched for.

    Raises:
        InputError: no file, names that can be read in two ways, or a pattern with other keys.
    """
    folder = Path(given)
    pattern = _of_folder(folder, known[0], suffixes) if folder.is_dir() else str(folder)
    names = [part[1:-1] for part in _PARTS.findall(pattern)]
    allowed = ("image", *known)
    if strange := [name for name in names if name not in allowed or names.count(name) > 1]:
        raise InputError(
            f"{pattern}: expected {{{'}, {'.join(allowed)}}}, each once at most, found "
            f"{{{strange[0]}}}"
        )
    if not names and not folder.is_file():
        raise InputError(
            f"{given}: no such folder; expected one, or a pattern of files such as "
            f"{given}/{{{known[0]}}}/{{image}}{suffixes[0]}"
        )
    keys = tuple(name for name in known if name in names)
    images: dict[str, dict[tuple[str, ...], Path]] = {}
    wild = (
        glob.escape(part) if i % 2 == 0 else "*" for i, part in enumerate(_PARTS.split(pattern))
    )
    for path in sorted(map(Path, glob.glob("".join(wild)))):
        if path.is_file():
            found = _read(pattern, path)
            of = images.setdefault(composed(found.get("image", "")), {})
            of[tuple(found[key] for key in keys)] = path
    if not images:
        raise InputError(f"{pattern}: no file has such a name; correct the pattern")
    every = list(itertools.chain.from_iterable(images.values()))
    values = {k: sorted({key[i] for key in every}, key=natural) for i, k in enumerate(keys)}
    return Files(
        pattern, keys, values, {name: images[name] for name in sorted(images, key=natural)}
    )


def check_whole(files: Files) -> None:
    """See that each image has a file of each combination of the keys.

    Raises:
        InputError: names the first that is missing.
    """
    for image, found in files.images.items():
        for combination in itertools.product(*files.values.values()):
            if combination not in found:
                what = ", ".join(map(" ".join, zip(files.keys, combination, strict=True)))
                raise InputError(
                    f"{files.pattern}: no file of {what} of the image {image!r}; every image needs "
                    "the same files"
                )


def _of_folder(folder: Path, key: str, suffixes: Sequence[str]) -> str:
    """The pattern of the files that a folder holds."""
    patterns = [
        f"{folder}{between}{{image}}{suffix}"
        for between, paths in ((f"/{{{key}}}/", folder.glob("*/*")), ("/", folder.glob("*")))
        for suffix in sorted({_suffix(path, suffixes) for path in paths} - {""})
    ]
    if not patterns:
        raise InputError(
            f"{folder}: no file that ends in {', '.join(suffixes)}, neither in it nor in a folder "
            "in it"
        )
    if patterns[1:]:
        raise InputError(
            f"{folder}: holds files of {' and of '.join(patterns)}; say which, by such a pattern"
        )
    return patterns[0]


def _suffix(path: Path, suffixes: Sequence[str]) -> str:
    """Which of the suffixes a file has, as it is written there; empty if none, or hidden."""
    if path.name.startswith(".") or not path.is_file():
        return ""
    found = max((s for s in suffixes if path.name.lower().endswith(s)), key=len, default="")
    return path.name[len(path.name) - len(found) :]


def _read(pattern: str, path: Path) -> dict[str, str]:
    """What stands in braces in the name of a file."""
    readings = []
    for some in ("[^/]+", "[^/]+?"):
        regex = ""
        for i, part in enumerate(_PARTS.split(pattern)):
            what = "[0-9]+" if part == "{class}" else some
            regex += f"(?P<{part[1:-1]}>{what})" if i % 2 else re.escape(part)
        if match := re.fullmatch(regex, str(path)):
            readings.append(match.groupdict())
    if not readings:
        raise InputError(
            f"{path}: does not fit the pattern {pattern}: a class is a number, its index in the "
            "labels"
        )
    longest, shortest = readings
    if longest != shortest:
        key = next(key for key in longest if longest[key] != shortest[key])
        raise InputError(
            f"{path}: is the {key} {longest[key]!r} or {shortest[key]!r}, by the pattern "
            f"{pattern}? Put a / between what stands in braces, or rename the files"
        )
    return longest
