"""Mean ranks and Δ in draws of images and trainings together: how far both would be with others.

Draw d has the images of bootstrap draw d of the stage score, which all cells share, and as many
replicates as there are, drawn with replacement for all cells of a dataset alike. Within a draw the
cells are ranked in each replicate as ``segue.report.ranks.ranks`` does, then averaged over the
drawn replicates. A draw's ranks have the noise of the draw beside that of the study, which moves
them towards the middle rank: the intervals lean there too. Where trainings alone make a difference,
they hold the truth in 74 % of studies of three replicates, 84 % of five and 90 % of ten: few
trainings, drawn again, do not show all of how trainings differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from segue import seeds
from segue.errors import InputError
from segue.evaluation import draws
from segue.evaluation.entanglement import Ranked
from segue.evaluation.intervals import DRAWS, LEVELS
from segue.report.ranks import ranked

OVERALL = "overall"

Cells = list[tuple[str, str]]
"""Epistemic method and aleatoric model of each cell of a dataset."""


class Drawn(NamedTuple):
    """One dataset under one variant, image draw by image draw.

    Attributes:
        cells: names of the cells.
        correct, delta: U_c and Δ by task and split, (replicate, draw, cell); NaN where undefined
            or where a cell lacks the replicate.
    """

    cells: Cells
    correct: dict[tuple[str, str], np.ndarray]
    delta: dict[tuple[str, str], np.ndarray]


class Joint(NamedTuple):
    """The same in joint draws of images and trainings, (draw, cell), means over replicates.

    Attributes:
        cells: names of the cells.
        ranks: mean ranks by table and task.
        delta: mean Δ by task and split.
    """

    cells: Cells
    ranks: dict[tuple[str, str], np.ndarray]
    delta: dict[tuple[str, str], np.ndarray]


def read_draws(
    paths: Iterable[Path], cells: Sequence[Sequence[Any]], aggregations: Mapping[str, str]
) -> dict[tuple[str, str], Drawn]:
    """Read the files of draws beside the score files, by variant and dataset.

    Args:
        paths: of the score files, in any order.
        cells: dataset, aleatoric, epistemic and replicate of all that must be there.
        aggregations: the tasks that are wanted, and of which aggregation; others are not kept.

    Raises:
        InputError: a file is missing or damaged, is of no cell or lacks a task that others have;
            or two cells of a dataset do not share their draws.
    """
    expected = list(map(tuple, cells))
    found: dict[tuple[str, str], Drawn] = {}
    first: dict[str, tuple[Path, draws.CellDraws]] = {}
    for path in map(draws.draws_beside, sorted(paths)):
        each = draws.read(path)
        if each.cell not in expected:
            raise InputError(f"{path}: is of {each.cell}, which is not in the study; remove it")
        dataset = each.cell[0]
        other, model = first.setdefault(dataset, (path, each))
        if each.weights != model.weights:
            raise InputError(
                f"{path}: its bootstrap draws are not those of {other}, so the cells cannot be "
                f"compared; score both on the same images of {dataset}, with the same patients, "
                "splits and seed"
            )
        if each.rows.keys() != model.rows.keys():
            raise InputError(f"{path}: not of the same scores as {other}; score both again")
        _place(each, expected, aggregations, found)
    return found


def _place(
    each: draws.CellDraws,
    expected: Sequence[tuple[Any, ...]],
    aggregations: Mapping[str, str],
    found: dict[tuple[str, str], Drawn],
) -> None:
    """Put the draws of one cell and replicate to where they belong in ``found``."""
    dataset, aleatoric, epistemic, replicate = each.cell
    here = [cell for cell in expected if cell[0] == dataset]
    names = list(dict.fromkeys((e, a) for _, a, e, _ in here))
    replicates = sorted({r for *_, r in here})
    place = replicates.index(replicate), slice(None), names.index((epistemic, aleatoric))
    for (variant, task, aggregation, split), row in each.rows.items():
        if aggregations.get(task) == aggregation:
            drawn = found.setdefault((variant, dataset), Drawn(names, {}, {}))
            for arrays, values in ((drawn.correct, each.correct), (drawn.delta, each.delta)):
                if (task, split) not in arrays:
                    arrays[task, split] = np.full((len(replicates), DRAWS, len(names)), np.nan)
                arrays[task, split][place] = values[row]


def joint(drawn: Drawn, tasks: Mapping[str, Ranked], seed: int, dataset: str) -> Joint:
    """Draw replicates too, and average over them.

    Args:
        drawn: of one dataset and variant.
        tasks: those that rank.
        seed, dataset: the study's and the name, which decide which replicates are drawn.
    """
    replicates = len(next(iter(drawn.delta.values()), ()))
    random = seeds.rng(seed, "replicates", dataset)
    counts = random.multinomial(replicates, np.full(replicates, 1 / max(replicates, 1)), size=DRAWS)
    ranks = {key: _averaged(values, counts) for key, values in _ranks(drawn, tasks).items()}
    delta = {key: _averaged(values, counts) for key, values in drawn.delta.items()}
    return Joint(drawn.cells, ranks, delta)


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % percentile interval of draws (draw,); NaN where none is defined."""
    known = values[~np.isnan(values)]
    low, high = np.quantile(known, LEVELS) if len(known) else (np.nan, np.nan)
    return float(low), float(high)


def with_intervals(summary: pd.DataFrame, joints: Mapping[str, Joint]) -> pd.DataFrame:
    """Mean ranks with ``low`` and ``high`` of their joint interval, where it is of 3 replicates.

    Fewer tell too little of other trainings: the range over them stays.

    Args:
        summary: as ``segue.report.ranks.summary`` returns it, by table and task.
        joints: by dataset.
    """
    limits = summary[["low", "high"]].to_numpy(float, copy=True)
    for i, row in enumerate(summary.itertuples()):
        if row.n >= 3:
            found = joints[row.dataset]
            cell = found.cells.index((row.epistemic, row.aleatoric))
            limits[i] = interval(found.ranks[row.table, row.task][:, cell])
    return summary.assign(low=limits[:, 0], high=limits[:, 1])


def _ranks(drawn: Drawn, tasks: Mapping[str, Ranked]) -> dict[tuple[str, str], np.ndarray]:
    """Ranks by table and task, ``overall`` too: (replicate, draw, cell)."""
    found = {}
    for table, values in (("performance", drawn.correct), ("entanglement", drawn.delta)):
        for task, (contract, _) in tasks.items():
            up = table == "entanglement" or contract.higher_is_better
            splits = [each for (name, _), each in values.items() if name == task]
            if splits:
                found[table, task] = _mean([ranked(-each if up else each) for each in splits])
        if by_task := [each for (name, _), each in found.items() if name == table]:
            found[table, OVERALL] = _mean(by_task)
    return found


def _mean(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Mean of ranks (replicate, draw, cell); NaN of a cell without one that others have there."""
    ranks = np.stack(parts)
    lacking = np.isnan(ranks)
    needed = ~lacking.all(axis=-1, keepdims=True)
    count = needed.sum(axis=0)
    total = np.where(lacking, 0, ranks).sum(axis=0)
    whole = ~(lacking & needed).any(axis=0) & (count > 0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=whole)


def _averaged(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean over replicates (replicate, draw, cell) by how often each is drawn (draw, replicate)."""
    known = ~np.isnan(values)
    weights = counts.T[..., None] * known
    total = weights.sum(axis=0)
    summed = (weights * np.where(known, values, 0)).sum(axis=0)
    return np.divide(summed, total, out=np.full(summed.shape, np.nan), where=total > 0)
