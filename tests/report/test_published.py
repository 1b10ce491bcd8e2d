from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from drawn import joints_of
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from segue import seeds
from segue.report.published import (
    COLUMNS,
    PERMUTATIONS,
    _permuted,
    compare,
    published_ranks,
    spearman,
    yardstick,
)

SEED = 3


def _ours(**changes):
    ranks = published_ranks().assign(variant="corrected")
    return ranks[ranks["dataset"] == "lidc"].assign(**{"dataset": "lung", **changes})


def _compare(ours, published="lidc", seed=SEED, noise=0.0):
    ranking = ours.rename(columns={"mean_rank": "rank"}).assign(task="overall")
    joints = joints_of({"corrected": ranking}, noise)
    return compare(ours, {"lung": published}, joints, seed).set_index("table")


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
    found = _compare(_ours(), published="chaksu", noise=1)
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


def test_chance_is_what_permuted_methods_say_worked_out_one_by_one():
    """All 5!·4! ways to name the methods anew, with pandas and scipy."""
    ours = _ours()
    ours = ours[ours["table"] == "performance"]
    there = published_ranks()
    there = there[(there["dataset"] == "chaksu") & (there["table"] == "performance")]
    known = there.set_index(["epistemic", "aleatoric"])["mean_rank"]
    rows, columns = (sorted(set(ours[name])) for name in ("epistemic", "aleatoric"))
    chance = []
    for e in permutations(rows):
        for a in permutations(columns):
            names = [dict(zip(rows, e, strict=True)), dict(zip(columns, a, strict=True))]
            index = [(names[0][x], names[1][y]) for x, y in
                     zip(ours["epistemic"], ours["aleatoric"], strict=True)]  # fmt: skip
            moved = pd.Series(ours["mean_rank"].to_numpy(), pd.MultiIndex.from_tuples(index))
            both = pd.concat([moved, known], axis=1, join="inner")
            chance.append(np.corrcoef(*both.rank().to_numpy().T)[0, 1])
    found = _compare(_ours(), published="chaksu").loc["performance"]
    assert len(chance) == 2880
    assert found["p_value"] == np.mean(np.array(chance) >= found["spearman"] - 1e-9)
    limits = tuple(np.quantile(chance, [0.025, 0.975]))
    assert (found["chance_low"], found["chance_high"]) == pytest.approx(limits)


def test_the_interval_is_that_of_the_joint_draws():
    one, wide = (_compare(_ours(), "chaksu", noise=noise).loc["performance"] for noise in (0, 4))
    assert one["low"] == one["high"] == pytest.approx(one["spearman"])
    assert wide["low"] < wide["spearman"] < wide["high"]


def test_of_many_methods_some_permutations_are_drawn_by_the_seed():
    ours = _ours()
    extra = [ours.assign(epistemic=f"{ours['epistemic'].iloc[0]}{i}") for i in range(4)]
    theirs = pd.concat([ours, *extra]).drop_duplicates(["table", "epistemic", "aleatoric"])
    grid = theirs[theirs["table"] == "performance"].set_index(["epistemic", "aleatoric"])
    values = grid["mean_rank"].unstack()
    one, same, other = (_permuted(values, values, seeds.rng(seed, "a")) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert len(one) == PERMUTATIONS
    assert one[0] == pytest.approx(1)
    assert not np.array_equal(one, other)


def test_datasets_without_a_published_one_are_left_out():
    found = compare(_ours(), {}, {}, SEED)
    assert found.empty
    assert tuple(found.columns) == COLUMNS


def test_only_the_cells_of_both_count():
    ours = _ours()
    extra = ours.drop_duplicates(["table", "aleatoric"])
    extra = extra.assign(epistemic="laplace", mean_rank=1.0)
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
