"""What a device need not wait for: results go to disk while it computes the next ones."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import zarr

Values = Callable[[], np.ndarray]
"""Gives a result, for which it may have to wait."""

_WAITING = 2  # results in memory beside the one that is being computed


@contextmanager
def writer() -> Iterator[Callable[[zarr.Array, tuple, Values], None]]:
    """Yield ``write(array, place, values)``, which returns before ``array[place]`` is ``values()``.

    One thread writes, in the order of the calls; all is written when the block ends, however it
    ends. With two results waiting, ``write`` waits for the first of them.

    Raises:
        OSError: a result could not be written; by a later ``write`` or at the end of the block.
    """
    pending: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, "writer") as thread:

        def write(array: zarr.Array, place: tuple, values: Values) -> None:
            while len(pending) >= _WAITING:
                pending.popleft().result()
            pending.append(thread.submit(_put, array, place, values))

        yield write
        while pending:
            pending.popleft().result()


def _put(array: zarr.Array, place: tuple, values: Values) -> None:
    array[place] = values()
