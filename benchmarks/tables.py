"""CPU of the stage `tables`, and how it grows with the number of cells.

Datasets of 20 cells with two replicates each. The scores of one small store are taken for those of
all cells, changed a little at random. The exponent is that of `scaling`.
"""

import json
from collections.abc import Iterator

from benchmarks import processes
from benchmarks.cells import Counts, names, path_of
from benchmarks.evaluation import SCORES, config_of, imports_s, run, scored
from benchmarks.rows import Given, Row
from benchmarks.scaling import exponent

FULL, TINY = (1, 2, 4), (1, 2)  # datasets


def rows(given: Given) -> Iterator[Row]:
    """Seconds of the whole stage of each number of datasets, and the exponent."""
    datasets = TINY if given.tiny else FULL
    each = Counts(1, 2, 1, 1) if given.tiny else Counts(1, 4, 5, 2)
    first, cells = given.folder / "first", given.folder / "cells"
    first.mkdir()
    scored(first, (16, 3, 3, 2, 16))
    every = each._replace(datasets=max(datasets))
    processes.run("-m", "benchmarks.cells", first / SCORES, cells, json.dumps(every))
    used = []
    for count in datasets:
        here = names(each._replace(datasets=count))
        settings = {
            "scores": [str(path_of(cells, cell)) for cell in here],
            "options": config_of().tables.model_dump(),
            "cells": here,
            "not_applicable": [],
            "seed": 0,
        }
        used.append(run("tables", given.folder / f"tables-{count}", settings).cpu_s)
        yield Row(f"{len(here)} cells and replicates", used[-1], "s CPU", f"datasets: {count}")
    imports = imports_s("tables")
    slope = exponent(datasets, [seconds - imports for seconds in used])
    yield Row("all of these", slope, "exponent", f"datasets: {datasets[0]} to {count}", "≤ 1.1")
