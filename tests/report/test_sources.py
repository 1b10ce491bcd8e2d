"""Tables on the sources of entanglement, from made-up scores whose answers are plain."""

import itertools

import numpy as np
import pandas as pd
import pytest

from segue.keys import MEANS
from segue.report.axes import axes, follows
from segue.report.leakage import leakage, sweep
from segue.report.mitigation import mitigation
from segue.report.sources import sources

CELLS = [("ssn", "dropout"), ("ssn", "ensemble"), ("softmax", "ensemble")]
EU = {"corrected": 0.03, "jackknife": 0.01, "paper_code": 9.0}


def means(datasets=("phantom",), replicates=2, splits=("id",)) -> pd.DataFrame:
    """EU leaks .02 nats in ssn and nothing in softmax; a second replicate is 2 higher in TU."""
    rows = []
    for dataset, (aleatoric, epistemic), replicate, variant, split in itertools.product(
        datasets, CELLS, range(replicates), EU, splits
    ):
        eu = EU[variant] if aleatoric == "ssn" else 0.005
        for how, factor in (("all", 1.0), ("draws=1", 4.0), ("hypotheses=2", 0.5)):
            scores = {
                ("mean", "TU"): 0.2 + 2 * replicate,
                ("mean", "AU"): 0.17,
                ("mean", "EU"): eu * factor,
                ("correlation", ""): 0.5,
                ("ncc", "AU"): 0.8,
                ("ncc", "EU"): 0.3,
            }
            for (metric, measure), score in scores.items():
                head = (dataset, aleatoric, epistemic, replicate, variant, "leakage", metric)
                rows.append((*head, split, measure, how, score, 7, ""))
    return pd.DataFrame(rows, columns=MEANS)


def deltas(datasets=("phantom",)) -> pd.DataFrame:
    rows = [
        (variant, dataset, a, e, r, "ambiguity", "id", 0.8, 0.4, 0.1 * i + (variant == "jackknife"))
        for variant in EU
        for dataset in datasets
        for i, (a, e) in enumerate(CELLS)
        for r in range(2)
    ]
    names = ["variant", "dataset", "aleatoric", "epistemic", "replicate", "task", "split"]
    return pd.DataFrame(rows, columns=[*names, "correct", "wrong", "delta"])


def summaries() -> pd.DataFrame:
    rows = [
        (variant, table, task, "phantom", e, a, rank + (variant == "jackknife"))
        for variant in EU
        for table in ("performance", "entanglement")
        for task in ("ambiguity", "overall")
        for rank, (a, e) in enumerate(CELLS)
    ]
    names = ["variant", "table", "task", "dataset", "epistemic", "aleatoric", "mean_rank"]
    return pd.DataFrame(rows, columns=names)


def test_a_sweep_averages_replicates_under_both_estimators_and_no_other_variant():
    found = sweep(means()).set_index(["aleatoric", "epistemic", "estimator", "over", "number"])
    assert len(found) == len(CELLS) * 2 * 3
    row = found.loc[("ssn", "dropout", "plugin", "draws", 1)]
    assert row.tolist()[1:] == pytest.approx([1.2, 0.17, 0.12, 0.5, 0.8, 0.3])
    assert found.loc[("ssn", "dropout", "jackknife", "all", 0), "eu"] == pytest.approx(0.01)


def test_leakage_is_the_share_of_the_plug_in_that_the_jackknife_takes_off():
    found = leakage(sweep(means()), deltas(), summaries()).set_index(["aleatoric", "epistemic"])
    assert found.loc[("ssn", "dropout"), "leaked"] == pytest.approx(2 / 3)
    assert found.loc[("softmax", "ensemble"), "leaked"] == pytest.approx(0)
    row = found.loc[("ssn", "ensemble")]
    assert (row["eu_plugin"], row["eu_jackknife"]) == pytest.approx((0.03, 0.01))
    assert (row["rank_plugin"], row["rank_jackknife"]) == (1, 2)
    assert row["delta_ambiguity_id_plugin"] == pytest.approx(0.1)
    assert row["delta_ambiguity_id_jackknife"] == pytest.approx(1.1)


def test_without_both_estimators_there_is_no_leakage_and_without_the_task_no_sweep():
    one = means().query("variant == 'corrected'")
    assert leakage(sweep(one), deltas(), summaries()).empty
    assert sweep(means().query("task == 'ood'")).empty


POINTS = {
    "ambiguity": {
        "quantity": "factor",
        "moves": "AU",
        "direction": 1,
        "points": [{"at": at, "dataset": f"a{at}", "split": "id"} for at in (2, 0, 1)],
    }
}


def along(au, eu) -> pd.DataFrame:
    """A table of one cell along the axis, at 0, 1, 2."""
    names = [f"a{at}" for at in range(3)]
    rows = means(names, replicates=1)
    rows = rows[(rows["epistemic"] == "dropout") & (rows["variant"] == "corrected")].copy()
    for measure, values in (("AU", au), ("EU", eu)):
        for name, value in zip(names, values, strict=True):
            here = (rows["measure"] == measure) & (rows["dataset"] == name)
            rows.loc[here & (rows["metric"] == "mean"), "score"] = value
    return axes(rows, deltas(names), POINTS)


def test_along_an_axis_each_point_has_its_dataset_s_means_and_deltas():
    table = along([0.1, 0.2, 0.4], [0.03, 0.03, 0.03])
    assert table["at"].tolist() == [2, 0, 1]
    assert table.set_index("at")["au"].to_dict() == pytest.approx({0: 0.1, 1: 0.2, 2: 0.4})
    assert table["delta_ambiguity"].tolist() == pytest.approx([0, 0, 0])
    assert set(table["estimator"]) == {"plugin"}


@pytest.mark.parametrize(
    ("au", "eu", "error"),
    [
        ([0.1, 0.2, 0.3], [0.03, 0.03, 0.03], 0.0),  # AU follows, EU does not move
        ([0.3, 0.2, 0.1], [0.03, 0.02, 0.01], 1.0),  # AU falls, and EU with it
        ([0.2, 0.2, 0.2], [0.03, 0.03, 0.03], 0.25),  # nothing moves
        ([0.1, 0.2, 0.3], [0.01, 0.02, 0.03], 0.5),  # both follow
    ],
)
def test_the_error_is_that_of_the_two_correlations(au, eu, error):
    (row,) = follows(along(au, eu), POINTS).to_dict("records")
    assert row["error"] == pytest.approx(error)
    assert row["change_AU"] == pytest.approx(np.log2(au[2] / au[0]))


def test_the_direction_of_an_axis_turns_the_signs():
    points = {"ambiguity": {**POINTS["ambiguity"], "moves": "EU", "direction": -1}}
    table = along([0.1, 0.1, 0.1], [0.4, 0.2, 0.1])
    (row,) = follows(table, points).to_dict("records")
    assert row["r_EU"] > 0.9
    assert row["change_EU"] == pytest.approx(2)
    assert row["error"] < 0.05


REMEDIES = {
    "jackknife": {"before": "dropout", "after": "dropout", "variant": "jackknife"},
    "members": {"before": "dropout", "after": "ensemble", "variant": "corrected"},
}
PASSES = {"ssn-dropout": 5, "ssn-ensemble": 3, "softmax-ensemble": 3}


def test_a_remedy_shows_cost_and_effect_of_each_model_that_has_both_cells():
    found = mitigation(sweep(means()), deltas(), PASSES, REMEDIES)
    assert found["remedy"].tolist() == ["jackknife", "members"]  # softmax has no dropout here
    jackknife, members = found.to_dict("records")
    assert (jackknife["leaked_before"], jackknife["leaked_after"]) == pytest.approx((0.02, 0))
    assert (members["leaked_before"], members["leaked_after"]) == pytest.approx((0.02, 0.02))
    assert (members["passes_before"], members["passes_after"]) == (5, 3)
    assert jackknife["delta_ambiguity_id_before"] == pytest.approx(0)
    assert jackknife["delta_ambiguity_id_after"] == pytest.approx(1)
    assert members["delta_ambiguity_id_after"] == pytest.approx(0.1)
    assert members["correct_ambiguity_id_before"] == pytest.approx(0.8)


def test_findings_are_those_that_the_study_asks_for():
    given = (means(), deltas(), summaries())
    empty = {"points": {}, "remedies": {}, "passes": {}}
    assert [each.name for each in sources(*given, **empty)] == ["sweep", "leakage"]
    asked = {"points": {}, "remedies": REMEDIES, "passes": PASSES}
    assert [each.name for each in sources(*given, **asked)] == ["sweep", "leakage", "mitigation"]
