"""A zip archive, read in place, or the folder that it was unpacked to: names and bytes.

The names in an archive are only ever compared, never used as paths of the file system.
"""

import os
import re
import zipfile
from functools import lru_cache
from pathlib import Path, PurePosixPath

from segue.data.decoding import decoding
from segue.errors import InputError


def names(path: Path) -> list[str]:
    """Names of the files in the archive or folder, sorted, with ``/`` between their parts.

    Raises:
        InputError: neither a zip archive nor a folder, or a member's name leads out of the archive.
    """
    if path.is_dir():
        return sorted(f.relative_to(path).as_posix() for f in path.rglob("*") if f.is_file())
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise InputError(f"{path}: expected a zip archive or the folder that it was unpacked to")
    with (
        decoding(f"{path}: not a whole zip archive", "fetch it again"),
        zipfile.ZipFile(path) as archive,
    ):
        found = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    for name in found:
        if ".." in re.split(r"[/\\]", name) or re.match(r"[/\\]|[A-Za-z]:", name):
            raise InputError(
                f"{path}: member {name!r} leads out of the archive; refused, nothing was read: "
                "fetch the archive again from its source"
            )
    return sorted(found)


def read(path: Path, name: str) -> bytes:
    """The bytes of one of `names`.

    Raises:
        InputError: the member is damaged.
    """
    if path.is_dir():
        return (path / PurePosixPath(name)).read_bytes()
    with decoding(f"{path}: member {name!r} is damaged", "fetch it again"):
        # One handle a process: a forked one would share its position in the file.
        return _zip(path, path.stat().st_mtime_ns, os.getpid()).read(name)


@lru_cache(maxsize=2)
def _zip(path: Path, changed: int, process: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)
