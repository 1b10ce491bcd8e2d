import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from segue import plugins
from segue.errors import InputError
from segue.evaluation.entanglement import Ranked, delta, deltas
from segue.keys import REPLICATE

VALUES = st.floats(0, 100, allow_subnormal=False)
RANKED = {
    "ood": Ranked(plugins.load("tasks", "ood").TASK, "border"),
    "ambiguity": Ranked(plugins.load("tasks", "ambiguity").TASK, ""),
    "calibration": Ranked(plugins.load("tasks", "calibration").TASK, "pooled"),
}


@pytest.mark.parametrize(
    ("correct", "wrong", "higher_is_better", "expected"),
    [
        (5, 2, True, 0.51552),
        (4, 6, True, -0.25133),
        (0.68, 0.497, True, 0.19639),
        (0.04, 0.05, False, 0.14089),
        (1, 0, True, 1),
        (0, 1, True, -1),
        (0, 1, False, 1),
    ],
)
def test_check_values_of_the_protocol(correct, wrong, higher_is_better, expected):
    assert delta(correct, wrong, higher_is_better) == pytest.approx(expected, abs=5e-6)


@given(st.floats(-1, 1) | VALUES, st.booleans())
def test_equal_measures_have_delta_zero(value, higher_is_better):
    assert delta(value, value, higher_is_better) == 0


@given(VALUES, VALUES, st.booleans())
def test_delta_is_antisymmetric_and_in_range(first, second, higher_is_better):
    value = delta(first, second, higher_is_better)
    assert -1 <= value <= 1
    assert delta(second, first, higher_is_better) == pytest.approx(-value, abs=1e-12)
    assert delta(first, second, not higher_is_better) == pytest.approx(-value, abs=1e-12)


@given(VALUES, VALUES, st.booleans())
def test_delta_is_positive_where_the_right_measure_is_better(correct, wrong, higher_is_better):
    assume(abs(correct - wrong) > 1e-9 * (correct + wrong))
    better = correct > wrong if higher_is_better else correct < wrong
    assert (delta(correct, wrong, higher_is_better) > 0) == better


@given(VALUES, VALUES, st.floats(1e-3, 1e3))
def test_the_unit_of_the_metric_does_not_matter(correct, wrong, unit):
    value = delta(correct, wrong, True)
    assert delta(unit * correct, unit * wrong, True) == pytest.approx(value, abs=1e-9)


def test_delta_takes_arrays():
    np.testing.assert_allclose(delta([5, 4], [2, 6], True), [0.51552, -0.25133], atol=5e-6)


def _means(task, aggregation, scores, cell=("lung", "ssn", "none", 0), metric=None):
    """Rows of mean scores: split -> (TU, AU, EU)."""
    return pd.DataFrame(
        [
            (*cell, task, metric or RANKED[task].task.metric, split, measure, aggregation, score)
            for split, values in scores.items()
            for measure, score in zip(("TU", "AU", "EU"), values, strict=True)
        ],
        columns=[*REPLICATE, "task", "metric", "split", "measure", "aggregation", "score"],
    )


@pytest.mark.parametrize("values", [(np.nan, 0.5), (0.5, np.nan), (np.nan, np.nan)])
@pytest.mark.parametrize("higher_is_better", [False, True])
def test_what_is_undefined_has_no_delta(values, higher_is_better):
    assert np.isnan(delta(*values, higher_is_better))


def test_a_split_without_scores_is_left_out_of_the_mean():
    scores = {"ood_a": (0, 0.4, 0.9), "ood_b": (np.nan,) * 3}
    means = _means("ood", "border", scores).assign(reason="no border")
    row = deltas(means, {"ood": RANKED["ood"]}).iloc[0]
    assert row["delta"] == pytest.approx(delta(0.9, 0.4, True))
    assert row["reason"] == ""


def test_a_delta_that_is_undefined_says_why():
    """AU and EU are, and so is Δ; the right measure of calibration is TU, which is not."""
    scores = {split: (0.1, np.nan, np.nan) for split in ("id", "ood_a")}
    means = _means("calibration", "pooled", scores)
    means["reason"] = ["" if m == "TU" else "one sample" for m in means["measure"]]
    found = deltas(means, {"calibration": RANKED["calibration"]})
    assert found["delta"].isna().all()
    assert found["correct"].tolist() == [0.1, 0.1]
    assert found["reason"].tolist() == ["one sample", "one sample"]


def test_each_reason_is_given_once():
    """Two shifts that each lack something, which the images they are compared with lack too."""
    scores = {split: (np.nan,) * 3 for split in ("ood_a", "ood_b")}
    means = _means("ood", "border", scores)
    means["reason"] = "no border in id; no border in " + means["split"]
    found = deltas(means, {"ood": RANKED["ood"]})
    assert found["reason"].tolist() == ["no border in id; no border in ood_a; no border in ood_b"]


def test_delta_of_ood_is_that_of_the_means_over_splits():
    means = _means("ood", "border", {"ood_a": (0, 0.4, 0.9), "ood_b": (0, 0.6, 0.5)})
    row = deltas(means, {"ood": RANKED["ood"]}).iloc[0]
    assert (row["split"], row["correct"], row["wrong"]) == ("ood", pytest.approx(0.7), 0.5)
    assert row["delta"] == pytest.approx(delta(0.7, 0.5, True))


def test_the_better_of_two_wrong_measures_is_taken_in_each_split():
    scores = {
        "val": (9, 9, 9),
        "id": (0.1, 0.2, 0.3),
        "ood_a": (0.4, 0.2, 0.6),
        "ood_b": (0.2, 0.5, 0.4),
    }
    found = deltas(_means("calibration", "pooled", scores), {"calibration": RANKED["calibration"]})
    by_split = found.set_index("split")
    assert set(by_split.index) == {"id", "ood"}
    assert by_split.loc["id", ["correct", "wrong"]].tolist() == [0.1, 0.2]
    assert by_split.loc["ood", ["correct", "wrong"]].tolist() == pytest.approx([0.3, 0.3])
    assert by_split["delta"]["ood"] == pytest.approx(0)
    assert by_split["delta"]["id"] == pytest.approx(delta(0.1, 0.2, False))


def test_other_metrics_aggregations_and_tasks_are_no_part_of_it():
    scores = {"id": (1, 0.6, 0.3), "ood": (1, 0.4, 0.2)}
    others = [
        _means("calibration", "pooled", scores),
        _means("ambiguity", "other", scores),
        _means("ambiguity", "", scores, metric="ncc_entropy"),
    ]
    tasks = {"ambiguity": RANKED["ambiguity"]}
    alone = deltas(_means("ambiguity", "", scores), tasks)
    together = deltas(pd.concat([*others, _means("ambiguity", "", scores)]), tasks)
    pd.testing.assert_frame_equal(together, alone)


def test_a_task_without_such_scores_is_named():
    means = _means("ood", "mean", {"ood_a": (0, 0.4, 0.9)})
    with pytest.raises(
        InputError, match=r"tables.tasks.ood: no scores of auroc .*'border'.*'mean'"
    ):
        deltas(means, {"ood": RANKED["ood"]})
