"""Samples that are removed when their maps are there, for studies that do not keep them.

They lie where other studies may find them. So only samples that were drawn to be removed are
marked, and the mark goes as soon as a study that keeps its samples reads them.
"""

import logging
import os
from pathlib import Path

from segue import files, stamp

_MARK = "passing"

_log = logging.getLogger(__name__)


def mark(folder: Path) -> None:
    """Mark new samples, in the folder of the result, as not to stay."""
    (folder / _MARK).touch()


def stay(made: Path) -> None:
    """Take the mark away from samples, if they have one.

    Args:
        made: path of their stamp; of anything else nothing is done.
    """
    if made.name == stamp.NAME:
        (stamp.read(made).folder / _MARK).unlink(missing_ok=True)


def remove(made: Path) -> None:
    """Remove samples that are marked, and all that says that they are there.

    Args:
        made: path of their stamp; of anything else nothing is done.

    Raises:
        InputError: another process is making them.
    """
    if made.name != stamp.NAME or not made.exists():
        return
    with files.locked(made.parent / ".lock"):
        found = stamp.read(made)
        if not (found.folder / _MARK).exists():
            return
        made.unlink()
        for name in found.files:
            files.remove(made.parent / name)
        # Renamed first: removed in part, it would look like one that only lacks its record.
        gone = found.folder.with_name(f".{found.folder.name}.gone")
        files.remove(gone)
        os.replace(found.folder, gone)
        files.remove(gone)
    _log.info("%s: samples removed, since their maps are there", found.folder)
