"""How much of the epistemic uncertainty is Monte-Carlo noise of the aleatoric, and what mends it.

With few draws the mean prediction of a weight hypothesis is noisy, and hypotheses differ by that
noise: the plug-in estimate counts it as epistemic uncertainty, in the very pixels that are
ambiguous. The jackknife takes it off (``segue.evaluation.maps``).
"""

import pandas as pd

from segue.evaluation.subsamples import ALL, parsed
from segue.evaluation.variants import CORRECTED, JACKKNIFE
from segue.keys import METHODS

TASK = "leakage"
ESTIMATORS = {variant.name: variant.estimator for variant in (CORRECTED, JACKKNIFE)}
"""Name of the estimator of each variant that differs from others by it alone."""

_SPLIT = "id"
_VALUES = {
    ("mean", "TU"): "tu",
    ("mean", "AU"): "au",
    ("mean", "EU"): "eu",
    ("correlation", ""): "correlation",
    ("ncc", "AU"): "ncc_au",
    ("ncc", "EU"): "ncc_eu",
}
"""Column of each metric and measure."""


def by_estimator(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the variants in ``ESTIMATORS``, with the estimator of each as a column."""
    rows = table[table["variant"].isin(ESTIMATORS)]
    return rows.assign(estimator=rows["variant"].map(ESTIMATORS))


def sweep(means: pd.DataFrame) -> pd.DataFrame:
    """What maps are made of fewer draws or hypotheses, of the images of ``id``.

    Args:
        means: ``segue.keys.MEANS``, of all variants.

    Returns:
        Columns dataset, aleatoric, epistemic, estimator, over (``draws``, ``hypotheses`` or
        ``all``), number (0 for ``all``), and means over images and replicates: tu, au, eu (nats
        a pixel), correlation (Pearson's r of the AU and EU maps) and ncc_au, ncc_eu (with the
        raters' variance).
    """
    rows = by_estimator(means[(means["task"] == TASK) & (means["split"] == _SPLIT)])
    if rows.empty:
        return pd.DataFrame()
    columns = [_VALUES[key] for key in zip(rows["metric"], rows["measure"], strict=True)]
    over, number = zip(*map(parsed, rows["aggregation"]), strict=True)
    rows = rows.assign(column=columns, over=over, number=number)
    index = ["dataset", "aleatoric", "epistemic", "estimator", "over", "number"]
    found = rows.pivot_table("score", index, "column", sort=False, dropna=False)
    found = found.reindex(columns=list(_VALUES.values())).dropna(how="all")
    return found.rename_axis(columns=None).reset_index()


def leakage(sweep: pd.DataFrame, deltas: pd.DataFrame, summaries: pd.DataFrame) -> pd.DataFrame:
    """Each cell under both estimators, from all of its draws and hypotheses.

    Args:
        sweep: see ``sweep``.
        deltas: ``segue.evaluation.entanglement.deltas`` with a column ``variant``.
        summaries: mean ranks, columns variant, table, task, dataset, epistemic, aleatoric,
            mean_rank.

    Returns:
        Columns dataset, epistemic, aleatoric; eu_plugin and eu_jackknife, nats; leaked, the share
        of the plug-in EU that the jackknife takes off; correlation_… , ncc_eu_… and, for each task
        and split that has one, delta_<task>_<split>_… ; rank_…, the mean rank by Δ over all tasks.
        Empty unless both estimators were scored.
    """
    if sweep.empty or set(sweep["estimator"]) != set(ESTIMATORS.values()):
        return pd.DataFrame()
    index = ["dataset", *METHODS]
    whole = sweep[sweep["over"] == ALL]
    wide = [whole.pivot(index=index, columns="estimator", values=["eu", "correlation", "ncc_eu"])]
    named = by_estimator(deltas)
    named = named.assign(name="delta_" + named["task"] + "_" + named["split"])
    wide.append(named.pivot_table("delta", index, ["name", "estimator"], sort=False))
    overall = summaries[(summaries["task"] == "overall") & (summaries["table"] == "entanglement")]
    wide.append(by_estimator(overall).pivot_table(["mean_rank"], index, "estimator", sort=False))
    found = pd.concat(wide, axis=1)
    found.columns = [f"{name}_{estimator}".replace("mean_", "") for name, estimator in found]
    share = 1 - found["eu_jackknife"] / found["eu_plugin"]
    found.insert(2, "leaked", share.where(found["eu_plugin"] > 0))
    order = [name for name in found if name.startswith("eu_")]
    rest = [name for name in found if name not in order]
    order.sort(reverse=True)  # plug-in before jackknife
    return found[[*order, *rest]].reset_index()
