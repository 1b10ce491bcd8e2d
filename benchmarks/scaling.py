"""How CPU time grows with the number of images: time ∝ images to the power of the exponent.

The slope of the logarithm of CPU seconds, less those of imports, over that of the number of images,
by least squares. 1 is as much for each image, however many there are.
"""

import math
from collections.abc import Iterator, Sequence
from statistics import linear_regression

from benchmarks.evaluation import described, imports_s, measured, sizes
from benchmarks.rows import Given, Row

_LEAST_S = 0.01  # of tiny stores: no more than what two imports differ by


def rows(given: Given) -> Iterator[Row]:
    """The exponents of maps, score and both."""
    side, images = sizes(given)
    found = [measured(given, count) for count in images]
    imports = {stage: imports_s(stage) for stage in found[0].cpu_s}
    on = described("/".join(map(str, images)), side)
    for stages in (["maps"], ["score"], ["maps", "score"]):
        seconds = [sum(each.cpu_s[stage] - imports[stage] for stage in stages) for each in found]
        yield Row(" and ".join(stages), exponent(images, seconds), "exponent", on, "≤ 1.1")


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Slope of the logarithm of seconds, without those of imports, over that of sizes."""
    found = [math.log(max(each, _LEAST_S)) for each in seconds]
    return linear_regression(list(map(math.log, sizes)), found).slope
