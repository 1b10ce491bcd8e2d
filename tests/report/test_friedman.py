import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare

from segue.keys import REPLICATE
from segue.report.friedman import alike, block_ranks, critical_difference, friedman

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
    """Two blocks agree on three cells: χ² = 12/(2·3·4)·(2² + 4² + 6²) - 3·2·4 = 4."""
    found = friedman(_ranking([("lung", (1, 2, 3)), ("lung", (1, 2, 3))]))
    assert found["statistic"].item() == pytest.approx(4)
    assert found["p_value"].item() == pytest.approx(np.exp(-2))  # of χ² with 2 degrees of freedom
    assert (found["blocks"].item(), found["cells"].item(), found["note"].item()) == (2, 3, "")


def test_mean_ranks_that_differ_by_rounding_are_tied():
    ranks = block_ranks(_ranking([("lung", (0.1 + 0.2, 0.3, 0.4))]), "all")
    assert ranks.to_numpy().tolist() == [[1.5, 1.5, 3]]


def test_values_are_ranked_again_within_a_block():
    ranks = block_ranks(_ranking([("lung", (2.5, 2.5, 9)), ("eye", (7, 1, 3))]), "all")
    assert ranks.to_numpy().tolist() == [[3, 1, 2], [1.5, 1.5, 3]]  # eye comes before lung


def test_it_is_scipys_test_on_each_dataset_and_on_all():
    random = np.random.default_rng(0)
    blocks = [(dataset, random.random(4)) for dataset in ("lung", "eye") for _ in range(3)]
    found = friedman(_ranking(blocks)).set_index("dataset")
    assert list(found.index) == ["lung", "eye", "all"]
    for dataset, row in found.iterrows():
        values = [ranks for name, ranks in blocks if dataset in (name, "all")]
        expected = friedmanchisquare(*np.transpose(values))
        assert row["statistic"] == pytest.approx(expected.statistic)
        assert row["p_value"] == pytest.approx(expected.pvalue)
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
