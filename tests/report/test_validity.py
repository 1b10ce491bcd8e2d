"""Practical Δ against Δ of the truth."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from segue import seeds
from segue.report.joint import Joint
from segue.report.validity import COLUMNS, validity

CELLS = [(e, a) for e in ("none", "swag", "ensemble") for a in ("ssn", "diffusion")]
ORDER = np.array([0.1, 0.5, 0.2, 0.4, 0.3, 0.6])


def _study(values, replicates=2, cells=CELLS, noise=0.0):
    """Δ and joint draws of (task, split) -> Δ of each cell; replicates differ, their mean is it."""
    rows = [
        ("corrected", "phantom", a, e, replicate, *key, value + 0.1 * (2 * replicate - 1))
        for key, each in values.items()
        for (e, a), value in zip(cells, each, strict=True)
        for replicate in range(replicates)
    ]
    columns = ["variant", "dataset", "aleatoric", "epistemic", "replicate", "task", "split"]
    random = seeds.rng(0, "validity")
    drawn = {
        key: np.asarray(each) + random.normal(0, noise, (400, len(cells)))
        for key, each in values.items()
    }
    joints = {("corrected", "phantom"): Joint(cells, {}, drawn)}
    return pd.DataFrame(rows, columns=[*columns, "delta"]), joints


def test_each_practical_task_is_compared_with_each_truth_on_the_same_split():
    values = {
        ("ood", "ood"): ORDER,
        ("ambiguity", "id"): ORDER,
        ("ambiguity", "ood"): -ORDER,
        ("truth_aleatoric", "id"): ORDER**3,
        ("truth_aleatoric", "ood"): np.exp(ORDER),
        ("truth_epistemic", "ood"): ORDER[::-1],
    }
    table = validity(*_study(values))
    assert tuple(table.columns) == COLUMNS
    found = table.set_index(["task", "split", "truth"])
    backwards = spearmanr(ORDER, ORDER[::-1]).statistic
    assert found["spearman"].to_dict() == pytest.approx(
        {
            ("ood", "ood", "truth_aleatoric"): 1,
            ("ood", "ood", "truth_epistemic"): backwards,
            ("ambiguity", "id", "truth_aleatoric"): 1,
            ("ambiguity", "ood", "truth_aleatoric"): -1,
            ("ambiguity", "ood", "truth_epistemic"): -backwards,
        }
    )
    assert (found["low"] == found["high"]).all()
    assert set(found["cells"]) == {6}
    assert set(found["note"]) == {""}


def test_the_interval_is_that_of_the_joint_draws():
    values = {("ood", "ood"): ORDER, ("truth_aleatoric", "ood"): ORDER}
    deltas, joints = _study(values, noise=0.1)
    row = validity(deltas, joints).iloc[0]
    drawn = joints["corrected", "phantom"].delta
    pairs = zip(drawn["ood", "ood"], drawn["truth_aleatoric", "ood"], strict=True)
    expected = np.quantile([spearmanr(*pair).statistic for pair in pairs], [0.025, 0.975])
    assert (row["low"], row["high"]) == pytest.approx(tuple(expected))
    assert row["low"] < 0.9 < row["spearman"] == 1


def test_cells_without_a_delta_are_left_out_and_too_few_have_a_note():
    some = np.where(np.arange(6) < 4, ORDER, np.nan)
    few = np.where(np.arange(6) < 3, ORDER, np.nan)
    equal = np.ones(6)
    values = {("ood", "ood"): some, ("ambiguity", "ood"): few, ("calibration", "ood"): equal}
    found = validity(*_study(values | {("truth_aleatoric", "ood"): ORDER})).set_index("task")
    assert found["cells"].tolist() == [4, 3, 6]
    assert found.loc["ood", "spearman"] == pytest.approx(1)
    assert found.loc[["ambiguity", "calibration"], "spearman"].isna().all()
    assert found["note"].tolist() == [
        *("", "fewer than 4 cells have both Δ", "all cells have the same Δ")
    ]


def test_a_dataset_without_truth_has_no_row():
    assert validity(*_study({("ood", "ood"): ORDER})).empty
