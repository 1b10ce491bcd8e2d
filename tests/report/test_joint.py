"""Joint draws of images and trainings, against loops and pandas."""

import numpy as np
import pandas as pd
import pytest

from segue import plugins, seeds
from segue.evaluation.entanglement import Ranked
from segue.evaluation.intervals import DRAWS
from segue.report.joint import Drawn, interval, joint, with_intervals
from segue.report.ranks import ranks

TASKS = {
    "ambiguity": Ranked(plugins.load("tasks", "ambiguity").TASK, ""),
    "calibration": Ranked(plugins.load("tasks", "calibration").TASK, "pooled"),
}
CELLS = [("none", "ssn"), ("swag", "ssn"), ("swag", "softmax"), ("ensemble", "softmax")]
REGIONS = [(task, split) for task in TASKS for split in ("id", "ood")]


def _drawn(replicates=3, lacking=0.0, seed=0):
    """Random values, some of them equal; a share of cells and draws lacks theirs."""
    random = seeds.rng(seed, "joint")
    shape = (replicates, DRAWS, len(CELLS))
    parts = []
    for _ in range(2):
        part = {key: random.integers(-4, 5, shape) / 10 for key in REGIONS}
        parts.append(
            {k: np.where(random.random(shape) < lacking, np.nan, v) for k, v in part.items()}
        )
    return Drawn(CELLS, *parts)


def _deltas(drawn, draw):
    """What ``ranks`` takes, of one draw."""
    rows = [
        ("lung", a, e, replicate, task, split, each[replicate, draw, cell])
        for (task, split), each in drawn.delta.items()
        for replicate in range(len(each))
        for cell, (e, a) in enumerate(CELLS)
    ]
    columns = ["dataset", "aleatoric", "epistemic", "replicate", "task", "split", "delta"]
    table = pd.DataFrame(rows, columns=columns)
    table["correct"] = [
        drawn.correct[row.task, row.split][
            row.replicate, draw, CELLS.index((row.epistemic, row.aleatoric))
        ]
        for row in table.itertuples()
    ]
    return table


def _counts(replicates):
    random = seeds.rng(7, "replicates", "lung")
    return random.multinomial(replicates, np.full(replicates, 1 / replicates), size=DRAWS)


@pytest.mark.parametrize("lacking", [0.0, 0.1])
def test_ranks_of_a_draw_are_those_of_the_tables(lacking):
    """Of the replicates that are drawn, as often as they are."""
    drawn = _drawn(lacking=lacking)
    found = joint(drawn, TASKS, 7, "lung")
    for draw in (0, 1, DRAWS - 1):
        ranking = ranks(_deltas(drawn, draw), TASKS)
        again = np.repeat(np.arange(3), _counts(3)[draw])
        for (table, task), values in found.ranks.items():
            rows = ranking[(ranking["table"] == table) & (ranking["task"] == task)]
            wide = rows.pivot(index="replicate", columns=["epistemic", "aleatoric"], values="rank")
            expected = wide.loc[again].mean()[CELLS]
            np.testing.assert_allclose(values[draw], expected)
    assert {task for _, task in found.ranks} == {*TASKS, "overall"}


def test_delta_is_averaged_over_the_drawn_replicates():
    drawn = _drawn()
    found = joint(drawn, TASKS, 7, "lung")
    counts = _counts(3)
    for key, values in drawn.delta.items():
        expected = np.einsum("dr,rdc->dc", counts, values) / 3
        np.testing.assert_allclose(found.delta[key], expected)


def test_one_replicate_is_drawn_as_it_is():
    drawn = _drawn(replicates=1)
    found = joint(drawn, TASKS, 7, "lung")
    np.testing.assert_array_equal(found.delta["ambiguity", "id"], drawn.delta["ambiguity", "id"][0])


def test_the_seed_and_the_dataset_decide_the_replicates():
    drawn = _drawn()
    one, same, seed, other = (
        joint(drawn, TASKS, *key).delta["ambiguity", "id"]
        for key in ((0, "lung"), (0, "lung"), (1, "lung"), (0, "eye"))
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, seed)
    assert not np.array_equal(one, other)


def test_a_dataset_without_a_task_has_ranks_of_the_others():
    drawn = _drawn()
    alone = Drawn(
        CELLS, *({k: v for k, v in each.items() if k[0] == "ambiguity"} for each in drawn[1:])
    )
    found = joint(alone, TASKS, 7, "lung")
    np.testing.assert_array_equal(
        found.ranks["performance", "overall"], found.ranks["performance", "ambiguity"]
    )


def test_trainings_that_differ_widen_the_interval_of_images_alone():
    """Images do nothing, but in one of three replicates the first cell is last and not first."""
    values = np.broadcast_to(np.arange(4.0, 0, -1), (3, DRAWS, 4)).copy()
    values[2, :, 0] = 0
    drawn = Drawn(CELLS, {("ambiguity", "id"): values}, {("ambiguity", "id"): values})
    found = joint(drawn, {"ambiguity": TASKS["ambiguity"]}, 0, "lung")
    mean_ranks = found.ranks["entanglement", "overall"][:, 0]
    assert set(np.round(mean_ranks, 9)) == {1, 2, 3, 4}
    assert mean_ranks.mean() == pytest.approx((1 + 1 + 4) / 3, abs=0.1)
    assert np.mean(mean_ranks == 1) == pytest.approx((2 / 3) ** 3, abs=0.05)
    assert interval(mean_ranks) == (1, 4)


def test_intervals_stand_where_there_are_three_replicates_and_the_range_elsewhere():
    drawn = _drawn()
    found = joint(drawn, TASKS, 7, "lung")
    columns = [
        "table",
        "task",
        "dataset",
        "epistemic",
        "aleatoric",
        "mean_rank",
        "low",
        "high",
        "n",
    ]
    summary = pd.DataFrame(
        [
            ("performance", "overall", "lung", *CELLS[1], 2.0, 1.0, 3.0, 3),
            ("performance", "overall", "lung", *CELLS[2], 2.0, 1.25, 2.75, 2),
        ],
        columns=columns,
    )
    table = with_intervals(summary, {"lung": found})
    limits = np.quantile(found.ranks["performance", "overall"][:, 1], [0.025, 0.975])
    assert table.loc[0, ["low", "high"]].tolist() == pytest.approx(limits.tolist())
    assert table.loc[1, ["low", "high"]].tolist() == [1.25, 2.75]


def test_draws_without_a_value_do_not_count():
    assert interval(np.array([np.nan, 1, 1])) == (1, 1)
    assert np.isnan(interval(np.full(3, np.nan))).all()


@pytest.mark.parametrize(("replicates", "share"), [(3, 0.74), (5, 0.84), (10, 0.90)])
def test_intervals_hold_the_truth_as_often_as_the_docs_say(replicates, share):
    """2,000 studies, as cells whose Δ in replicates is N(0, 1): within 3 standard errors."""
    trained = seeds.rng(0, "coverage").normal(size=(replicates, 1, 2000))
    values = np.broadcast_to(trained, (replicates, DRAWS, 2000))
    cells = [(str(i), "ssn") for i in range(2000)]
    found = joint(Drawn(cells, {}, {("ambiguity", "id"): values}), {}, 0, "lung")
    low, high = np.quantile(found.delta["ambiguity", "id"], [0.025, 0.975], axis=0)
    assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(share, abs=0.035)
