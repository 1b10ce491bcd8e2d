"""Do the paper's conclusions (``segue.report.claims``) hold, and could chance say the same?

A statement is decided where the interval of its value, over joint draws of images and trainings
(``segue.report.joint``), does not reach over 0. How often it holds by chance is told by ranks that
are dealt to the cells at random.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from segue import seeds
from segue.keys import METHODS
from segue.report.claims import ACROSS_DATASETS, CONCLUSIONS, Conclusion, Ranks
from segue.report.joint import Cells, Joint, interval
from segue.report.ranks import DIGITS

PERMUTATIONS = 2000
COLUMNS = (
    *("conclusion", "statement", "quantity", "rule", "dataset", "variant"),
    *("value", "low", "high", "holds", "chance", "holm", "replicates"),
)


def conclusions(
    rankings: Mapping[str, pd.DataFrame],
    joints: Mapping[tuple[str, str], Joint],
    seed: int,
) -> pd.DataFrame:
    """Which conclusions hold, for each dataset and variant.

    Args:
        rankings: ``segue.report.ranks.ranks`` by variant.
        joints: joint draws by variant and dataset.
        seed: the study's, for the permutations.

    Returns:
        Columns conclusion, statement, quantity, rule, dataset (``all`` for a statement on several),
        variant, value (of the mean ranks over replicates), low and high (of its 95 % interval),
        holds (``yes`` where the interval is below 0, ``no`` where it is not, ``undecided`` where it
        reaches over 0 or there is none; empty where the study cannot tell), chance (how often
        random ranks have a value below 0), holm (p-value against 0, two-sided, adjusted for all
        conclusions on the dataset under the variant) and replicates, the share of the replicates
        in which the value is below 0.
    """
    datasets = list(dict.fromkeys(name for each in rankings.values() for name in each["dataset"]))
    tests = [(dataset, [dataset], each) for dataset in datasets for each in CONCLUSIONS]
    tests += [("all", datasets, each) for each in ACROSS_DATASETS]
    found = pd.DataFrame(
        [
            _row(conclusion, names, ranking, variant, joints, seed) | {"dataset": label}
            for label, names, conclusion in tests
            for variant, ranking in rankings.items()
        ]
    )
    adjusted = found.groupby(["dataset", "variant"], sort=False)["p"].transform(holm)
    return found.assign(holm=adjusted)[list(COLUMNS)]


def holm(p_values: pd.Series) -> pd.Series:
    """P-values adjusted for their number, step by step (Holm 1979); NaN does not count."""
    ascending = p_values.dropna().sort_values(kind="stable")
    adjusted = (ascending * np.arange(len(ascending), 0, -1)).cummax().clip(upper=1)
    return adjusted.reindex(p_values.index)


def _row(
    conclusion: Conclusion,
    datasets: Sequence[str],
    ranking: pd.DataFrame,
    variant: str,
    joints: Mapping[tuple[str, str], Joint],
    seed: int,
) -> dict[str, Any]:
    """All but the dataset; ``p`` is not adjusted."""
    here = ranking[(ranking["table"] == conclusion.table) & ranking["dataset"].isin(datasets)]
    here = here[here["task"].isin(conclusion.tasks)]
    pairs = [pair for pair in product(datasets, conclusion.tasks) if _has(here, *pair)]
    mean = [_observed(here, *pair) for pair in pairs]
    if len({task for _, task in pairs}) < len(conclusion.tasks):
        mean = []
    value = _value(conclusion, mean)[0]
    row = {
        "conclusion": conclusion.name,
        "statement": conclusion.statement,
        "quantity": conclusion.quantity,
        "rule": "value < 0",
        "variant": variant,
        "value": value,
        **dict.fromkeys(("low", "high", "chance", "p", "replicates"), np.nan),
        "holds": "",
    }
    if np.isnan(value):
        return row
    each = [
        _value(conclusion, [_observed(rows, *pair) for pair in pairs if _has(rows, *pair)])[0]
        for _, rows in here.groupby("replicate")
    ]
    drawn = _value(conclusion, [_joint(joints[variant, d], conclusion.table, t) for d, t in pairs])
    low, high = interval(drawn)
    dealt = [
        _dealt(ranks, seeds.rng(seed, "conclusions", conclusion.table, *pair))
        for ranks, pair in zip(mean, pairs, strict=True)
    ]
    return row | {
        "low": low,
        "high": high,
        "holds": "yes" if high < 0 else "no" if low >= 0 else "undecided",
        "chance": float((_value(conclusion, dealt) < 0).mean()),
        "p": _p_value(drawn[~np.isnan(drawn)]),
        "replicates": float((np.array(each) < 0).mean()),
    }


def _p_value(drawn: np.ndarray) -> float:
    """Twice the smaller share of draws on one side of 0, and no less than draws can tell."""
    if not len(drawn):
        return np.nan
    below = (drawn < 0).mean()
    return float(np.clip(2 * min(below, 1 - below), 1 / (len(drawn) + 1), 1))


def _value(conclusion: Conclusion, ranks: Sequence[Ranks]) -> np.ndarray:
    """Rounded, so that what differs from 0 by rounding alone is 0."""
    return np.round(conclusion.value(ranks), DIGITS) if ranks else np.array([np.nan])


def _has(ranking: pd.DataFrame, dataset: str, task: str) -> bool:
    return bool(((ranking["dataset"] == dataset) & (ranking["task"] == task)).any())


def _observed(ranking: pd.DataFrame, dataset: str, task: str) -> Ranks:
    """Mean ranks over replicates, as one draw."""
    here = ranking[(ranking["dataset"] == dataset) & (ranking["task"] == task)]
    means = here.groupby(list(METHODS))["rank"].mean()
    return _grid(list(means.index), means.to_numpy()[None])


def _joint(joint: Joint, table: str, task: str) -> Ranks:
    return _grid(joint.cells, joint.ranks[table, task])


def _grid(cells: Cells, ranks: np.ndarray) -> Ranks:
    """Ranks (draw, cell) by method, names sorted."""
    rows, columns = (sorted({cell[i] for cell in cells}) for i in (0, 1))
    values = np.full((len(ranks), len(rows), len(columns)), np.nan)
    values[:, [rows.index(e) for e, _ in cells], [columns.index(a) for _, a in cells]] = ranks
    return Ranks(values, rows, columns)


def _dealt(ranks: Ranks, random: np.random.Generator) -> Ranks:
    """The ranks of one draw, dealt to its cells at random, ``PERMUTATIONS`` times."""
    (values,) = ranks.values
    known = ~np.isnan(values)
    dealt = np.tile(values, (PERMUTATIONS, 1, 1))
    dealt[:, known] = random.permuted(np.tile(values[known], (PERMUTATIONS, 1)), axis=1)
    return ranks._replace(values=dealt)
