"""What a bad disk does to files."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


def flip(content: bytes, bit: int) -> bytes:
    """The same with one bit changed."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def zeroed(content: bytes, at: int) -> bytes:
    """The same with 256 zero bytes from ``at`` on."""
    return content[:at] + bytes(len(content[at : at + 256])) + content[at + 256 :]


@contextmanager
def disk_full_after(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond ``size`` bytes: writing fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
