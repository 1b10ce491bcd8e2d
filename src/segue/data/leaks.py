"""Images that are both trained and tested on, whatever they are called."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from segue.errors import InputError

_APART = ("train", "val", "id")


class Entry(NamedTuple):
    """An image of a split: where it is listed, its group (or empty) and a digest of its pixels."""

    split: str
    where: str
    group: str
    digest: bytes | None


def digest(image: np.ndarray) -> bytes | None:
    """A digest of an image's values; None of one without any, such as an empty slice."""
    if (image == image.flat[0]).all():
        return None
    values = np.ascontiguousarray(image)
    head = f"{values.shape} {values.dtype}".encode()
    return hashlib.blake2b(values.tobytes(), digest_size=16, key=head[:64]).digest()


def check(entries: Iterable[Entry]) -> None:
    """Check that ``train``, ``val`` and ``id`` share no group and no image.

    Raises:
        InputError: names two entries in different splits that do.
    """
    groups: dict[str, Entry] = {}
    images: dict[bytes, Entry] = {}
    for entry in entries:
        if entry.split not in _APART:
            continue
        for seen, key, what, remedy in (
            (groups, entry.group, f"the group {entry.group!r}", "put the whole group in one split"),
            (
                images,
                entry.digest,
                "the same picture",
                "keep it once, or give both the same group and no split",
            ),
        ):
            other = seen.setdefault(key, entry) if key else entry
            if other.split != entry.split:
                raise InputError(
                    f"{entry.where} ({entry.split}): {what} as {other.where} ({other.split}), so "
                    f"that a model would be tested on what it was trained or tuned on; {remedy}"
                )
