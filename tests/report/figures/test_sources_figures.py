"""Figures of the leakage of draws and of axes."""

import numpy as np
import pandas as pd
import pytest

from segue.report import style
from segue.report.figures import axes, leakage, metric_by_draws
from segue.report.names import Names

MODELS = ("softmax", "ssn", "prob_unet")
METHODS = ("none", "dropout", "ensemble")


@pytest.fixture
def sweep(tmp_path):
    rows = [
        (dataset, a, e, estimator, over, number, 0.3, 0.2, eu, 0.5, 0.8, 0.3)
        for dataset in ("lung", "phantom")
        for a in MODELS
        for e in METHODS
        for estimator, factor in (("plugin", 1.0), ("jackknife", -0.1))
        for over, number, eu in (
            ("all", 0, 0.01 * factor),
            *((("draws", n, 0.1 * factor / n) for n in (1, 2, 5, 10)) if a != "softmax" else ()),
            ("hypotheses", 2, 0.005),
        )
    ]
    names = ["dataset", "aleatoric", "epistemic", "estimator", "over", "number"]
    names += ["tu", "au", "eu", "correlation", "ncc_au", "ncc_eu"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "sweep.csv", index=False)
    return tmp_path


def test_a_cell_has_both_estimates_and_a_model_with_draws_its_sweep(sweep, tmp_path):
    figure = leakage.compose(sweep, Names({"phantom": "known truth"}))
    first, *others = figure.subfigs[1].axes
    assert figure.subfigs[1].get_suptitle() == "phantom (known truth)"
    filled, hollow = ([line.get_xdata()[0] for line in first.lines[i::3]][:9] for i in (1, 2))
    assert filled == pytest.approx([0.01] * 9)
    assert hollow == pytest.approx([-0.001] * 9)
    assert [ax.get_title() for ax in others] == ["ssn", "prob_unet"]
    plugin, jackknife = (
        [line for line in others[0].lines if len(line.get_xdata()) == points] for points in (4, 3)
    )
    assert len(plugin) == len(jackknife) == 3  # of one draw there is no jackknife
    assert list(plugin[0].get_ydata()) == pytest.approx([0.1, 0.05, 0.02, 0.01])
    assert list(jackknife[0].get_xdata()) == [2, 5, 10]
    style.save(figure, tmp_path / "leakage")


def test_without_leakage_the_figure_says_so(tmp_path):
    (tmp_path / "sweep.csv").write_text("\n")
    assert "not scored" in leakage.compose(tmp_path).texts[0].get_text()


def test_axes_show_both_measures_of_every_cell_and_the_truth(tmp_path):
    rows = [
        (axis, f"{axis} (unit)", at, e, a, estimator, 0.3, 0.2 + at, 0.01 * at, truth, 0.02)
        for axis, truth in (("ambiguity", 0.25), ("shift", np.nan))
        for at in (0, 0.5, 2)
        for a in MODELS
        for e in METHODS
        for estimator in ("plugin", "jackknife")
    ]
    names = ["axis", "quantity", "at", "epistemic", "aleatoric", "estimator"]
    names += ["tu", "au", "eu", "h_star", "kl"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "axes.csv", index=False)
    figure = axes.compose(tmp_path)
    above, beside, below, _ = figure.axes[:4]
    assert (above.get_title(), beside.get_title()) == ("ambiguity", "shift")
    assert below.get_xlabel() == "ambiguity (unit)"
    assert len(above.lines) == 10  # nine cells and the truth
    assert len(beside.lines) == 9
    assert list(above.lines[0].get_ydata()) == pytest.approx([0.2, 0.7, 2.2])
    assert list(below.lines[0].get_ydata()) == pytest.approx([0, 0.005, 0.02])
    style.save(figure, tmp_path / "axes")


def test_metrics_by_draws_are_those_of_cells_with_several(sweep):
    figure = metric_by_draws.compose(sweep, Names({"lung": "CT"}))
    aleatoric, epistemic, correlation = figure.subfigs[0].axes
    assert figure.subfigs[0].get_suptitle() == "lung (CT)"
    cells = [f"{a} × {e}" for a in MODELS[1:] for e in METHODS]
    assert [line.get_label() for line in aleatoric.lines] == [f"{c}, plugin" for c in cells]
    assert len(epistemic.lines) == len(correlation.lines) == 2 * len(cells)
    lines = {line.get_label(): line for line in epistemic.lines}
    assert list(lines["ssn × none, plugin"].get_xdata()) == [1, 2, 5, 10]
    assert list(lines["ssn × none, jackknife"].get_xdata()) == [2, 5, 10]
    assert list(lines["ssn × none, plugin"].get_ydata()) == [0.3] * 4
    assert aleatoric.get_ylabel() == "AU NCC ↑"
