"""Seconds of each stage of a study that has run, from the files that Snakemake wrote of its jobs.

All its jobs together, each with the cores that it had. `--study` names the study's folder, by
default `results/quick`; where that is not there, there are no rows. Jobs whose results another
study had made already are not among them. The numbers are of the machine and of the code that the
study ran with.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Given, Row
from segue.study.stages import STAGES


def rows(given: Given) -> Iterator[Row]:
    """Wall clock and CPU of each stage, its share of all wall clock, and the peak of its memory."""
    folder = given.study / "benchmarks"
    if not folder.is_dir():
        print(f"budget: no folder {folder}: no study that has run", file=sys.stderr)
        return
    found = {stage: _jobs(folder, stage) for stage in STAGES}
    found = {stage: jobs for stage, jobs in found.items() if jobs}
    whole = sum(_sum(jobs, "s") for jobs in found.values())
    for stage, jobs in found.items():
        on = f"jobs of {given.study.name}: {len(jobs)}"
        yield Row(stage, _sum(jobs, "s"), "s wall", on)
        yield Row(stage, _sum(jobs, "cpu_time"), "s CPU", on)
        yield Row(stage, 100 * _sum(jobs, "s") / whole, "% of all wall", on)
        yield Row(stage, max(_number(job["max_rss"]) for job in jobs), "MiB at most", on)


def _jobs(folder: Path, stage: str) -> list[dict[str, str]]:
    """What Snakemake wrote of each job of a stage, attempts that failed not among them."""
    files = [*sorted((folder / stage).rglob("*.tsv")), folder / f"{stage}.tsv"]
    read = (file.read_text().splitlines() for file in files if file.exists())
    return [row for lines in read for row in csv.DictReader(lines, delimiter="\t")]


def _sum(jobs: list[dict[str, str]], column: str) -> float:
    return sum(_number(job[column]) for job in jobs)


def _number(text: str) -> float:
    """A number; 0 of a job that ended before Snakemake looked at it, which writes NA or -."""
    return 0.0 if text in ("NA", "-") else float(text)
