"""The map of the cells."""

import pandas as pd
import pytest

from segue.report.figures.au_eu_map import compose
from segue.report.names import Names

PAIRS = (("softmax", "ensemble"), ("ssn", "none"), ("ssn", "ensemble"))


def _texts(ax):
    return {tuple(text.get_position()): text for text in ax.texts if text.get_text()}


def test_each_cell_has_its_mean_rank_at_its_methods_place(write_tables):
    tables = write_tables(PAIRS, replicates=3)
    ranks = pd.read_csv(tables / "mean_ranks.csv", keep_default_na=False)
    figure = compose(tables, Names(epistemic={"none": "single"}))
    assert [ax.get_title() for ax in figure.axes[:4]] == [
        *("OOD detection", "Ambiguity", "Calibration", "Overall")
    ]
    lower = figure.axes[7]  # below, at the right: Δ over all tasks
    assert [t.get_text() for t in figure.axes[4].get_yticklabels()] == ["single", "ensemble"]
    assert [t.get_text() for t in lower.get_xticklabels()] == ["softmax", "ssn"]
    rows = ranks[(ranks["table"] == "entanglement") & (ranks["task"] == "overall")]
    places = {("ensemble", "softmax"): (0, 1), ("none", "ssn"): (1, 0), ("ensemble", "ssn"): (1, 1)}
    texts = _texts(lower)
    assert texts.keys() == set(places.values())
    for row in rows.itertuples():
        text = texts[places[row.epistemic, row.aleatoric]]
        assert text.get_text() == f"{row.mean_rank:.1f}"
        colours = lower.images[0]
        value = colours.get_array()[places[row.epistemic, row.aleatoric][::-1]]
        assert value == pytest.approx(row.mean_rank)


def test_bold_is_what_is_better_or_worse_than_the_middle_for_sure(write_tables):
    tables = write_tables(PAIRS, replicates=3)
    path = tables / "mean_ranks.csv"
    table = pd.read_csv(path, keep_default_na=False).assign(low=1.4, high=1.6)  # the middle is 2
    table.loc[table["aleatoric"] == "softmax", ["low", "high"]] = 1.9, 2.1
    table.loc[table["epistemic"] == "none", "mean_rank"] = None
    table.to_csv(path, index=False)
    texts = _texts(compose(tables).axes[0])
    assert texts[1, 1].get_fontweight() == "bold"
    assert texts[0, 1].get_fontweight() == "normal"
    assert texts[1, 0].get_text() == "–"
