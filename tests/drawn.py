"""Bootstrap draws made up: files of them beside score files, and joint draws of given ranks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from segue import plugins, seeds
from segue.evaluation.draws import draws_beside, write
from segue.evaluation.entanglement import Ranked, deltas
from segue.evaluation.intervals import DRAWS, Compared, weights
from segue.keys import REPLICATE
from segue.report.joint import Joint

WEIGHTS = weights({"id": list("abc")}, 0)


def write_draws(scores: Path, table: pd.DataFrame, noise: float = 0.05) -> None:
    """Write the file of draws of one cell: U_c and Δ of its scores, with noise.

    Args:
        scores: path of the cell's score file.
        table: the scores, one number each, of tasks that compare measures.
        noise: its standard deviation.
    """
    cell = table[list(REPLICATE)].iloc[0].to_dict()
    random = seeds.rng(1, *map(str, cell.values()))
    compared = []
    for (task, variant, how), rows in table.groupby(["task", "variant", "aggregation"], sort=False):
        ranked = {task: Ranked(plugins.load("tasks", task).TASK, how)}
        for row in deltas(rows, ranked).itertuples():
            drawn = random.normal(0, noise, (2, DRAWS))
            values = zip((row.correct, row.delta), drawn, strict=True)
            correct, delta = (np.append(value, value + each) for value, each in values)
            compared.append(Compared(task, variant, how, row.split, correct, delta, row.reason))
    write(draws_beside(scores), cell, compared, [], WEIGHTS)


def joints_of(
    rankings: Mapping[str, pd.DataFrame], noise: float = 0.0, draws: int = 200
) -> dict[tuple[str, str], Joint]:
    """Joint draws, by variant and dataset, that are the mean ranks of a ranking, with noise."""
    found = {}
    for variant, ranking in rankings.items():
        for dataset, here in ranking.groupby("dataset", sort=False):
            cells = list(dict.fromkeys(zip(here["epistemic"], here["aleatoric"], strict=True)))
            random = seeds.rng(0, variant, dataset)
            ranks = {}
            for key, rows in here.groupby(["table", "task"], sort=False):
                mean = rows.groupby(["epistemic", "aleatoric"])["rank"].mean().reindex(cells)
                ranks[key] = mean.to_numpy() + random.normal(0, noise, (draws, len(cells)))
            found[variant, dataset] = Joint(cells, ranks, {})
    return found
