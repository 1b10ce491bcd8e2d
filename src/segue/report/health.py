"""Are the samples of a generative model alive, and as diverse as the raters are?

A generative model whose draws are all alike says nothing of ambiguity, whatever its ranks; one
whose draws differ far more or less than raters do is of another distribution than theirs.
"""

import pandas as pd

from segue.keys import REPLICATE

LEAST_INFORMATION = 0.02
"""Of TU, the share that is mutual information between draws: below it, the draws are all alike."""

RATIO = (0.5, 1.5)
"""Of E[d(P,P′)] over that of the raters."""

_METRICS = ("draw_information", "diversity", "diversity_raters")
COLUMNS = (*REPLICATE, *_METRICS, "ratio", "ok", "reason")

DAGGER = (
    "† In at least one replicate the samples have collapsed or are not as diverse as the raters "
    "are, see health.md: read its ranks with care."
)


def health(means: pd.DataFrame) -> pd.DataFrame:
    """Whether the draws of each cell and replicate are alive, on the split ``id``.

    Args:
        means: ``segue.keys.MEANS`` of one variant.

    Returns:
        ``COLUMNS``: MI/TU between the draws of a hypothesis, in [0, 1]; how much two draws differ
        and how much two raters do, 1 - Dice, in [0, 1]; the ratio of the two; ``yes`` or ``no``
        and, for ``no``, why. Empty where a cell has no draws to compare, as softmax has not, or
        where the raters do not differ. No row where none of it was scored.
    """
    here = (means["task"] == "segmentation") & (means["split"] == "id")
    here &= means["metric"].isin(_METRICS) & means["aggregation"].isin(["", "dice"])
    rows = means[here]
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    found = rows.pivot(index=list(REPLICATE), columns="metric", values="score")
    order = pd.MultiIndex.from_frame(rows[list(REPLICATE)].drop_duplicates())
    found = found.reindex(order, columns=list(_METRICS))
    raters = found["diversity_raters"]
    found["ratio"] = (found["diversity"] / raters.where(raters > 0)).astype(float)
    told = [_judged(row) for row in found.itertuples()]
    found[["ok", "reason"]] = pd.DataFrame(told, index=found.index)
    return found.reset_index()[list(COLUMNS)]


def failing(health: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Dataset, epistemic and aleatoric of the cells that fail in some replicate."""
    bad = health.loc[health["ok"] == "no", ["dataset", "epistemic", "aleatoric"]]
    return set(bad.itertuples(index=False, name=None))


def _judged(row) -> tuple[str, str]:
    """``ok`` and ``reason``."""
    reasons = []
    if row.draw_information < LEAST_INFORMATION:
        reasons.append(f"draws are alike: MI/TU {row.draw_information:.3f} < {LEAST_INFORMATION}")
    low, high = RATIO
    if row.ratio < low:
        reasons.append(f"draws differ less than raters: ratio {row.ratio:.2f} < {low}")
    if row.ratio > high:
        reasons.append(f"draws differ more than raters: ratio {row.ratio:.2f} > {high}")
    if reasons:
        return "no", "; ".join(reasons)
    return ("yes" if pd.notna(row.draw_information) and pd.notna(row.ratio) else ""), ""
