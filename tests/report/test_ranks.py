import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import rankdata

from segue import plugins
from segue.evaluation.entanglement import Ranked
from segue.evaluation.task import Task
from segue.report.ranks import DIGITS, ranked, ranks, summary

RANKED = {
    "ood": Ranked(plugins.load("tasks", "ood").TASK, "border"),
    "ambiguity": Ranked(plugins.load("tasks", "ambiguity").TASK, ""),
    "calibration": Ranked(plugins.load("tasks", "calibration").TASK, "pooled"),
}


def _deltas(rows):
    """Rows of (cell, replicate, task, split, correct, delta)."""
    table = pd.DataFrame(
        rows, columns=["aleatoric", "replicate", "task", "split", "correct", "delta"]
    )
    return table.assign(dataset="lung", epistemic="none", wrong=0.0)


def _ranks(found, table, task, replicate=0):
    rows = found[(found["table"] == table) & (found["task"] == task)]
    return rows[rows["replicate"] == replicate].set_index("aleatoric")["rank"].to_dict()


def test_ranks_of_the_protocol_with_their_tie():
    values = {"a": 0.3, "b": 0.1, "c": 0.1, "d": -0.2}
    rows = [(name, 0, "ood", "ood", value, value) for name, value in values.items()]
    found = ranks(_deltas(rows), {"ood": RANKED["ood"]})
    expected = {"a": 1, "b": 2.5, "c": 2.5, "d": 4}
    assert _ranks(found, "entanglement", "ood") == expected
    assert _ranks(found, "performance", "ood") == expected


def test_values_that_differ_by_rounding_are_equal():
    assert 0.1 + 0.2 != 0.3
    rows = [
        (name, 0, "ood", "ood", value, value - 0.3)
        for name, value in [("a", 0.1 + 0.2), ("b", 0.3), ("c", 0.3 - 1e-11), ("d", 0.3 + 1e-13)]
    ]
    found = ranks(_deltas(rows), {"ood": RANKED["ood"]})
    expected = {"a": 2, "b": 2, "d": 2, "c": 4}
    assert _ranks(found, "entanglement", "ood") == expected
    assert _ranks(found, "performance", "ood") == expected


def test_low_errors_perform_best_and_high_deltas_rank_best():
    rows = [("a", 0, "calibration", "id", 0.1, -0.5), ("b", 0, "calibration", "id", 0.2, 0.5)]
    found = ranks(_deltas(rows), {"calibration": RANKED["calibration"]})
    assert _ranks(found, "performance", "calibration") == {"a": 1, "b": 2}
    assert _ranks(found, "entanglement", "calibration") == {"a": 2, "b": 1}


def test_id_and_ood_count_half_each_and_tasks_alike():
    rows = [
        ("a", 0, "ood", "ood", 0.9, 0.9),
        ("b", 0, "ood", "ood", 0.1, 0.1),
        ("a", 0, "ambiguity", "id", 0.9, 0.9),
        ("b", 0, "ambiguity", "id", 0.1, 0.1),
        ("a", 0, "ambiguity", "ood", 0.1, 0.1),
        ("b", 0, "ambiguity", "ood", 0.9, 0.9),
    ]
    found = ranks(_deltas(rows), {name: RANKED[name] for name in ("ood", "ambiguity")})
    assert _ranks(found, "entanglement", "ambiguity") == {"a": 1.5, "b": 1.5}
    assert _ranks(found, "entanglement", "overall") == {"a": 1.25, "b": 1.75}


def test_replicates_and_datasets_are_ranked_on_their_own():
    rows = [(name, r, "ood", "ood", value, value) for r, name, value in
            [(0, "a", 0.9), (0, "b", 0.8), (1, "a", 0.1), (1, "b", 0.2)]]  # fmt: skip
    table = _deltas(rows)
    other = table.assign(dataset="eye", delta=5.0)
    found = ranks(pd.concat([table, other]), {"ood": RANKED["ood"]})
    lung = found[found["dataset"] == "lung"]
    assert _ranks(lung, "performance", "ood", 0) == {"a": 1, "b": 2}
    assert _ranks(lung, "performance", "ood", 1) == {"a": 2, "b": 1}
    eye = found[(found["dataset"] == "eye") & (found["table"] == "entanglement")]
    assert set(eye["rank"]) == {1.5}


@given(st.lists(st.sampled_from([0, 0.25, 0.5, 1]), min_size=1, max_size=8), st.booleans())
def test_ranks_of_n_cells_sum_to_n_times_n_plus_one_over_two(values, higher):
    task = Ranked(Task("m", higher, "TU", ("EU",)), "")
    rows = [(f"model {i}", 0, "t", "id", value, value) for i, value in enumerate(values)]
    found = ranks(_deltas(rows), {"t": task})
    n = len(values)
    sums = found.groupby(["table", "task"])["rank"].sum()
    np.testing.assert_allclose(sums, n * (n + 1) / 2)


def test_a_summary_has_the_mean_and_the_range_of_replicates():
    ranking = pd.DataFrame({"dataset": "d", "epistemic": "e", "aleatoric": ["a", "a", "a", "b"]})
    found = summary(ranking.assign(rank=[1, 2.5, 4, 3.0])).set_index("aleatoric")
    assert found.loc["a", ["mean_rank", "low", "high", "n"]].tolist() == [2.5, 1, 4, 3]
    assert found.loc["b", ["mean_rank", "n"]].tolist() == [3, 1]
    assert found.loc["b", ["low", "high"]].isna().all()


def test_a_cell_that_lacks_a_value_has_no_mean_over_others_tasks():
    """Of a task that no cell has, the mean is that of the other tasks."""
    nan = float("nan")
    rows = [
        (name, 0, task, split, value, value)
        for task, split, values in [
            ("ambiguity", "id", {"a": 0.3, "b": nan, "c": 0.1}),
            ("ambiguity", "ood", {"a": 0.3, "b": 0.2, "c": 0.1}),
            ("ood", "ood", {"a": 0.1, "b": 0.9, "c": 0.5}),
            ("calibration", "id", {"a": nan, "b": nan, "c": nan}),
        ]
        for name, value in values.items()
    ]
    found = ranks(_deltas(rows), RANKED)
    assert _ranks(found, "entanglement", "ood") == {"a": 3, "b": 1, "c": 2}
    ambiguity = _ranks(found, "entanglement", "ambiguity")
    overall = _ranks(found, "entanglement", "overall")
    assert (ambiguity["a"], ambiguity["c"]) == (1, 2.5)
    assert (overall["a"], overall["c"]) == (2, 2.25)
    assert np.isnan([ambiguity["b"], overall["b"]]).all()


few = st.sampled_from([-1.5, -0.0, 0.0, 0.1 + 0.2, 0.3, 0.3 + 1e-11, np.inf, np.nan])


@given(arrays(np.float64, array_shapes(max_dims=3, max_side=6), elements=few | st.floats(-2, 2)))
def test_ranks_of_arrays_are_those_of_scipy_to_the_last_bit(values):
    expected = rankdata(np.round(values, DIGITS), axis=-1, nan_policy="omit")
    np.testing.assert_array_equal(ranked(values), expected)
