"""Files that exist only when they are whole; their checksums, links and locks."""

import errno
import fcntl
import glob
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from segue.errors import InputError

LOCK = ".lock"
"""File of a folder by which one process holds it, see ``alone``."""

_QUIET = 0.1  # seconds; a chunk takes less to write
_ATTEMPTS = 50


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Yield a file to write text to; it becomes ``path`` when the block ends well."""
    with (
        unfinished(path) as new,
        new.open("w", encoding="utf-8", newline="") as file,
    ):
        yield file


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """Yield the path of a file or folder to write; it becomes ``path`` when the block ends well.

    It lies beside ``path``, where it can be renamed in one step, and is removed when the block
    fails. What a killed writer of the same ``path`` left there is removed first.

    Raises:
        OSError: the disk is full or may not be written to; names the file.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Exactly the names given below, not those of, say, <path>.json.
        for left in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 32}.tmp"):
            remove(left)
        new = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        try:
            yield new
            os.replace(new, path)
        finally:
            with suppress(OSError):  # the next writer of this file tries again
                remove(new)


@contextmanager
def kept(work: Path, path: Path) -> Iterator[Path]:
    """As ``unfinished``, but yield ``work``, which stays when the block fails.

    Raises:
        InputError: ``work`` and ``path`` are on two disks, so that it cannot be renamed.
        OSError: the disk is full or may not be written to; names the file.
    """
    with naming(path):
        for folder in (work.parent, path.parent):
            folder.mkdir(parents=True, exist_ok=True)
        _check_rename(work.parent, path.parent)
        yield work
        os.replace(work, path)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an ``OSError`` that names no file, such as that of a full disk, name ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def link(path: Path, target: Path) -> None:
    """Make ``path`` a relative link to ``target``, in the place of a link that is there."""
    with unfinished(path) as new:
        new.symlink_to(os.path.relpath(target, path.parent))


@contextmanager
def locked(path: Path) -> Iterator[BinaryIO]:
    """Hold the lock of a file, which is made if need be, while the block runs; yield the file.

    Raises:
        InputError: another process, perhaps an orphan of a killed run, holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"{path.parent}: another process is writing this result; wait for it or end it"
            ) from error
        yield file


@contextmanager
def alone(work: Path, taken: str) -> Iterator[None]:
    """Hold an empty folder for this run alone while the block runs; then remove it, if it is there.

    What a killed run left there is removed first.

    Args:
        work: the folder, which is made if need be.
        taken: message where another run holds it.

    Raises:
        InputError: another run holds it.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(locked(work / LOCK))
            if not os.path.samestat(os.fstat(file.fileno()), (work / LOCK).stat()):
                raise InputError(taken)
        except (InputError, FileNotFoundError) as error:  # the latter: it ended this very moment
            raise InputError(taken) from error
        for left in work.iterdir():
            if left.name != LOCK:
                remove(left)
        try:
            yield
        finally:
            _remove_for_good(work)


def digest(path: Path) -> str:
    """sha256 of the bytes of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_rename(source: Path, target: Path) -> None:
    """Rename an empty file, so that two disks are noticed before the work and not after it."""
    name = f".{uuid.uuid4().hex}.tmp"
    (source / name).touch()
    try:
        os.replace(source / name, target / name)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        raise InputError(
            f"{source}: what is unfinished must lie on the disk of {target}, where it belongs in "
            "the end; keep both folders on one disk"
        ) from error
    finally:
        remove(source / name)
        remove(target / name)


def _remove_for_good(folder: Path) -> None:
    """Remove a folder in which, after an interruption, threads of Zarr may still write a chunk."""
    for _ in range(_ATTEMPTS):
        if not folder.exists():
            return
        with suppress(OSError):
            remove(folder)
        time.sleep(_QUIET)
