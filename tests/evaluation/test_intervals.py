import numpy as np
import pandas as pd
import pytest
import xarray as xr
from handmade import SPLITS, random_split
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from segue import plugins, seeds, store
from segue.evaluation.entanglement import Ranked, delta, deltas
from segue.evaluation.intervals import (
    DRAWS,
    Draws,
    compared,
    draw,
    intervals,
    units,
    weights,
)
from segue.evaluation.task import Score
from segue.evaluation.tasks import ambiguity, calibration, ood
from segue.evaluation.variants import CORRECTED, PAPER_CODE

SHARED = {"id": ["a", "b", "b", "c"], "ood_blur": ["a", "b", "b", "c"]}


def _intervals(task, draws):
    return intervals(task, draws, compared(task, draws))


def _rows(task, scores, drawn):
    rows = list(_intervals(task, [draw(score, drawn) for score in scores]))
    keys = ("variant", "metric", "split", "measure", "aggregation")
    found = {tuple(row[key] for key in keys): row for row in rows}
    assert len(found) == len(rows)
    return found


def _stored(**coordinates):
    labels = {"labels": ("image", np.zeros(3))}
    return xr.Dataset(labels, {name: ("image", values) for name, values in coordinates.items()})


@pytest.mark.parametrize(
    ("coordinates", "groups"),
    [
        pytest.param({"patient": ["p", "q", "p"], "name": ["1", "2", "3"]}, "aba", id="patients"),
        pytest.param({"patient": [7, 8, 7]}, "aba", id="numbers"),
        pytest.param({"name": ["1", "2", "3"]}, "abc", id="names"),
        pytest.param({"name": ["1", "1", "3"]}, "abc", id="equal names are not one image"),
        pytest.param({}, "abc", id="nothing"),
        pytest.param({"patient": ["", "q", ""]}, "abc", id="empty"),
        pytest.param({"patient": [np.nan, 8, np.nan]}, "abc", id="NaN"),
        pytest.param({"patient": [-1, 8, -1]}, "abc", id="a negative number"),
        pytest.param({"patient": [b"", b"q", b"q"]}, "abb", id="bytes"),
        pytest.param({"patient": np.array([1, 1.0, "1"], object)}, "aaa", id="mixed"),
        pytest.param({"patient": np.array([None, "p", None], object)}, "abc", id="None"),
    ],
)
def test_patients_are_drawn_where_they_are_known_else_images(coordinates, groups):
    found = units(_stored(**coordinates), "id")
    letters = dict(zip(dict.fromkeys(found), "abc", strict=False))
    assert "".join(letters[unit] for unit in found) == groups


def test_a_patient_is_the_same_as_an_integer_and_where_others_lack():
    whole, lacking = np.array([3, 4, 5]), np.array([3, np.nan, 5])
    one, other = units(_stored(patient=whole), "id"), units(_stored(patient=lacking), "ood_x")
    assert [a == b for a, b in zip(one, other, strict=True)] == [True, False, True]


def test_images_are_matched_across_splits_by_their_names_where_patients_lack():
    names = ["x", "y", "x"]
    stored = _stored(name=names, patient=["", "p", ""])
    assert units(stored, "id") == units(stored, "ood_x")
    nameless = _stored(name=["", "y", ""])
    one, other = units(nameless, "id"), units(nameless, "ood_x")
    assert [a == b for a, b in zip(one, other, strict=True)] == [False, True, False]


def test_a_patient_is_not_an_image_of_the_same_name():
    assert not set(units(_stored(patient=["x", "y", "z"]), "id")) & set(
        units(_stored(name=["x", "y", "z"]), "id")
    )


def test_a_cf_fill_value_is_no_patient(tmp_path):
    split = _stored(patient=np.array([9, 9, 4]))
    split["patient"].encoding["_FillValue"] = 9
    split.to_zarr(tmp_path / "a.zarr", group="id", zarr_format=3, consolidated=False)
    found = units(store.open_split(tmp_path / "a.zarr", "id"), "id")
    assert len(set(found)) == 3
    assert found[2] == "patient 4"


def test_patients_count_where_another_program_did_not_make_them_a_coordinate():
    split = _stored(patient=["p", "q", "p"])
    assert units(split.reset_coords("patient"), "id") == units(split, "id")


def test_images_of_a_patient_are_drawn_together_in_every_split():
    drawn = weights(SHARED, 0)
    np.testing.assert_array_equal(drawn["id"], drawn["ood_blur"])
    np.testing.assert_array_equal(drawn["id"][:, 1], drawn["id"][:, 2])
    assert drawn["id"].shape == (DRAWS, 4)
    patients = drawn["id"][:, [0, 1, 3]]
    assert (patients.sum(axis=1) == 3).all()
    assert (np.std(patients, axis=0) > 0).all()


def test_splits_of_other_patients_are_drawn_apart_and_never_empty():
    drawn = weights({"id": ["a", "b", "c"], "ood_camera": ["d", "e"], "val": ["f"]}, 0)
    assert (drawn["id"].sum(axis=1) == 3).all()
    assert (drawn["ood_camera"].sum(axis=1) == 2).all()
    assert (drawn["val"] == 1).all()
    correlation = np.corrcoef(drawn["id"][:, 0], drawn["ood_camera"][:, 0])[0, 1]
    assert abs(correlation) < 4 / np.sqrt(DRAWS)


def test_draws_depend_on_the_seed_and_on_what_is_drawn_alone():
    turned = dict(reversed(SHARED.items()))
    others = {split: [f"{name}'" for name in names] for split, names in SHARED.items()}
    one, same, seed, other = (
        weights(*key)["id"] for key in ((SHARED, 0), (turned, 0), (SHARED, 1), (others, 0))
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, seed)
    assert not np.array_equal(one, other)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    """Mean ± 1.96·s/√n, within the noise of 1000 draws."""
    values = seeds.rng(0, "values").normal(3, 2, 400)
    drawn = weights({"id": [str(i) for i in range(400)]}, 0)
    row = _rows("segmentation", [Score("dice", "id", values)], drawn)["", "dice", "id", "", ""]
    low, high = norm.interval(0.95, values.mean(), values.std() / np.sqrt(400))
    assert row["value"] == pytest.approx(values.mean())
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.05)


def test_images_of_one_patient_count_as_one():
    """Ten copies of each image say no more than one: the interval is not √10 narrower."""
    values = seeds.rng(0, "values").normal(0, 1, 40)
    names = [str(i) for i in range(40)]
    one, copies = (
        _rows("segmentation", [Score("dice", "id", v)], weights({"id": n}, 0))
        for v, n in ((values, names), (values.repeat(10), [n for n in names for _ in range(10)]))
    )
    ((_, first),), ((_, second),) = one.items(), copies.items()
    for limit in ("value", "low", "high"):
        assert second[limit] == pytest.approx(first[limit], abs=1e-6)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """100 samples of 30 from N(0, 1): 95 ± 3·√(95·.05) of the intervals hold 0; a few less here."""
    values = seeds.rng(1, "samples").normal(size=(100, 30))
    drawn = weights({"id": [str(i) for i in range(30)]}, 0)
    limits = [
        next(_intervals("segmentation", [draw(Score("dice", "id", v), drawn)])) for v in values
    ]
    covered = sum(row["low"] < 0 < row["high"] for row in limits)
    assert 86 <= covered <= 100


def test_a_single_patient_says_nothing_of_others():
    drawn = weights({"id": ["a", "a", "a"], "val": ["b", "c"]}, 0)
    rows = _rows("segmentation", [Score("dice", "id", np.array([0.1, 0.2, 0.3]))], drawn)
    row = rows["", "dice", "id", "", ""]
    assert row["value"] == pytest.approx(0.2)
    assert np.isnan([row["low"], row["high"]]).all()


def test_a_single_number_that_cannot_be_reweighted_has_no_interval():
    drawn = weights(SHARED, 0)
    row = _rows("failure", [Score("aurc", "id", 0.3)], drawn)["", "aurc", "id", "", ""]
    assert row["value"] == 0.3
    assert np.isnan([row["low"], row["high"]]).all()


def test_an_image_without_a_score_does_not_count():
    values = seeds.rng(0, "values").normal(size=40)
    holes, defined = values.copy(), np.arange(40) % 4 > 0
    holes[~defined] = np.nan
    drawn = weights({"id": [str(i) for i in range(40)]}, 0)
    score = Score("dice", "id", holes, defined=defined)
    (row,) = _rows("segmentation", [score], drawn).values()
    each = drawn["id"][:, defined]
    expected = each @ values[defined] / each.sum(axis=1)
    assert row["value"] == pytest.approx(values[defined].mean())
    assert (row["low"], row["high"]) == pytest.approx(np.quantile(expected, [0.025, 0.975]))
    assert (row["images"], row["reason"]) == (30, "")


def test_draws_without_a_score_do_not_count():
    score = Score("dice", "id", np.array([0.25, np.nan]), defined=np.array([True, False]))
    drawn = {"id": np.array([[1.0, 1], [2, 0], [0, 2]])}
    np.testing.assert_array_equal(score.weighted(drawn), [0.25, 0.25, np.nan])
    two = Score("dice", "id", np.array([0, 1, np.nan]), defined=np.array([True, True, False]))
    (row,) = _rows("segmentation", [two], weights({"id": list("abc")}, 0)).values()
    assert (row["value"], row["low"], row["high"]) == (0.5, 0, 1)


def test_an_undefined_score_has_no_interval_and_no_delta_but_a_reason():
    nothing = np.full(DRAWS + 1, np.nan)
    drawn = [Draws("", "ncc", "id", m, "", nothing, 0, "one rater") for m in ("TU", "AU", "EU")]
    found = list(_intervals("ambiguity", drawn))
    assert [row["metric"] for row in found] == ["ncc", "ncc", "ncc", "delta"]
    for row in found:
        assert np.isnan([row["value"], row["low"], row["high"]]).all()
        assert row["reason"] == "one rater"


def test_a_split_that_is_neither_id_nor_ood_has_no_delta():
    drawn = [Draws("", "ncc", "test", m, "", np.ones(DRAWS + 1)) for m in ("TU", "AU", "EU")]
    assert [row["metric"] for row in _intervals("ambiguity", drawn)] == ["ncc"] * 3


def _delta_by_hand(hib, correct, wrong, group):
    """Δ of every draw from draws of the measures, (split, measure) -> values."""
    best = np.maximum if hib else np.minimum
    means = [
        np.mean([best.reduce([group[s, m] for m in each]) for s in ("ood_a", "ood_b")], axis=0)
        for each in ([correct], wrong)
    ]
    return delta(*means, hib)


@pytest.mark.parametrize(
    ("task", "metric", "how", "correct", "wrong", "hib"),
    [
        ("ood", "auroc", "border", "EU", ["AU"], True),
        ("ambiguity", "ncc", "", "AU", ["EU"], True),
        ("calibration", "ace", "pooled", "TU", ["AU", "EU"], False),
    ],
)
def test_delta_is_that_of_the_measures_in_the_same_draw(task, metric, how, correct, wrong, hib):
    random = seeds.rng(0, task)
    drawn = [
        Draws("", metric, split, measure, how, random.uniform(0.1, 0.9, DRAWS + 1))
        for split in ("ood_a", "ood_b")
        for measure in ("TU", "AU", "EU")
    ]
    group = {(d.split, d.measure): d.values for d in drawn}
    expected = _delta_by_hand(hib, correct, wrong, group)
    (row,) = [row for row in _intervals(task, drawn) if row["metric"] == "delta"]
    assert (row["split"], row["aggregation"], row["measure"]) == ("ood", how, "")
    assert row["value"] == pytest.approx(expected[0])
    limits = np.quantile(expected[1:], [0.025, 0.975])
    assert (row["low"], row["high"]) == pytest.approx(tuple(limits))
    (kept,) = compared(task, drawn)
    right = np.mean([group[split, correct] for split in ("ood_a", "ood_b")], axis=0)
    np.testing.assert_allclose(kept.correct, right)
    np.testing.assert_allclose(kept.delta, expected)


@pytest.mark.parametrize("task", ["ambiguity", "calibration"])
def test_delta_in_draws_is_that_of_the_tables_in_each_draw(task):
    """Draws in the place of replicates; a tenth of the scores is undefined, each in other draws."""
    contract, random = plugins.load("tasks", task).TASK, seeds.rng(0, "undefined", task)
    values = random.uniform(size=(9, DRAWS + 1))
    values[random.uniform(size=values.shape) < 0.1] = np.nan
    keys = [(split, m) for split in ("ood_b", "id", "ood_a") for m in ("TU", "AU", "EU")]
    how = contract.aggregations[0]
    drawn = [
        Draws("", contract.metric, split, measure, how, each)
        for (split, measure), each in zip(keys, values, strict=True)
    ]
    rows = pd.DataFrame(values.T, columns=pd.MultiIndex.from_tuples(keys)).melt(
        ignore_index=False, var_name=["split", "measure"], value_name="score"
    )
    rows = rows.reset_index(names="replicate").assign(
        dataset="", aleatoric="", epistemic="", task=task, metric=contract.metric, aggregation=how
    )
    expected = deltas(rows, {task: Ranked(contract, how)}).set_index("replicate")
    found = compared(task, drawn)
    assert {each.split for each in found} == {"id", "ood"}
    for each in found:
        table = expected[expected["split"] == each.split].sort_index()
        assert 0 < np.isnan(each.delta).sum() < DRAWS
        np.testing.assert_array_equal(each.delta, table["delta"])
        np.testing.assert_array_equal(each.correct, table["correct"])


@pytest.fixture(scope="module")
def splits():
    return {name: random_split(name, images=12) for name in SPLITS}


@pytest.fixture(scope="module")
def drawn(splits):
    names = {name: [f"{name == 'val'} {i}" for i in range(12)] for name in splits}
    return weights(names, 0)


def test_every_score_and_every_delta_has_an_interval(splits, drawn):
    both = [CORRECTED, PAPER_CODE]
    found = {
        "ood": _rows("ood", ood.score(splits, both, patch=5), drawn),
        "ambiguity": _rows("ambiguity", ambiguity.score(splits, both), drawn),
        "calibration": _rows(
            "calibration", calibration.score(splits, both, ace_bins=5, platt_bins=64), drawn
        ),
    }
    for row in (row for rows in found.values() for row in rows.values()):
        assert row["low"] <= row["high"]
    variants = {task: {v for v, *_ in rows} for task, rows in found.items()}
    assert variants == {
        "ood": {"", *(v.name for v in both)},
        "ambiguity": {v.name for v in both},
        "calibration": {v.name for v in both},
    }
    assert {s for _, m, s, *_ in found["ood"] if m == "delta"} == {"ood"}
    assert {s for _, m, s, *_ in found["calibration"] if m == "delta"} == {"id", "ood"}
    assert ("", "auroc", "ood_blur", "EU", "mean") in found["ood"]
    assert ("corrected", "auroc", "ood_blur", "EU", "border") in found["ood"]
    assert ("corrected", "ace", "id", "TU", "pooled") in found["calibration"]
    assert ("paper_code", "delta", "id", "", "pooled") in found["calibration"]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_limits_lie_within_the_values_of_the_images(values):
    names = {"id": [str(i) for i in range(len(values))]}
    score = Score("dice", "id", np.array(values))
    (row,) = _intervals("segmentation", [draw(score, weights(names, 0))])
    assert min(values) - 1e-6 <= row["low"] <= row["high"] <= max(values) + 1e-6
