"""Reading what others have written: damaged files end with a message, texts in any encoding."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segue.errors import InputError

_log = logging.getLogger(__name__)


@contextmanager
def decoding(what: str, remedy: str = "copy or save it again") -> Iterator[None]:
    """Let any error of a decoder be an InputError: damaged files raise all kinds of them.

    Args:
        what: what the message says: file and what it was expected to be.
        remedy: what the message ends in.
    """
    try:
        yield
    except (InputError, ImportError):
        raise
    except Exception as error:
        raise InputError(f"{what} ({type(error).__name__}: {error}); {remedy}") from error


def text(path: Path) -> str:
    """The text of a file in UTF-8, in UTF-16 with its mark, or else in Windows' cp1252.

    Raises:
        InputError: it is in none of them.
    """
    data = path.read_bytes()
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ["utf-16"] if marked else ["utf-8-sig", "cp1252"]:
        try:
            found = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in found:
            break
        if encoding == "cp1252":
            _log.warning("%s: is not in UTF-8; read as Windows' cp1252", path)
        return found
    raise InputError(f"{path}: not readable as text; save it as CSV in UTF-8")
