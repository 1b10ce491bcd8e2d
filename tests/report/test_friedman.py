import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import f, friedmanchisquare

from segue.keys import REPLICATE
from segue.report.friedman import (
    alike,
    block_ranks,
    critical_difference,
    friedman,
    iman_davenport,
)

# Demšar 2006, table 5a: critical values q at 5 % for 2 … 10 classifiers.
DEMSAR = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]


def _ranking(blocks, task="overall"):
    """Ranks in the shape of ``entanglement.ranks`` from (dataset, ranks of its cells)."""
    rows = [
        (dataset, "ssn", f"e{cell}", number, "performance", task, rank)
        for number, (dataset, ranks) in enumerate(blocks)
        for cell, rank in enumerate(ranks)
    ]
    columns = [*REPLICATE, "table", "task", "rank"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(("cells", "q"), list(enumerate(DEMSAR, start=2)))
def test_critical_differences_are_those_of_demsar(cells, q):
    expected = q * np.sqrt(cells * (cells + 1) / (6 * 14))
    assert critical_difference(cells, 14) == pytest.approx(expected, abs=6e-4)


def test_demsars_example():
    """Table 6: four classifiers on 14 data sets, mean ranks 3.143, 2.000, 2.893, 1.964."""
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert alike(np.array([1.964, 2.000, 2.893, 3.143]), critical_difference(4, 14)) == [(0, 3)]


def test_a_statistic_by_hand():
    """Ranks 123, 123, 132: sums 3, 7, 8, χ² = 12/(3·3·4)·122 - 3·3·4 = 14/3; F = 2χ²/(6 - χ²)."""
    found = friedman(_ranking([("lung", (1, 2, 3)), ("lung", (1, 2, 3)), ("lung", (1, 3, 2))]))
    assert found["statistic"].item() == pytest.approx(2 * (14 / 3) / (6 - 14 / 3))
    # F of 2 and 4 degrees exceeds x with the probability (1 + x/2)^-2
    assert found["p_value"].item() == pytest.approx((1 + 7 / 2) ** -2)
    assert (found["blocks"].item(), found["cells"].item()) == (3, 3)


def test_where_all_blocks_agree_f_is_infinite():
    found = friedman(_ranking([("lung", (1, 2, 3)), ("lung", (1, 2, 3))]))
    assert found["statistic"].item() == np.inf
    assert found["p_value"].item() == 0


def test_random_ranks_of_two_blocks_differ_at_5_percent_as_often_as_it_says():
    """Of 19 cells; Friedman's χ² would err in .3 %, and 400 trials cannot mistake one for other."""
    random = np.random.default_rng(0)
    trials = [random.permuted(np.tile(np.arange(19.0), (2, 1)), axis=1) for _ in range(400)]
    errors = np.mean([iman_davenport(ranks)[1] < 0.05 for ranks in trials])
    assert errors == pytest.approx(0.054, abs=0.03)
    assert np.mean([friedmanchisquare(*ranks.T).pvalue < 0.05 for ranks in trials]) < 0.015


@pytest.mark.parametrize(("blocks", "separates"), [(2, False), (3, True)])
def test_a_study_that_cannot_separate_any_cells_says_so(blocks, separates):
    """19 cells: at two blocks the critical difference is 19.8, and no two can differ by over 18."""
    ranks = [("lung", np.arange(19)), ("lung", np.arange(19)[::-1]), ("lung", np.arange(19))]
    note = friedman(_ranking(ranks[:blocks]))["note"].item()
    assert (note == "") == separates
    if not separates:
        assert note.startswith("cannot separate any two cells: mean ranks differ by 18 at most")
        assert note.endswith("critical difference is 19.8")


def test_mean_ranks_that_differ_by_rounding_are_tied():
    ranks = block_ranks(_ranking([("lung", (0.1 + 0.2, 0.3, 0.4))]), "all")
    assert ranks.to_numpy().tolist() == [[1.5, 1.5, 3]]


def test_values_are_ranked_again_within_a_block():
    ranks = block_ranks(_ranking([("lung", (2.5, 2.5, 9)), ("eye", (7, 1, 3))]), "all")
    assert ranks.to_numpy().tolist() == [[3, 1, 2], [1.5, 1.5, 3]]  # eye comes before lung


def test_it_is_iman_s_and_davenport_s_test_on_each_dataset_and_on_all():
    random = np.random.default_rng(0)
    blocks = [(dataset, random.random(4)) for dataset in ("lung", "eye") for _ in range(3)]
    found = friedman(_ranking(blocks)).set_index("dataset")
    assert list(found.index) == ["lung", "eye", "all"]
    for dataset, row in found.iterrows():
        values = [ranks for name, ranks in blocks if dataset in (name, "all")]
        expected = friedmanchisquare(*np.transpose(values))
        chi2, n = expected.statistic, len(values)
        statistic = (n - 1) * chi2 / (n * 3 - chi2)
        assert row["statistic"] == pytest.approx(statistic)
        assert row["p_value"] == pytest.approx(f.sf(statistic, 3, 3 * (n - 1)))
        assert row["critical_difference"] == pytest.approx(critical_difference(4, len(values)))


@pytest.mark.parametrize(
    ("blocks", "note"),
    [
        ([("lung", (1, 2, 3))], "no test: only one block"),
        ([("lung", (1, 2))] * 2, "no test: fewer than three cells"),
        ([("lung", (2, 2, 2))] * 2, "no test: all cells are equal"),
    ],
)
def test_where_there_is_no_test_it_says_why(blocks, note):
    row = friedman(_ranking([(name, ranks) for name, ranks in blocks])).iloc[0]
    assert row["note"] == note
    assert row[["statistic", "p_value", "critical_difference"]].isna().all()


def test_every_table_and_task_is_tested():
    blocks = [("lung", (1, 2, 3)), ("lung", (3, 2, 1))]
    found = friedman(pd.concat([_ranking(blocks), _ranking(blocks, "ood")]))
    assert found["task"].tolist() == ["overall", "ood"]


@given(
    st.lists(st.floats(1, 9), min_size=1, max_size=9).map(sorted).map(np.array),
    st.floats(0.01, 9),
)
def test_pairs_in_one_run_are_those_that_do_not_differ(mean_ranks, difference):
    runs = alike(mean_ranks, difference)
    for i in range(len(mean_ranks)):
        for j in range(i + 1, len(mean_ranks)):
            together = any(first <= i and j <= last for first, last in runs)
            assert together == (mean_ranks[j] < mean_ranks[i] + difference)
    assert not any(a <= c and d <= b for a, b in runs for c, d in runs if (a, b) != (c, d))
