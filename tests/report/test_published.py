import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from segue.report.published import COLUMNS, compare, published_ranks, spearman, yardstick

SEED = 3


def _ours(**changes):
    ranks = published_ranks().assign(variant="corrected")
    return ranks[ranks["dataset"] == "lidc"].assign(**{"dataset": "lung", **changes})


def _compare(ours, published="lidc", seed=SEED):
    return compare(ours, {"lung": published}, seed).set_index("table")


@pytest.mark.parametrize(("table", "expected"), [("performance", 0.67), ("entanglement", 0.40)])
def test_the_paper_s_two_datasets_agree_as_it_says(table, expected):
    assert yardstick(table) == pytest.approx(expected, abs=0.005)


def test_published_tables_are_whole():
    ranks = published_ranks()
    assert len(ranks) == 2 * 2 * 19
    assert not ranks.duplicated(["dataset", "table", "epistemic", "aleatoric"]).any()
    for _, rows in ranks.groupby(["dataset", "table"]):
        assert rows["mean_rank"].mean() == pytest.approx(10, abs=0.06)  # of ranks 1 … 19, rounded


def test_the_same_ranks_agree_fully():
    found = _compare(_ours())
    assert found[["spearman", "low", "high"]].to_numpy() == pytest.approx(1)
    assert found.loc["performance", "yardstick"] == yardstick("performance")


def test_the_yardstick_is_what_the_other_dataset_of_the_paper_has():
    found = _compare(_ours(), published="chaksu")
    np.testing.assert_allclose(found["spearman"], found["yardstick"])
    assert ((found["low"] < found["spearman"]) & (found["spearman"] < found["high"])).all()


def test_values_that_differ_by_rounding_are_tied():
    other = np.array([1.0, 2, 3, 5])
    assert spearman(np.array([0.1 + 0.2, 0.3, 1, 2]), other) == pytest.approx(
        spearmanr([1, 1, 2, 3], other).statistic
    )


def test_opposite_ranks_disagree_fully():
    found = _compare(_ours(mean_rank=20 - _ours()["mean_rank"]))
    assert found[["spearman", "low", "high"]].to_numpy() == pytest.approx(-1)


def test_the_interval_is_that_of_fishers_transformation_within_a_few_hundredths():
    """For 19 cells ± 1.96·√(1.06/(n - 3)) on the scale of atanh (Fieller et al. 1957)."""
    found = _compare(_ours(), published="chaksu").loc["performance"]
    half = 1.96 * np.sqrt(1.06 / 16)
    low, high = np.tanh(np.arctanh(found["spearman"]) + np.array([-half, half]))
    assert found["low"] == pytest.approx(low, abs=0.1)
    assert found["high"] == pytest.approx(high, abs=0.1)


def test_the_seed_decides_the_interval():
    one, same, other = (_compare(_ours(), "chaksu", seed) for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_datasets_without_a_published_one_are_left_out():
    found = compare(_ours(), {}, SEED)
    assert found.empty
    assert tuple(found.columns) == COLUMNS


def test_only_the_cells_of_both_count():
    ours = _ours()
    extra = ours.assign(epistemic="laplace", mean_rank=1.0)
    with_extra = pd.concat([ours, extra])
    assert _compare(with_extra, "chaksu").equals(_compare(ours, "chaksu"))
    few = ours[ours["epistemic"] == "dropout"].groupby("table").head(2)
    assert _compare(few)[["spearman", "low", "high"]].isna().all(axis=None)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9))
def test_correlations_are_those_of_scipy(pairs):
    first, second = np.array(pairs, float).T
    found = float(spearman(first, second))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(first, second).statistic)


def test_cells_without_a_rank_are_left_out():
    ours = _ours()
    some = ours["mean_rank"].where(ours.index % 3 > 0)
    found, fewer = _compare(_ours(mean_rank=some)), _compare(ours[some.notna()])
    pd.testing.assert_frame_equal(found, fewer)
    assert found["spearman"].to_numpy() == pytest.approx(1)
