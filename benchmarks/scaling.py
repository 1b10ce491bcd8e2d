"""How CPU time grows with the number of images: time ∝ images to the power of the exponent.

The slope of the logarithm of CPU seconds, less those of imports, over that of the number of images,
by least squares. 1 is as much for each image, however many there are.
"""

import math
from collections.abc import Iterator
from statistics import linear_regression

from benchmarks.evaluation import described, measured, sizes
from benchmarks.rows import Given, Row

_LEAST_S = 0.01  # of tiny stores: no more than what two imports differ by


def rows(given: Given) -> Iterator[Row]:
    """The exponents of maps, score and both."""
    side, images = sizes(given)
    found = [measured(given, count) for count in images]
    on = described("/".join(map(str, images)), side)
    for stages in (["maps"], ["score"], ["maps", "score"]):
        net = [sum(each.cpu_s[s] - each.imports_s[s] for s in stages) for each in found]
        seconds = [max(each, _LEAST_S) for each in net]
        slope = linear_regression(list(map(math.log, images)), list(map(math.log, seconds))).slope
        yield Row(" and ".join(stages), slope, "exponent", on, "≤ 1.1")
