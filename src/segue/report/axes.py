"""Sources of entanglement: what each measure does along one quantity that the data vary in.

Aleatoric uncertainty should follow how ambiguous the images are, and nothing else; epistemic
uncertainty should fall with the number of training images and rise with the strength of a shift.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from segue import dims
from segue.evaluation.subsamples import ALL
from segue.keys import METHODS
from segue.report.leakage import TASK, by_estimator

_CELL = list(METHODS)
_MEASURES = ("AU", "EU")


def axes(
    means: pd.DataFrame, deltas: pd.DataFrame, points: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """What each cell shows at each point of each axis, mean over replicates and images.

    Args:
        means: ``segue.keys.MEANS``, of all variants.
        deltas: ``segue.evaluation.entanglement.deltas`` with a column ``variant``.
        points: config section ``axes``: of each axis ``quantity``, in words, and ``points``, each
            with ``at`` (the quantity), ``dataset`` and ``split``.

    Returns:
        Columns axis, quantity, at, dataset, split, epistemic, aleatoric, estimator; tu, au, eu, the
        mean of the maps; h_star and kl, the entropy of the raters' distribution and the excess risk
        (all in nats a pixel, the latter two where the truth is known); and delta_<task>, on the
        split, or on all OOD splits together for one of them.
    """
    metrics = [(TASK, "mean", m.lower(), m) for m in ("TU", *_MEASURES)]
    metrics += [("truth_aleatoric", "h_star", "h_star", ""), ("truth_epistemic", "kl", "kl", "")]
    here = by_estimator(means)
    here = here[~((here["task"] == TASK) & (here["aggregation"] != ALL))]
    index = ["dataset", "split", *_CELL, "estimator"]
    columns = {
        name: here[
            (here["task"] == task) & (here["metric"] == metric) & (here["measure"] == measure)
        ]
        .groupby(index)["score"]
        .mean()
        for task, metric, name, measure in metrics
    }
    values = pd.DataFrame(columns)
    named = by_estimator(deltas)
    named = named.assign(task="delta_" + named["task"])
    by_task = named.pivot_table("delta", index, "task", sort=False).rename_axis(columns=None)
    found = []
    for axis, entry in points.items():
        for point in entry["points"]:
            dataset, split = point["dataset"], point["split"]
            rows = _at(values, dataset, split)
            rows = rows.join(_at(by_task, dataset, dims.region(split)))
            key = {"axis": axis, "quantity": entry["quantity"], "at": float(point["at"])}
            found.append(rows.reset_index().assign(**key, dataset=dataset, split=split))
    if not found:
        return pd.DataFrame()
    table = pd.concat(found, ignore_index=True)
    first = ["axis", "quantity", "at", "dataset", "split", *_CELL, "estimator"]
    return table[[*first, *(name for name in table if name not in first)]]


def follows(table: pd.DataFrame, points: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The two correlations of each measure with each axis, and the disentanglement error.

    Args:
        table: see ``axes``.
        points: see there; of each axis also ``moves``, the measure that ought to follow it, and
            ``direction``, 1 where it ought to rise along it and -1 where it ought to fall.

    Returns:
        Columns epistemic, aleatoric, estimator, axis, moves; r_AU and r_EU, Pearson's correlation
        of the measure with the place of the point in the order of the axis, times ``direction``;
        change_AU and change_EU, the logarithm (base 2) of the ratio of the measure at the two
        ends, times ``direction`` (1: doubled; NaN where one is not positive); and error, in [0, 1]:
        the mean of (1 - r)/2 of the measure that ought to move and of abs(r) of the other. 0 is a
        perfectly disentangled pair. It is after the disentanglement error of de Jong et al. (2024),
        arXiv 2408.12175, which correlates with the accuracy instead of the quantity.
    """
    rows = []
    for (epistemic, aleatoric, estimator, axis), group in table.groupby(
        [*_CELL, "estimator", "axis"], sort=False
    ):
        moves, direction = points[axis]["moves"], points[axis]["direction"]
        ordered = group.sort_values("at")
        places = ordered["at"].rank().to_numpy()
        row = {"epistemic": epistemic, "aleatoric": aleatoric, "estimator": estimator}
        row |= {"axis": axis, "moves": moves}
        r = {m: direction * _pearson(places, ordered[m.lower()].to_numpy()) for m in _MEASURES}
        row |= {f"r_{m}": r[m] for m in _MEASURES}
        row |= {
            f"change_{m}": direction * _doublings(ordered[m.lower()].to_numpy()) for m in _MEASURES
        }
        (other,) = (m for m in _MEASURES if m != moves)
        rows.append(row | {"error": ((1 - r[moves]) / 2 + abs(r[other])) / 2})
    return pd.DataFrame(rows)


def _at(table: pd.DataFrame, dataset: str, split: str) -> pd.DataFrame:
    """Rows of one dataset and split, the first two levels of the index; none if there are none."""
    first, second = (table.index.get_level_values(level) for level in (0, 1))
    return table[(first == dataset) & (second == split)].droplevel([0, 1])


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's r; 0 where y does not change, and NaN where a value is missing."""
    if np.isnan(y).any() or len(y) < 2:
        return np.nan
    return 0.0 if np.ptp(y) == 0 else float(np.corrcoef(x, y)[0, 1])


def _doublings(values: Sequence[float]) -> float:
    first, last = values[0], values[-1]
    return float(np.log2(last / first)) if first > 0 and last > 0 else np.nan
