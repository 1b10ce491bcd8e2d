"""Scores of many cells from those of one: ``python -m benchmarks.cells SCORES FOLDER COUNTS``.

Each cell and replicate has the scores of the first in files of its own, under its own name and
changed a little at random, so that ranks differ: what the stage tables reads of so many cells.
"""

import json
import sys
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from segue.evaluation.draws import draws_beside
from segue.evaluation.score import intervals_beside
from segue.keys import REPLICATE

_NOISE = 0.05
_VALUES = ("score", "value", "low", "high")


class Counts(NamedTuple):
    """How many there are of each: AU models and EU methods of a dataset, replicates of a cell."""

    datasets: int
    aleatoric: int
    epistemic: int
    replicates: int


def names(counts: Counts) -> list[tuple[str, str, str, int]]:
    """Dataset, aleatoric, epistemic and replicate of each."""
    return [
        (f"data{dataset}", f"model{aleatoric}", f"method{epistemic}", replicate)
        for dataset, aleatoric, epistemic, replicate in product(*map(range, counts))
    ]


def path_of(folder: Path, cell: tuple[str, str, str, int]) -> Path:
    """Path of the file of scores of a cell and replicate."""
    return folder / "-".join(map(str, cell)) / "scores.csv"


def write(scores: Path, folder: Path, counts: Counts) -> None:
    """Write the files of all cells; ``scores`` is that of the first, with the others beside it."""
    rng = np.random.default_rng(0)
    tables = {
        place: pd.read_csv(place(scores), dtype=str, keep_default_na=False)
        for place in (Path, intervals_beside)
    }
    with np.load(draws_beside(scores)) as file:
        drawn = dict(file)
    for cell in tqdm(names(counts), "cells", unit="cell"):
        out = path_of(folder, cell)
        out.parent.mkdir(parents=True)
        named = dict(zip(REPLICATE, map(str, cell), strict=True))
        factor = 1 - _NOISE * rng.random()
        for place, table in tables.items():
            values = {name: _scaled(table[name], factor) for name in _VALUES if name in table}
            table.assign(**named, **values).to_csv(place(out), index=False, lineterminator="\n")
        noise = 1 - _NOISE * rng.random(drawn["correct"].shape)
        changed = {name: drawn[name] * noise for name in ("correct", "delta")}
        np.savez(draws_beside(out), **drawn | changed | {"cell": np.array(list(named.values()))})


def _scaled(values: pd.Series, factor: float) -> list[str]:
    """Numbers times a factor; what is empty stays empty."""
    return [str(float(text) * factor) if text else "" for text in values]


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]), Counts(*json.loads(sys.argv[3])))
