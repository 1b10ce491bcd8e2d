"""The folder that ``segue score`` writes: whole or not there, of one run, over no other files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from segue import files
from segue.errors import InputError

NAMES = {
    *("maps.zarr", "scores.csv", "scores-intervals.csv", "scores-draws.npz", "deltas.csv"),
    *("summary.md", "summary.png", "summary.svg", "summary.pdf"),
}
"""What it holds."""

LATER = {"report.html"}
"""What `segue report` puts there. A folder with anything else in it is not replaced."""


@contextmanager
def new_folder(out: Path, *, store: Path, replace: bool = False) -> Iterator[Path]:
    """Yield a folder to write to; it becomes ``out`` when the block ends well, else it is removed.

    It lies beside ``out``, hidden, and is locked: a second run into the same ``out`` is refused.

    Args:
        out: path of the folder; it may be there if it is empty.
        store: what is read, which ``out`` must not be, lie in, or hold.
        replace: whether what an earlier run wrote to ``out`` may be replaced.

    Raises:
        InputError: ``out`` may not be written to, or another run writes to it.
        OSError: the disk is full or may not be written to; names the file.
    """
    out, store = out.resolve(), store.resolve()
    if out == store or store in out.parents:
        raise InputError(f"{out}: lies in the store that is read; name another --out")
    if out in store.parents:
        raise InputError(f"{out}: holds the store that is read, {store.name}; name another --out")
    above = [folder for folder in out.parents if not folder.exists()]
    work, old = (out.with_name(f".{out.name}.{what}") for what in ("unfinished", "replaced"))
    taken = f"{out}: another run is writing to it; wait for it, or name another --out"
    with files.naming(out), _made(above), files.alone(work, taken):
        try:
            _check_free(out, replace)
            yield work
            _check_free(out, replace)
            (work / files.LOCK).unlink()
            if out.exists():
                os.replace(out, old)
            os.replace(work, out)
        finally:
            files.remove(old)


def _check_free(out: Path, replace: bool) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"{out}: expected a folder, found a file; name another --out")
    found = sorted(path.name for path in out.iterdir())
    if strange := [name for name in found if name not in NAMES | LATER]:
        raise InputError(
            f"{out}: expected a new or an empty folder, found {strange[0]} in it; name another "
            "--out"
        )
    if found and not replace:
        raise InputError(f"{out}: exists already; replace it with --replace, or name another --out")


@contextmanager
def _made(folders: list[Path]) -> Iterator[None]:
    """Remove folders, innermost first, that the block made and left empty."""
    try:
        yield
    finally:
        with suppress(OSError):
            for folder in folders:
                folder.rmdir()
