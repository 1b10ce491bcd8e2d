"""What mends entanglement: remedies, their cost, and what they change.

A remedy is a second epistemic method, or the same one under another estimator, that differs from
the first in one thing: common draws, more of them, more hypotheses, resampled members.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from segue.evaluation.subsamples import ALL
from segue.report.leakage import ESTIMATORS

_VALUES = ("eu", "correlation", "ncc_eu")


def mitigation(
    sweep: pd.DataFrame,
    deltas: pd.DataFrame,
    passes: Mapping[str, float],
    remedies: Mapping[str, Mapping[str, str]],
) -> pd.DataFrame:
    """Each remedy on each dataset and aleatoric model, mean over replicates.

    Args:
        sweep: ``segue.report.leakage.sweep``.
        deltas: ``segue.evaluation.entanglement.deltas`` with a column ``variant``, of all tasks
            that have one.
        passes: network passes an image of each cell, by ``<aleatoric>-<epistemic>``.
        remedies: config section ``remedies``: of each the epistemic method ``before`` and
            ``after``, and the ``variant`` of the latter's scores.

    Returns:
        Columns remedy, dataset, aleatoric, before, after; passes_before and passes_after, network
        passes an image; and before and after: leaked, plug-in minus jackknife EU in nats a pixel,
        as far as the estimate that is scored has it; correlation of the AU and EU maps; ncc_eu with
        the raters' variance; correct_<task>_<split>, the right measure's value, and
        delta_<task>_<split>.
    """
    if sweep.empty:
        return pd.DataFrame()
    plugin, jackknife = ESTIMATORS
    whole = sweep[sweep["over"] == ALL].set_index(["dataset", "aleatoric", "epistemic"])
    names = "_" + deltas["task"] + "_" + deltas["split"]
    both = deltas.assign(name=names).pivot_table(
        ["correct", "delta"], ["variant", "dataset", "aleatoric", "epistemic"], "name", sort=False
    )
    both.columns = ["".join(column) for column in both]

    def state(cell: tuple[str, str, str], variant: str) -> dict[str, float]:
        rows = whole.loc[[cell]].set_index("estimator")
        estimator = ESTIMATORS[variant]
        found = {name: float(rows.loc[estimator, name]) for name in _VALUES}
        leaked = float(rows.loc[estimator, "eu"] - rows.loc[ESTIMATORS[jackknife], "eu"])
        return {"leaked": leaked, **found, **both.loc[(variant, *cell)].to_dict()}

    rows = []
    for remedy, entry in remedies.items():
        for dataset, aleatoric in dict.fromkeys(index[:2] for index in whole.index):
            cells = [(dataset, aleatoric, entry[when]) for when in ("before", "after")]
            if any(cell not in whole.index for cell in cells):
                continue  # not applicable to this model
            row: dict[str, Any] = {"remedy": remedy, "dataset": dataset, "aleatoric": aleatoric}
            row |= {"before": entry["before"], "after": entry["after"]}
            states = state(cells[0], plugin), state(cells[1], entry["variant"])
            row |= {
                f"passes_{when}": passes[f"{aleatoric}-{cell[2]}"]
                for when, cell in zip(("before", "after"), cells, strict=True)
            }
            for name in states[0]:
                row |= {f"{name}_before": states[0][name], f"{name}_after": states[1].get(name)}
            rows.append(row)
    return pd.DataFrame(rows)
