import numpy as np
import pandas as pd
import pytest

from segue.keys import REPLICATE
from segue.report.conclusions import ACROSS_DATASETS, CONCLUSIONS, conclusions
from segue.report.published import published_ranks

TASKS = ("ood", "ambiguity", "calibration", "overall")
EPISTEMIC = ("none", "swag", "ensemble")
ALEATORIC = ("softmax", "ssn", "prob_unet")
CELLS = [(e, a) for e in EPISTEMIC for a in ALEATORIC if (e, a) != ("none", "softmax")]
MIDDLE = (len(CELLS) + 1) / 2


def _ranking(ranks, replicate=0, dataset="lung"):
    """Ranks of every cell in every table and task: ``MIDDLE`` but for what ``ranks`` gives.

    ``ranks``: (table, task) -> {cell: rank}, where a cell is (epistemic, aleatoric).
    """
    rows = [
        (dataset, a, e, replicate, table, task, ranks.get((table, task), {}).get((e, a), MIDDLE))
        for table in ("performance", "entanglement")
        for task in TASKS
        for e, a in CELLS
    ]
    columns = [*REPLICATE, "table", "task", "rank"]
    return pd.DataFrame(rows, columns=columns)


def _found(ranking, name):
    table = conclusions({"corrected": ranking})
    return table[table["conclusion"] == name].iloc[0]


@pytest.mark.parametrize(
    ("name", "table", "task"),
    [
        ("ensembles_least_entangled_ood", "entanglement", "ood"),
        ("ensembles_least_entangled_overall", "entanglement", "overall"),
        ("ensembles_best_ood", "performance", "ood"),
    ],
)
@pytest.mark.parametrize(
    ("ranks", "value"),
    [
        # ensembles 1, 2, 3 (mean 2), swag 4, 5, 6 (mean 5): 3 ahead; none 2, 6 beside 2, 3 (2.5)
        ({"none": (2, 6), "swag": (4, 5, 6), "ensemble": (1, 2, 3)}, -1.5),
        # without softmax, which none lacks, ensembles are behind none
        ({"none": (2, 2.5), "swag": (4, 5, 6), "ensemble": (1, 2, 3)}, 0.25),
        ({"none": (7, 8), "swag": (1, 2, 3), "ensemble": (4, 5, 6)}, 3),
    ],
)
def test_ensembles_are_compared_with_the_best_other_method(name, table, task, ranks, value):
    cells = {
        (e, a): rank
        for e, row in ranks.items()
        for a, rank in zip(ALEATORIC[-len(row) :], row, strict=True)
    }
    found = _found(_ranking({(table, task): cells}), name)
    assert found["value"] == pytest.approx(value)
    assert found["holds"] == ("yes" if value < 0 else "no")
    assert (found["dataset"], found["variant"]) == ("lung", "corrected")


@pytest.mark.parametrize("task", ["ambiguity", "calibration"])
@pytest.mark.parametrize(
    ("softmax", "ssn", "value"), [((1, 2), (3, 4, 5), -0.5), ((1, 2), (4, 5, 6), 0.5)]
)
def test_softmax_and_ssn_are_good_where_both_beat_the_middle(task, softmax, ssn, value):
    """Of 8 cells the middle is 4.5."""
    cells = dict(zip([("swag", "softmax"), ("ensemble", "softmax")], softmax, strict=True))
    cells |= {(e, "ssn"): rank for e, rank in zip(EPISTEMIC, ssn, strict=True)}
    found = _found(_ranking({("performance", task): cells}), f"softmax_and_ssn_good_{task}")
    assert found["value"] == pytest.approx(value)
    assert found["holds"] == ("yes" if value < 0 else "no")


@pytest.mark.parametrize("task", ["ambiguity", "calibration"])
def test_prob_unets_are_compared_with_the_better_of_softmax_and_ssn(task):
    """Beside softmax (4, 4) they have 1, 3; beside ssn (2, 2, 5) they have 2, 1, 3."""
    models = {"softmax": (4, 4), "ssn": (2, 2, 5), "prob_unet": (2, 1, 3)}
    cells = {
        (e, a): rank
        for a, ranks in models.items()
        for e, rank in zip(EPISTEMIC[-len(ranks) :], ranks, strict=True)
    }
    found = _found(_ranking({("entanglement", task): cells}), f"prob_unet_less_entangled_{task}")
    assert found["value"] == pytest.approx(max(2 - 4, 2 - 3))
    assert found["holds"] == "yes"


@pytest.mark.parametrize(("worst", "holds"), [(4, "yes"), (4.5, "no"), (6, "no")])
def test_a_softmax_ensemble_must_be_good_at_its_worst_task(worst, holds):
    cell = ("ensemble", "softmax")
    ranks = {("performance", task): {cell: 1} for task in ("ood", "ambiguity")}
    found = _found(
        _ranking(ranks | {("performance", "calibration"): {cell: worst}}),
        "softmax_ensemble_good_everywhere",
    )
    assert found["value"] == pytest.approx(worst - MIDDLE)
    assert found["holds"] == holds


def test_the_mean_over_replicates_decides_and_the_share_of_them_is_told():
    ranks = [{("performance", "ood"): {("ensemble", a): r for a in ALEATORIC}} for r in (1, 1, 5)]
    ranking = pd.concat([_ranking(each, replicate) for replicate, each in enumerate(ranks)])
    found = _found(ranking, "ensembles_best_ood")
    assert found["value"] == pytest.approx(np.mean([1, 1, 5]) - MIDDLE)
    assert (found["holds"], found["replicates"]) == ("yes", pytest.approx(2 / 3))


@pytest.mark.parametrize("lacking", [{"epistemic": "ensemble"}, {"aleatoric": "softmax"}])
def test_a_study_without_the_methods_cannot_tell(lacking):
    ranking = _ranking({})
    (column, name), *_ = lacking.items()
    found = _found(ranking[ranking[column] != name], "softmax_ensemble_good_everywhere")
    assert np.isnan(found["value"])
    assert np.isnan(found["replicates"])
    assert found["holds"] == ""


def test_a_study_without_the_task_cannot_tell():
    ranking = _ranking({})
    assert _found(ranking[ranking["task"] != "ood"], "ensembles_best_ood")["holds"] == ""


def test_the_best_cell_depends_on_the_dataset_where_two_datasets_have_different_ones():
    best = [{("performance", "ambiguity"): {cell: 1}} for cell in CELLS[:2]]
    name = "best_depends_on_dataset_ambiguity"
    differ = pd.concat([_ranking(best[0], dataset="lung"), _ranking(best[1], dataset="eye")])
    same = pd.concat([_ranking(best[0], dataset=dataset) for dataset in ("lung", "eye")])
    assert _found(differ, name)["holds"] == "yes"
    assert _found(same, name)["holds"] == "no"
    assert _found(_ranking(best[0]), name)["holds"] == ""


def test_every_conclusion_is_tested_on_every_dataset_and_variant():
    ranking = pd.concat([_ranking({}, dataset=dataset) for dataset in ("lung", "eye")])
    found = conclusions({"corrected": ranking, "paper_code": ranking})
    assert len(found) == 2 * (2 * len(CONCLUSIONS) + len(ACROSS_DATASETS))
    assert not found.duplicated(["conclusion", "dataset", "variant"]).any()


def test_the_paper_s_own_ranks_bear_out_what_it_says_of_ensembles():
    """Its tables have the ranks over all tasks only."""
    ranking = published_ranks().rename(columns={"mean_rank": "rank"})
    found = conclusions({"published": ranking.assign(task="overall", replicate=0)})
    told = found[found["holds"] != ""]
    assert set(told["conclusion"]) == {"ensembles_least_entangled_overall"}
    assert told["holds"].tolist() == ["yes", "yes"]
