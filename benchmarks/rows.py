"""What a subject is given, and what it gives: rows of numbers, each with its unit."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
"""The folder of the project."""


class Given(NamedTuple):
    """What a subject is given.

    Attributes:
        folder: empty, for files that it needs; removed at the end.
        tiny: whether to show only that it runs, in seconds, on sizes that say nothing of speed.
        study: folder of a study's results, for ``budget`` and ``bits``.
        overlay: file of a study to lay over config.yaml, for ``forecast``; None for config.yaml.
    """

    folder: Path
    tiny: bool
    study: Path
    overlay: Path | None


class Row(NamedTuple):
    """One number.

    Attributes:
        name: of what; with ``unit`` it names the row within its subject.
        value, unit: the number.
        on: what it was measured on: sizes and counts.
        goal: what it ought to be, such as ``≤ 1``; empty where there is no goal.
    """

    name: str
    value: float
    unit: str
    on: str
    goal: str = ""
