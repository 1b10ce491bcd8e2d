"""Stamps: the small file that says which result is the finished one, and that it is whole.

A job writes its result, then a stamp, ``made.json``. Later jobs depend on the stamp: it names the
files of the result and holds a digest of each, so that a result is found to be damaged or changed
before it is used, and a result that was made again with the same bytes is the same result. It ends
in a digest of itself.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from segue import digests, files
from segue.errors import InputError

NAME = "made.json"


class Stamp(NamedTuple):
    """What a stamp says.

    Attributes:
        folder: of the result.
        files: digest of each file or store in it, by name; the main one comes first.
        content: what a later result depends on: another one means other data.
    """

    folder: Path
    files: Mapping[str, str]
    content: str

    @property
    def main(self) -> Path:
        """Path of the result's main file or store."""
        return self.folder / next(iter(self.files))


def of_files(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Digest of each file or store in a folder, in the order of ``names``."""
    return {name: _digest(folder / name) for name in names}


def write(path: Path, stamp: Stamp) -> None:
    """Write a stamp; paths in it are relative to its own folder, so that results can be moved."""
    content = {
        "folder": str(stamp.folder.relative_to(path.parent)),
        "files": stamp.files,
        "content": stamp.content,
    }
    with files.replacing(path) as file:
        json.dump({**content, "seal": digests.of_json(content)}, file, indent=1)


def read(path: Path) -> Stamp:
    """Read a stamp without looking at the result.

    Raises:
        InputError: there is none, or it is damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("seal") != digests.of_json(found):
            raise ValueError("its digest is another")
        return Stamp(path.parent / found["folder"], found["files"], found["content"])
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; run the stage that makes it") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: is damaged; {_removal(path.parent)}") from error


def verified(path: Path) -> Stamp:
    """Read a stamp and see that every file it names is there and is as it was when it was made.

    Raises:
        InputError: names the file that is missing, damaged or changed, and the remedy.
    """
    stamp = read(path)
    for name, digest in stamp.files.items():
        file = stamp.folder / name
        if not file.exists():
            raise InputError(f"{file}: is gone; {_remedy(path, file)}")
        if _digest(file) != digest:
            raise InputError(
                f"{file}: is damaged, or was changed after it was made; {_remedy(path, file)}"
            )
    return stamp


def removal(result: Path) -> str | None:
    """The remedy for a damaged file or store that a stage made; None where no stamp is of it.

    The stamp lies beside it or one folder above. A link leads to what no stage made.
    """
    for folder in result.resolve().parents[:2]:
        if (folder / NAME).exists():
            return _removal(folder)
    return None


def _digest(path: Path) -> str:
    return digests.digest(path) if path.is_dir() else files.digest(path)


def _remedy(path: Path, file: Path) -> str:
    """A link leads to what is the user's own, which is never to be removed."""
    if file.is_symlink():
        return f"put it back, or remove {path} to have the store checked again, and run again"
    return _removal(path.parent)


def _removal(folder: Path) -> str:
    return f"remove the folder {folder} and run again"
