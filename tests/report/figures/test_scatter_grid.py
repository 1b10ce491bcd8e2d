"""The right measure against the wrong one."""

import numpy as np
import pandas as pd
import pytest

from segue.dims import MEASURES
from segue.report.figures.scatter_grid import compose

AGGREGATIONS = {"ood": "border", "ambiguity": "", "calibration": "pooled"}
TITLES = [
    "OOD detection",
    "Ambiguity, ID",
    "Ambiguity, OOD",
    "Calibration, ID",
    "Calibration, OOD",
]


def _panels(figure):
    return {ax.get_title(): ax for ax in figure.axes}


def test_panels_say_which_measure_is_which(write_tables):
    panels = _panels(compose(write_tables()))
    assert list(panels) == TITLES
    axes = {title: (ax.get_xlabel(), ax.get_ylabel()) for title, ax in panels.items()}
    assert axes["OOD detection"] == ("AU AUROC ↑", "EU AUROC ↑")
    assert axes["Ambiguity, OOD"] == ("EU NCC ↑", "AU NCC ↑")
    assert axes["Calibration, ID"] == ("min(AU, EU) ACE ↓", "TU ACE ↓")


def test_the_diagonal_runs_from_corner_to_corner(write_tables):
    for ax in compose(write_tables()).axes:
        (diagonal,) = (line for line in ax.lines if line.get_label() == "Δ = 0")
        np.testing.assert_array_equal(diagonal.get_xdata(), ax.get_xlim())
        np.testing.assert_array_equal(diagonal.get_ydata(), ax.get_xlim())
        assert ax.get_xlim() == ax.get_ylim()


def test_points_are_on_the_shaded_side_where_delta_is_positive(write_tables):
    tables = write_tables()
    panels = _panels(compose(tables))
    rows = pd.read_csv(tables / "deltas.csv")
    assert set(np.sign(rows["delta"])) == {-1, 1}
    for row in rows.itertuples():
        name = {"ood": "OOD detection"}.get(row.task, f"{row.task.title()}, {row.split.upper()}")
        (shaded,) = panels[name].collections[0].get_paths()
        assert shaded.contains_point((row.wrong, row.correct)) == (row.delta > 0)


def test_a_marker_is_at_the_mean_of_its_replicates(write_tables):
    tables = write_tables(replicates=3)
    rows = pd.read_csv(tables / "deltas.csv", keep_default_na=False)
    rows = rows[(rows["task"] == "ambiguity") & (rows["split"] == "id")]
    rows = rows[(rows["aleatoric"] == "ssn") & (rows["epistemic"] == "none")]
    lines = _panels(compose(tables))["Ambiguity, ID"].lines
    (marker,) = (line for line in lines if line.get_label() == "ssn × none")
    assert marker.get_xdata() == pytest.approx([rows["wrong"].mean()])
    assert marker.get_ydata() == pytest.approx([rows["correct"].mean()])
    points = [line.get_xydata() for line in lines if line.get_xdata().size == 3]
    assert any(np.array_equal(each, rows[["wrong", "correct"]]) for each in points)


def test_bars_are_mean_intervals_of_the_right_and_of_the_best_wrong_measure(write_tables):
    tables = write_tables(replicates=2)
    scores = pd.read_csv(tables / "intervals.csv", keep_default_na=False)
    scores = scores[(scores["aleatoric"] == "ssn") & (scores["epistemic"] == "none")]
    scores = scores[(scores["metric"] == "ace") & scores["split"].str.startswith("ood")]
    of = {m: scores[scores["measure"] == m].set_index(["replicate", "split"]) for m in MEASURES}
    best = of["AU"].where(of["AU"]["value"] < of["EU"]["value"], of["EU"])
    assert 0 < (best["measure"] == "AU").sum() < len(best)
    ax = _panels(compose(tables, tasks=AGGREGATIONS))["Calibration, OOD"]
    lines = [line for line in ax.lines if line.get_label() == "interval"]
    names = [line.get_label() for line in ax.lines if "×" in line.get_label()]
    across, up = lines[2 * names.index("ssn × none") :][:2]
    assert list(across.get_xdata()) == pytest.approx(best[["low", "high"]].mean().tolist())
    assert list(up.get_ydata()) == pytest.approx(of["TU"][["low", "high"]].mean().tolist())
    low, high = ax.get_xlim()
    assert low < min(line.get_xdata().min() for line in lines)
    assert high > max(line.get_ydata().max() for line in lines)
