import numpy as np
import pandas as pd
import pytest
from drawn import joints_of

from segue.keys import REPLICATE
from segue.report.claims import ACROSS_DATASETS, CONCLUSIONS
from segue.report.conclusions import conclusions, holm
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


def _conclusions(rankings, **noise):
    return conclusions(rankings, joints_of(rankings, **noise), 0)


def _found(ranking, name, **noise):
    table = _conclusions({"corrected": ranking}, **noise)
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
    found = _conclusions({"corrected": ranking, "paper_code": ranking})
    assert len(found) == 2 * (2 * len(CONCLUSIONS) + len(ACROSS_DATASETS))
    assert not found.duplicated(["conclusion", "dataset", "variant"]).any()


def test_the_paper_s_own_ranks_bear_out_what_it_says_of_ensembles():
    """Its tables have the ranks over all tasks only."""
    ranking = published_ranks().rename(columns={"mean_rank": "rank"})
    found = _conclusions({"published": ranking.assign(task="overall", replicate=0)})
    told = found[found["holds"] != ""]
    assert set(told["conclusion"]) == {"ensembles_least_entangled_overall"}
    assert told["holds"].tolist() == ["yes", "yes"]


def _published(tasks=TASKS):
    """Ranks 1 … 19 in the published grid, in every task."""
    ranking = published_ranks()
    ranking = ranking[(ranking["dataset"] == "lidc")].assign(replicate=0)
    ranking["rank"] = ranking.groupby("table")["mean_rank"].rank(method="first")
    return pd.concat([ranking.assign(task=task) for task in tasks])


@pytest.mark.parametrize(
    ("name", "chance"),
    [
        ("ensembles_least_entangled_overall", 0.19),
        ("ensembles_best_ood", 0.19),
        ("prob_unet_less_entangled_ambiguity", 0.32),
        ("softmax_ensemble_good_everywhere", 0.11),
    ],
)
def test_by_chance_conclusions_hold_as_often_as_random_ranks_have_them(name, chance):
    """Of the published grid, measured: within three standard errors of 2,000 permutations."""
    found = _found(_published(), name)["chance"]
    assert found == pytest.approx(chance, abs=0.01 + 3 * np.sqrt(chance * (1 - chance) / 2000))


@pytest.mark.parametrize(
    ("ahead", "noise", "holds"),
    [(1, 0.1, "yes"), (1, 4, "undecided"), (8, 0.1, "no"), (8, 4, "undecided")],
)
def test_a_conclusion_is_decided_where_its_interval_is_on_one_side_of_0(ahead, noise, holds):
    cells = {("ensemble", a): ahead for a in ALEATORIC}
    found = _found(_ranking({("performance", "ood"): cells}), "ensembles_best_ood", noise=noise)
    assert found["holds"] == holds
    assert found["low"] < found["high"]
    assert (found["low"] < 0 <= found["high"]) == (holds == "undecided")


def test_p_values_are_twice_the_smaller_share_of_draws_and_at_least_what_draws_can_tell():
    cells = {("ensemble", a): 1 for a in ALEATORIC}
    ranking = _ranking({("performance", "ood"): cells})
    table = _conclusions({"corrected": ranking})
    known = table[table["dataset"] == "lung"].set_index("conclusion")["holm"]
    assert known["ensembles_best_ood"] == pytest.approx(8 * 1 / 201)  # of 8 on one dataset
    other = _found(ranking, "ensembles_least_entangled_ood", noise=3)
    assert other["holm"] == 1


def test_holm_of_four_p_values_by_hand():
    """Sorted .005, .01, .03, .04 times 4, 3, 2, 1, each no smaller than the one before."""
    found = holm(pd.Series([0.01, np.nan, 0.04, 0.03, 0.005], index=list("abcde")))
    assert found[list("acde")].tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert np.isnan(found["b"])
    assert holm(pd.Series([0.9, 0.8])).tolist() == [1, 1]


def test_where_the_best_cell_is_the_same_in_every_draw_it_does_not_depend_on_the_dataset():
    best = [{("performance", "ambiguity"): {cell: 1}} for cell in CELLS[:2]]
    name = "best_depends_on_dataset_ambiguity"
    differ = pd.concat([_ranking(best[0], dataset="lung"), _ranking(best[1], dataset="eye")])
    found = _found(differ, name, noise=0.1)
    assert (found["low"], found["high"], found["holds"]) == (-1, -1, "yes")
    assert found["chance"] == pytest.approx(1 - 1 / len(CELLS), abs=0.03)
