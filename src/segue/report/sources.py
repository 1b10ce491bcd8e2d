"""Findings on where entanglement comes from: leakage of draws, axes, and what mends it."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from segue.report.axes import axes, follows
from segue.report.findings import Finding
from segue.report.leakage import leakage, sweep
from segue.report.mitigation import mitigation


def sources(
    means: pd.DataFrame,
    deltas: pd.DataFrame,
    summaries: pd.DataFrame,
    points: Mapping[str, Mapping[str, Any]],
    remedies: Mapping[str, Mapping[str, str]],
    passes: Mapping[str, int],
) -> Iterator[Finding]:
    """Tables on the sources of entanglement; none where the task leakage was not scored.

    Args:
        means: ``segue.keys.MEANS``, of all variants.
        deltas: Δ of all tasks that have one, with a column ``variant``.
        summaries: mean ranks, see ``segue.report.leakage.leakage``.
        points: config section ``axes``.
        remedies: config section ``remedies``.
        passes: see ``segue.report.mitigation.mitigation``.
    """
    swept = sweep(means)
    if swept.empty:
        return
    yield Finding(
        "sweep",
        swept,
        "What maps are made of fewer draws or hypotheses",
        "Means over the images of `id` and replicates, under both estimators; `all`: of all draws "
        "and hypotheses. Uncertainties in nats a pixel.",
        swept,
    )
    found = leakage(swept, deltas, summaries)
    shown = [name for name in found if not name.startswith("delta_")]
    yield Finding(
        "leakage",
        found,
        "How much of the epistemic uncertainty is noise of the draws?",
        "EU in nats a pixel, as published (plug-in) and without the noise of a finite number of "
        "AU draws (jackknife); `leaked`: the share that is noise; `correlation`: Pearson's r of "
        "the AU and EU maps; `ncc_eu`: of the EU map with the raters' variance; `rank`: mean rank "
        "by Δ over all tasks. The CSV file has each Δ too.",
        found[shown],
    )
    if points:
        table = axes(means, deltas, points)
        yield Finding(
            "axes",
            table,
            "What each measure does along each axis",
            "Means over images and replicates, in nats a pixel.",
            table,
        )
        table = follows(table, points)
        yield Finding(
            "axes_error",
            table,
            "Does each measure follow what it ought to, and nothing else?",
            "`r`: Pearson's correlation of the measure with the order of the points, signed so "
            "that 1 is right for the measure that `moves`; the other's should be 0. `change`: "
            "doublings from end to end. `error`: 0 is a perfectly disentangled pair, 1 the "
            "opposite.",
            table,
        )
    if remedies:
        table = mitigation(swept, deltas, passes, remedies)
        shown = [name for name in table if not name.startswith("correct_")]
        yield Finding(
            "mitigation",
            table,
            "What mends it, and what does it cost?",
            "Before and after each remedy: network passes an image, leaked EU (nats a pixel), "
            "correlation of the AU and EU maps, NCC of EU with the raters, and Δ of each task. The "
            "CSV file also has the right measure's value in each task.",
            table[shown] if len(table) else table,
        )
