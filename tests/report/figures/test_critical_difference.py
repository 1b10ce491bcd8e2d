"""Critical-difference diagrams."""

import numpy as np
import pandas as pd
import pytest

from segue.errors import InputError
from segue.keys import REPLICATE
from segue.report import friedman, style
from segue.report.figures.critical_difference import compose, draw
from segue.report.names import Names


def _write(folder, blocks):
    """Write ranks.csv: for each dataset, the rank of each cell in each replicate."""
    rows = [
        (dataset, "ssn", cell, replicate, table, "overall", rank)
        for dataset, replicates in blocks.items()
        for replicate, ranks in enumerate(replicates)
        for table in ("performance", "entanglement")
        for cell, rank in zip("abcde", ranks, strict=False)
    ]
    columns = [*REPLICATE, "table", "task", "rank"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "ranks.csv", index=False)
    return folder


def _bars(ax):
    lines = [line for line in ax.lines if line.get_label() == "alike"]
    return [tuple(np.round(line.get_ydata()).astype(int)) for line in lines]


def test_cells_stand_at_their_mean_rank_the_best_on_top(tmp_path):
    ax = compose(_write(tmp_path, {"lung": [(2, 1, 3), (3, 1, 2)]})).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["ssn × b", "ssn × a", "ssn × c"]
    markers = {line.get_label(): line for line in ax.lines if "×" in line.get_label()}
    places = {name: (*line.get_xdata(), *line.get_ydata()) for name, line in markers.items()}
    assert places == {"ssn × b": (1, 0), "ssn × a": (2.5, 1), "ssn × c": (2.5, 2)}


def test_bars_join_the_cells_that_do_not_differ(tmp_path):
    """Five cells always in one order, 12 times: CD = 2.728·√(5·6/72) = 1.76, so neighbours join."""
    ax = compose(_write(tmp_path, {"lung": [(1, 2, 3, 4, 5)] * 12})).axes[0]
    assert "12 blocks, critical difference 1.8" in ax.get_title()
    assert _bars(ax) == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_with_one_block_it_says_so_and_joins_none(tmp_path):
    figure = compose(_write(tmp_path, {"lung": [(1, 2, 3)]}))
    for ax in figure.axes:
        assert "no test: only one block" in ax.get_title()
        assert not _bars(ax)


def test_several_datasets_are_tested_apart_and_together(tmp_path):
    blocks = {"lung": [(1, 2, 3)] * 2, "eye": [(1, 3, 2)] * 3}
    figure = compose(_write(tmp_path, blocks), Names({"lung": "simulated CT"}))
    headings = [part.get_suptitle() for part in figure.subfigs]
    assert headings == ["lung (simulated CT)", "eye", friedman.ALL]
    counts = [ax.get_title().split()[1] for ax in figure.axes[::2]]
    assert counts == ["2", "3", "5"]


@pytest.mark.parametrize("replicates", [1, 2])
def test_one_cell_can_be_drawn(tmp_path, replicates):
    compose(_write(tmp_path, {"lung": [(1,)] * replicates})).draw_without_rendering()


def test_files_are_the_same_whenever_drawn(write_tables, tmp_path):
    tables = write_tables(datasets=["a", "b"])
    for name in ("first", "second"):
        draw(tmp_path / name, tables=tables)
    for ending in style.FORMATS:
        first, second = (tmp_path / f"{name}.{ending}" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_a_missing_column_is_named(write_tables):
    folder = write_tables()
    path = folder / "ranks.csv"
    pd.read_csv(path).drop(columns="task").to_csv(path, index=False)
    with pytest.raises(InputError, match=r"ranks\.csv: column 'task' expected"):
        compose(folder)


def test_a_study_that_cannot_separate_any_cells_says_so_and_joins_none(tmp_path):
    """Two blocks of five cells: CD = 2.728·√(5·6/12) = 4.3 > 4."""
    ax = compose(_write(tmp_path, {"lung": [(1, 2, 3, 4, 5)] * 2})).axes[0]
    assert "2 blocks are too few to tell any two cells apart" in ax.get_title()
    assert "critical difference 4.3, ranks differ by 4 at most" in ax.get_title()
    assert not _bars(ax)
    assert len(_markers(ax)) == 5


def test_cells_without_a_rank_in_some_block_are_hollow_and_not_tested(tmp_path):
    nan = np.nan
    figure = compose(_write(tmp_path, {"lung": [(2, 1, 3, nan, nan), (3, 1, 2, 4, nan)]}))
    ax = figure.axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["ssn × b", "ssn × a", "ssn × c", "ssn × d"]  # e has no rank at all
    hollow = [name for name, line in _markers(ax).items() if line.get_mfc() == "white"]
    assert hollow == ["ssn × d"]
    assert list(_markers(ax)["ssn × d"].get_xdata()) == [4]
    assert "hollow" in ax.get_xlabel()


def test_where_no_cell_has_a_rank_in_every_block_their_mean_ranks_are_shown(tmp_path):
    nan = np.nan
    ax = compose(_write(tmp_path, {"lung": [(2, 1, nan), (nan, nan, 1)]})).axes[0]
    assert "no test: no cell has a rank in every block" in ax.get_title()
    assert len(_markers(ax)) == 3
    assert not _bars(ax)


def test_where_no_cell_has_a_rank_it_says_so(tmp_path):
    figure = compose(_write(tmp_path, {"lung": [(np.nan, np.nan)] * 2}))
    assert "no cell has a rank" in figure.axes[0].get_title()


def _markers(ax):
    return {line.get_label(): line for line in ax.lines if "×" in line.get_label()}


def test_a_pale_bar_is_the_range_over_blocks(tmp_path):
    ax = compose(_write(tmp_path, {"lung": [(2, 1, 3), (3, 1, 2)]})).axes[0]
    ranges = {tuple(line.get_xdata()) for line in ax.lines if line.get_label() == "range"}
    assert ranges == {(1, 1), (2, 3)}
