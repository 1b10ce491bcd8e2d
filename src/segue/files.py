"""Files that exist only when they are whole, digests of files, links and locks."""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from segue.errors import InputError


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Yield a file to write text to; it becomes ``path`` when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            yield file
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def link(path: Path, target: Path) -> None:
    """Make ``path`` a relative link to ``target``, in the place of a link that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    unfinished.symlink_to(os.path.relpath(target, path.parent))
    os.replace(unfinished, path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made if need be, while the block runs.

    Raises:
        InputError: another process, perhaps an orphan of a killed run, holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"{path.parent}: another process is writing this result; wait for it or end it"
            ) from error
        yield
