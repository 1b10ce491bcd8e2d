"""Worker processes that take tasks and give their results in order."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice


@contextmanager
def workers(threads: int) -> Iterator[Callable[[Iterator[Callable]], Iterator]]:
    """Yield a function that calls tasks and yields their results in order.

    One thread works in this process. Several work in fresh processes ("spawn", as on every
    platform: forking a process that has threads can hang); few tasks are under way at a time, so
    that finished blocks do not pile up.
    """
    if threads == 1:
        yield lambda tasks: (task() for task in tasks)
        return
    pool = ProcessPoolExecutor(
        threads, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent
    )

    def run(tasks: Iterator[Callable]) -> Iterator:
        waiting: deque[Future] = deque(pool.submit(t) for t in islice(tasks, 2 * threads))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(t) for t in islice(tasks, 1))

    try:
        yield run
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Let this worker end when the process that started it does, even if that was killed.

    It would wait for tasks for ever otherwise, and hold the job's log open, so that the job would
    never end for the workflow.
    """

    def wait() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
