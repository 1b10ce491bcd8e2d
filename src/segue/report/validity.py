"""Does Δ measure what it names? Δ of the practical tasks against Δ where the truth is known.

A dataset whose raters' true distribution is known has two tasks more, ``truth_aleatoric`` and
``truth_epistemic``: what AU and EU ought to be is known there, pixel by pixel. Where the practical
Δ of a task measures entanglement, cells that are disentangled by it are so by the truth.
"""

from collections.abc import Mapping

import pandas as pd

from segue.keys import METHODS
from segue.report.joint import Joint, interval
from segue.report.published import spearman

TRUTH = ("truth_aleatoric", "truth_epistemic")
"""The tasks in which Δ is taken against the truth."""

COLUMNS = (
    *("dataset", "variant", "task", "split", "truth"),
    *("spearman", "low", "high", "cells", "note"),
)

_FEWEST = 4


def validity(deltas: pd.DataFrame, joints: Mapping[tuple[str, str], Joint]) -> pd.DataFrame:
    """Spearman's correlation over the cells of a practical Δ with each Δ of the truth.

    Args:
        deltas: columns variant, those of ``segue.keys.REPLICATE``, task, split and delta, of all
            tasks, those of ``TRUTH`` among them where they are scored.
        joints: joint draws by variant and dataset, of the same tasks.

    Returns:
        ``COLUMNS``: each practical task on ``id`` and on ``ood`` against each truth on the same
        split: the correlation of Δ, means over replicates; its 95 % interval over other images and
        trainings; how many cells it is over; and why there is none. No row of a dataset without
        truth.
    """
    rows = []
    for (variant, dataset), each in deltas.groupby(["variant", "dataset"], sort=False):
        joint = joints[variant, dataset]
        here = each.groupby(["task", "split", *METHODS])["delta"].mean()
        pairs = list(each[["task", "split"]].drop_duplicates().itertuples(index=False, name=None))
        for task, split in pairs:
            for truth in TRUTH:
                if task not in TRUTH and (truth, split) in pairs:
                    key = dict(zip(COLUMNS, (dataset, variant, task, split, truth), strict=False))
                    rows.append(key | _correlation(here, joint, (task, split), (truth, split)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _correlation(
    means: pd.Series, joint: Joint, task: tuple[str, str], truth: tuple[str, str]
) -> dict[str, float | int | str]:
    both = pd.concat([means[task], means[truth]], axis=1, keys=["task", "truth"])
    both = both.dropna()
    found = {"spearman": float("nan"), "low": float("nan"), "high": float("nan")}
    if len(both) < _FEWEST:
        note = f"fewer than {_FEWEST} cells have both Δ"
        return found | {"cells": len(both), "note": note}
    cells = [joint.cells.index(cell) for cell in both.index]
    drawn = spearman(joint.delta[task][:, cells], joint.delta[truth][:, cells])
    value = float(spearman(*both.to_numpy().T))
    note = "all cells have the same Δ" if value != value else ""
    found["spearman"], (found["low"], found["high"]) = value, interval(drawn)
    return found | {"cells": len(both), "note": note}
