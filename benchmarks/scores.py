"""Milliseconds of all maps and scores of an image, and those of a plain evaluation by NumPy.

The stages `maps` and `score` with all tasks and variants of `config.yaml`, one thread; of random
smooth samples, read from a store that was just written. Both processes count as a whole: their
imports, about a second in all, are spread over the images. The plain evaluation
(`benchmarks/reference.py`) does a part of it, an image at a time, of arrays in memory, without
imports, reading and writing.
"""

from collections.abc import Iterator

from benchmarks.evaluation import described, measured, sizes
from benchmarks.rows import Given, Row


def rows(given: Given) -> Iterator[Row]:
    """Of the largest store."""
    side, (*_, images) = sizes(given)
    found = measured(given, images)
    on = described(images, side)
    for kind, used in (("CPU", found.cpu_s), ("wall", found.wall_s)):
        for stage, seconds in used.items():
            yield Row(stage, 1e3 * seconds / images, f"ms {kind} an image", on)
        whole = 1e3 * sum(used.values()) / images
        yield Row("maps and score", whole, f"ms {kind} an image", on, "≤ 60")
    plain = 1e3 * found.plain["cpu_s"]
    first = "the first images of the same, in memory"
    yield Row("plain evaluation", plain, "ms CPU an image", first)
    ratio = plain * images / (1e3 * sum(found.cpu_s.values()))
    yield Row("plain evaluation", ratio, "times the CPU of maps and score", first)
    off = found.plain["off"]
    yield Row("greatest difference of a score", off, "between the two", first)
