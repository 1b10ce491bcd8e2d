"""The paper's conclusions as statements on ranks (arXiv 2603.18792).

Each has a value that is below 0 where the statement holds. Two methods are compared over the cells
that both have, since `none` lacks the softmax model; a method is good where its mean rank is better
than the middle one, (n + 1)/2 of n cells. Methods are known by the names that the paper gave them:
a study that lacks one of them cannot tell.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np


class Ranks(NamedTuple):
    """Ranks of one dataset and task, in each of several draws.

    Attributes:
        values: (draw, epistemic, aleatoric), NaN where there is no cell or it has no rank.
        epistemic, aleatoric: names along these.
    """

    values: np.ndarray
    epistemic: list[str]
    aleatoric: list[str]

    @property
    def turned(self) -> "Ranks":
        """Aleatoric models as rows."""
        return Ranks(self.values.swapaxes(1, 2), self.aleatoric, self.epistemic)


class Conclusion(NamedTuple):
    """A statement on ranks.

    Attributes:
        name, statement: in short, and in words.
        quantity: what ``value`` computes, in words; the worst of its tasks counts.
        table: whose ranks it reads: ``performance``, or ``entanglement`` for those of Δ.
        tasks: in which.
        value: a number for each draw, below 0 where the statement holds, NaN where methods are
            missing; of the ranks of each dataset and task.
    """

    name: str
    statement: str
    quantity: str
    table: str
    tasks: tuple[str, ...]
    value: Callable[[Sequence[Ranks]], np.ndarray]


def _epistemic_best(method: str) -> Callable[[Sequence[Ranks]], np.ndarray]:
    return lambda ranks: _worst(
        _lead(r, method, [name for name in r.epistemic if name != method]) for r in ranks
    )


def _aleatoric_better(model: str, others: Sequence[str]) -> Callable[[Sequence[Ranks]], np.ndarray]:
    return lambda ranks: _worst(_lead(r.turned, model, others) for r in ranks)


def _aleatoric_good(models: Sequence[str]) -> Callable[[Sequence[Ranks]], np.ndarray]:
    return lambda ranks: _worst(
        _mean(_of(r.turned, model)) - _middle(r) for r in ranks for model in models
    )


def _cell_good(epistemic: str, aleatoric: str) -> Callable[[Sequence[Ranks]], np.ndarray]:
    return lambda ranks: _worst(
        _mean(_of(r.turned, aleatoric)[:, [name == epistemic for name in r.epistemic]]) - _middle(r)
        for r in ranks
    )


def _several_best(ranks: Sequence[Ranks]) -> np.ndarray:
    """1 minus the number of cells that are the best on some dataset; NaN on fewer than two."""
    best, names = [], {}
    for r in ranks:
        lacking = np.isnan(r.values)
        if lacking.all():  # without a rank there is no best
            continue
        numbers = [[names.setdefault((e, a), len(names)) for a in r.aleatoric] for e in r.epistemic]
        flat = np.where(lacking, np.inf, r.values).reshape(len(r.values), -1)
        of_draw = np.ravel(numbers)[flat.argmin(axis=1)]
        best.append(np.where(lacking.all(axis=(1, 2)), np.nan, of_draw))
    if len(best) < 2:
        return np.full(len(ranks[0].values), np.nan)
    changes = np.diff(np.sort(best, axis=0), axis=0)
    return np.where(np.isnan(best).any(axis=0), np.nan, -(changes != 0).sum(axis=0).astype(float))


def _lead(ranks: Ranks, name: str, others: Iterable[str]) -> np.ndarray:
    """Mean rank of a row minus that of the best of others, over the columns that both have."""
    row, values = _of(ranks, name), [_of(ranks, other) for other in others]
    return _worst(_mean(row - other) for other in values or [row * np.nan])


def _of(ranks: Ranks, name: str) -> np.ndarray:
    """The row of a name, (draw, column); NaN where there is none of that name."""
    if name not in ranks.epistemic:
        return np.full(ranks.values[:, 0].shape, np.nan)
    return ranks.values[:, ranks.epistemic.index(name)]


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean along the last axis of what is there; NaN where nothing is."""
    known = ~np.isnan(values)
    total, count = np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _middle(ranks: Ranks) -> np.ndarray:
    return ((~np.isnan(ranks.values)).sum(axis=(1, 2)) + 1) / 2


def _worst(values: Iterable[np.ndarray]) -> np.ndarray:
    """The greatest, draw by draw; NaN where one is NaN."""
    return np.max([*values], axis=0)


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
