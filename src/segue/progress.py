"""How far a long loop is: a bar in a terminal, else now and then a line of the log.

Jobs of a study run side by side, and what they say goes through a pipe into a log and to the screen
of Snakemake. A bar that writes over itself would garble both.
"""

import io
import logging
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

from tqdm import tqdm

EVERY = 30.0
"""Seconds between two lines; a loop that ends sooner has none."""

_LINE = "{desc}: {n_fmt}/{total_fmt} {unit} ({percentage:.0f} %), {elapsed} gone, {remaining} left"

_log = logging.getLogger(__name__)


class _Lines(tqdm):
    """Shows itself as a line of the log."""

    monitor_interval = 0  # no thread: with miniters=1 there is nothing for it to do
    shown = -1

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        if self.n != self.shown:  # the end is told once
            _log.info("%s", self)
            self.shown = self.n


def progress(
    items: Iterable | None = None,
    *,
    total: int | None = None,
    desc: str = "",
    unit: str = "image",
    delay: float = 0,
    **more,
) -> tqdm:
    """Show how far a loop is, on standard error: in a terminal as a bar, else as lines of the log.

    Args:
        items: what is gone through; without it, ``update(n)`` of the result tells of progress, and
            ``with`` ends it.
        total: how many there are, where ``items`` does not know.
        desc: what is going on, in a few words.
        unit: of what is counted.
        delay: seconds before which nothing is shown.
        more: other arguments of ``tqdm``, such as ``unit_scale``.
    """
    given = {"total": total, "desc": desc or None, "unit": unit, **more}
    if sys.stderr.isatty():
        return tqdm(items, delay=delay, mininterval=1, **given)
    # The file takes line ends that tqdm itself would write.
    return _Lines(
        items,
        file=io.StringIO(),
        delay=max(delay, EVERY),
        mininterval=EVERY,
        miniters=1,
        bar_format=_LINE,
        **given,
    )


def apart() -> AbstractContextManager:
    """Keep what is logged in the block out of the bars: above them, on lines of its own."""
    if not sys.stderr.isatty():
        return nullcontext()
    from tqdm.contrib.logging import logging_redirect_tqdm  # only where there are bars

    return logging_redirect_tqdm()
