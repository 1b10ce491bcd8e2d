"""Performance rank against Δ rank."""

import pandas as pd
import pytest

from segue.keys import CELL
from segue.report.figures.rank_scatter import compose


def _write(folder, ranks, width=0.5):
    """Write mean_ranks.csv of one task: cell -> (performance, entanglement)."""
    rows = [
        ("lung", "ssn", cell, table, task, rank, rank - width, rank + 2 * width)
        for cell, pair in ranks.items()
        for table, rank in zip(("performance", "entanglement"), pair, strict=True)
        for task in ("overall", "ambiguity")
    ]
    columns = [*CELL, "table", "task", "mean_rank", "low", "high"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "mean_ranks.csv", index=False)
    return folder


@pytest.mark.parametrize(
    ("ranks", "correlation"),
    [
        ({"none": (1, 1), "swag": (2, 2), "ensemble": (3, 3)}, "1.00"),
        ({"none": (1, 3), "swag": (2, 2), "ensemble": (3, 1)}, "-1.00"),
        ({"none": (1, 2), "swag": (2, 1), "ensemble": (3, 3)}, "0.50"),  # 1 - 6·2/(3·8)
    ],
)
def test_titles_tell_the_rank_correlation(ranks, correlation, tmp_path):
    titles = [ax.get_title() for ax in compose(_write(tmp_path, ranks)).axes]
    assert titles == [f"Ambiguity, ρ = {correlation}", f"Overall, ρ = {correlation}"]


def test_cells_of_equal_rank_have_no_correlation(tmp_path):
    figure = compose(_write(tmp_path, {"none": (1.5, 1), "swag": (1.5, 2)}))
    assert figure.axes[0].get_title() == "Ambiguity"


def test_markers_are_at_performance_and_delta_rank(tmp_path):
    ranks = {"none": (1, 3), "swag": (2, 1), "ensemble": (3, 2)}
    lines = compose(_write(tmp_path, ranks)).axes[0].lines
    markers = {line.get_label(): (*line.get_xdata(), *line.get_ydata()) for line in lines}
    for cell, place in ranks.items():
        assert markers[f"ssn × {cell}"] == place


def test_overall_comes_after_every_task(write_tables):
    titles = [ax.get_title().split(",")[0] for ax in compose(write_tables()).axes]
    assert titles == ["OOD detection", "Ambiguity", "Calibration", "Overall"]


def test_bars_are_the_intervals_of_both_ranks(tmp_path):
    lines = compose(_write(tmp_path, {"none": (1, 3), "swag": (2, 1)})).axes[0].lines
    bars = [line.get_xydata().tolist() for line in lines if line.get_label() == "interval"]
    assert sorted(bars) == [
        [[0.5, 3], [2, 3]],
        [[1, 2.5], [1, 4]],
        [[1.5, 1], [3, 1]],
        [[2, 0.5], [2, 2]],
    ]


def test_one_replicate_has_no_bars_but_its_markers(write_tables):
    figure = compose(write_tables(replicates=1))
    figure.draw_without_rendering()
    assert any("×" in line.get_label() for line in figure.axes[0].lines)
