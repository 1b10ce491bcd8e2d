"""What a process takes that does nothing but import the code of a stage, on one core.

Every job of a study pays it once. The whole process counts, the start of Python included: the best
of three. `figure` imports all figures, of which a job draws one.
"""

import os
from collections.abc import Iterator

from tqdm import tqdm

from benchmarks import processes
from benchmarks.rows import Given, Row
from segue import plugins
from segue.study.stages import STAGES

GOAL_S = {"tables": 1}


def rows(given: Given) -> Iterator[Row]:
    """Seconds of wall clock and of CPU of each stage; tiny: of `tables`, once."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    figures = [plugins.module("figures", name) for name in plugins.available("figures")]
    modules = {n: figures if n == "figure" else [stage.module] for n, stage in STAGES.items()}
    names, repeats = (["tables"], 1) if given.tiny else (list(modules), 3)
    runs = {name: [] for name in names}
    for name in tqdm([name for name in names for _ in range(repeats)], "imports", unit="process"):
        runs[name].append(processes.run("-c", f"import {', '.join(modules[name])}"))
    for name, used in runs.items():
        on = " ".join(modules[name]) if len(modules[name]) == 1 else f"{len(figures)} modules"
        goal = f"≤ {GOAL_S[name]}" if name in GOAL_S else ""
        yield Row(name, min(each.wall_s for each in used), "s wall", on, goal)
        yield Row(name, min(each.cpu_s for each in used), "s CPU", on, goal)
