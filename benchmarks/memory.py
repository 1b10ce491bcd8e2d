"""Peak memory of maps and of scores, of few images and of eight times as many.

The largest resident size that a process of the stage ever had, as the kernel says at its end.
Images are worked on in blocks, which are not full where a split has few of them.
"""

from collections.abc import Iterator

from benchmarks.evaluation import described, measured, sizes
from benchmarks.rows import Given, Row


def rows(given: Given) -> Iterator[Row]:
    """Peaks of the smallest and of the largest store, and their ratio, for each stage."""
    side, (few, *_, many) = sizes(given)
    less, more = (measured(given, images).peak_mib for images in (few, many))
    for stage in less:
        yield Row(f"{stage}, {few} images", less[stage], "MiB", described(few, side))
        yield Row(f"{stage}, {many} images", more[stage], "MiB", described(many, side))
        ratio = more[stage] / less[stage]
        on = f"{many} against {few} images"
        yield Row(stage, ratio, "times as much", on, "≤ 1.1")
        yield Row(stage, (more[stage] - less[stage]) / (many - few), "MiB more an image", on)
