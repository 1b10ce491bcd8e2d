"""What the paper concluded, as statements on ranks that any study can test (arXiv 2603.18792).

Each has a value that is below 0 where the statement holds. Two methods are compared over the cells
that both have, since `none` lacks the softmax model; a method is good where its mean rank is better
than the middle one, (n + 1)/2 of n cells. Methods are known by the names that the paper gave them:
a study that lacks one of them cannot tell.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from segue.keys import METHODS

Ranks = Sequence[pd.DataFrame]
"""Mean ranks by epistemic method (rows) and aleatoric model (columns); by dataset and task."""


class Conclusion(NamedTuple):
    """A statement on ranks.

    Attributes:
        name, statement: in short, and in words.
        quantity: what ``value`` computes, in words; the worst of its tasks counts.
        table: whose ranks it reads: ``performance``, or ``entanglement`` for those of Δ.
        tasks: in which.
        value: a number below 0 where the statement holds, NaN where methods are missing.
    """

    name: str
    statement: str
    quantity: str
    table: str
    tasks: tuple[str, ...]
    value: Callable[[Ranks], float]


def conclusions(rankings: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Which conclusions hold, for each dataset and variant.

    Args:
        rankings: ``segue.report.ranks.ranks`` by variant.

    Returns:
        Columns conclusion, statement, quantity, rule, dataset (``all`` for a statement on several),
        variant, value (of the mean ranks over replicates), holds (``yes``, ``no``, or empty where
        the study cannot tell) and replicates, the share of the replicates in which it holds.
    """
    datasets = list(dict.fromkeys(name for each in rankings.values() for name in each["dataset"]))
    tests = [(dataset, [dataset], each) for dataset in datasets for each in CONCLUSIONS]
    tests += [("all", datasets, each) for each in ACROSS_DATASETS]
    return pd.DataFrame(
        [
            _row(conclusion, ranking[ranking["dataset"].isin(names)], label, variant)
            for label, names, conclusion in tests
            for variant, ranking in rankings.items()
        ]
    )


def _row(
    conclusion: Conclusion, ranking: pd.DataFrame, dataset: str, variant: str
) -> dict[str, Any]:
    ranking = ranking[ranking["table"] == conclusion.table]
    value = _value(conclusion, ranking)
    each = np.array([_value(conclusion, rows) for _, rows in ranking.groupby("replicate")])
    known = not np.isnan(value)
    return {
        "conclusion": conclusion.name,
        "statement": conclusion.statement,
        "quantity": conclusion.quantity,
        "rule": "value < 0",
        "dataset": dataset,
        "variant": variant,
        "value": value,
        "holds": ("yes" if value < 0 else "no") if known else "",
        "replicates": (each < 0).mean() if known else np.nan,
    }


def _value(conclusion: Conclusion, ranking: pd.DataFrame) -> float:
    if not set(conclusion.tasks) <= set(ranking["task"]):
        return np.nan
    here = ranking[ranking["task"].isin(conclusion.tasks)]
    groups = here.groupby(["dataset", "task"], sort=False)
    return conclusion.value([g.pivot_table("rank", *METHODS) for _, g in groups])


def _epistemic_best(method: str) -> Callable[[Ranks], float]:
    return lambda ranks: _worst(
        _lead(r, method, r.index.drop(method, errors="ignore")) for r in ranks
    )


def _aleatoric_better(model: str, others: Sequence[str]) -> Callable[[Ranks], float]:
    return lambda ranks: _worst(_lead(r.T, model, others) for r in ranks)


def _aleatoric_good(models: Sequence[str]) -> Callable[[Ranks], float]:
    return lambda ranks: _worst(
        (r[model].mean() if model in r else np.nan) - _middle(r) for r in ranks for model in models
    )


def _cell_good(epistemic: str, aleatoric: str) -> Callable[[Ranks], float]:
    return lambda ranks: _worst(
        r.stack().get((epistemic, aleatoric), np.nan) - _middle(r) for r in ranks
    )


def _several_best(ranks: Ranks) -> float:
    ranked = [r.stack() for r in ranks if r.size]  # without a rank there is no best
    return 1.0 - len({r.idxmin() for r in ranked}) if len(ranked) > 1 else np.nan


def _lead(ranks: pd.DataFrame, name: str, others: Iterable[str]) -> float:
    """Mean rank of a row minus that of the best of others, over the columns that both have."""
    rows = ranks.reindex([name, *others])
    return _worst((rows.loc[name] - rows.loc[other]).mean() for other in others)


def _middle(ranks: pd.DataFrame) -> float:
    return (ranks.count().sum() + 1) / 2


def _worst(values: Iterable[float]) -> float:
    """The greatest; NaN where one is NaN or there is none."""
    return float(np.max([*values] or [np.nan]))


_BOTH = ("ambiguity", "calibration")
_ENSEMBLE = "mean {} rank of ensemble minus that of the best other epistemic method"

CONCLUSIONS = (
    Conclusion(
        "ensembles_least_entangled_ood",
        "In OOD detection, ensembles are the least entangled epistemic method.",
        _ENSEMBLE.format("Δ"),
        "entanglement",
        ("ood",),
        _epistemic_best("ensemble"),
    ),
    Conclusion(
        "ensembles_least_entangled_overall",
        "Over all tasks, ensembles are the least entangled epistemic method.",
        _ENSEMBLE.format("Δ"),
        "entanglement",
        ("overall",),
        _epistemic_best("ensemble"),
    ),
    Conclusion(
        "ensembles_best_ood",
        "Ensembles are the best epistemic method at OOD detection.",
        _ENSEMBLE.format("performance"),
        "performance",
        ("ood",),
        _epistemic_best("ensemble"),
    ),
    *(
        Conclusion(
            f"softmax_and_ssn_good_{task}",
            f"Softmax and SSN are both good at {task}.",
            "mean performance rank of the worse of softmax and ssn minus the middle rank",
            "performance",
            (task,),
            _aleatoric_good(("softmax", "ssn")),
        )
        for task in _BOTH
    ),
    *(
        Conclusion(
            f"prob_unet_less_entangled_{task}",
            f"At {task}, Prob. U-Nets are less entangled than softmax and than SSN.",
            "mean Δ rank of prob_unet minus that of the better of softmax and ssn",
            "entanglement",
            (task,),
            _aleatoric_better("prob_unet", ("softmax", "ssn")),
        )
        for task in _BOTH
    ),
    Conclusion(
        "softmax_ensemble_good_everywhere",
        "A softmax ensemble is good at every task.",
        "performance rank of softmax-ensemble minus the middle rank",
        "performance",
        ("ood", "ambiguity", "calibration"),
        _cell_good("ensemble", "softmax"),
    ),
)
"""On one dataset."""

ACROSS_DATASETS = tuple(
    Conclusion(
        f"best_depends_on_dataset_{task}",
        f"Which cell is the best at {task} depends on the dataset.",
        "1 minus the number of cells that are the best on some dataset",
        "performance",
        (task,),
        _several_best,
    )
    for task in _BOTH
)
"""On all datasets together; one dataset alone cannot tell."""
