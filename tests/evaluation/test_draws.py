"""The file of bootstrap draws."""

import numpy as np
import pandas as pd
import pytest
from handmade import SPLITS, random_split, write_stores

from segue.errors import InputError
from segue.evaluation.draws import draws_beside, read, write
from segue.evaluation.intervals import DRAWS, Compared, weights
from segue.evaluation.maps import write_maps
from segue.evaluation.score import intervals_beside, score

CELL = {"dataset": "d", "aleatoric": "a", "epistemic": "e", "replicate": 3}
WEIGHTS = weights({"id": list("abc"), "val": list("de")}, 0)


def _compared(task, variant, split, start):
    values = np.arange(start, start + DRAWS + 1.0)
    return Compared(task, variant, "border", split, values, -values, "")


def _written(path, drawn=WEIGHTS):
    compared = [_compared("ood", "", "ood", 5), _compared("ambiguity", "b", "id", 7)]
    write(path, CELL, compared, ["a", "b"], drawn)
    return path


def test_a_row_is_found_by_its_key_and_an_empty_variant_is_every_one(tmp_path):
    found = read(_written(tmp_path / "s-draws.npz"))
    assert set(found.rows) == {
        ("a", "ood", "border", "ood"),
        ("b", "ood", "border", "ood"),
        ("b", "ambiguity", "border", "id"),
    }
    assert found.cell == ("d", "a", "e", 3)
    row = found.rows["b", "ambiguity", "border", "id"]
    np.testing.assert_array_equal(found.correct[row], np.arange(8, 8 + DRAWS))
    np.testing.assert_array_equal(found.delta[row], -np.arange(8, 8 + DRAWS))
    np.testing.assert_array_equal(
        found.delta[found.rows["a", "ood", "border", "ood"]], -np.arange(6, 6 + DRAWS)
    )


def test_a_study_that_compares_nothing_has_no_rows(tmp_path):
    write(tmp_path / "a.npz", CELL, [], ["a"], WEIGHTS)
    found = read(tmp_path / "a.npz")
    assert found.rows == {}
    assert found.delta.shape == (0, DRAWS)


def test_equal_draws_have_equal_bytes(tmp_path):
    one, two = (_written(tmp_path / f"{name}.npz") for name in "ab")
    assert one.read_bytes() == two.read_bytes()


def test_the_digest_tells_whether_draws_are_shared(tmp_path):
    same = read(_written(tmp_path / "a.npz", dict(reversed(WEIGHTS.items()))))
    others = [
        weights({"id": list("abc"), "val": list("de")}, 1),
        weights({"id": list("abd"), "val": list("de")}, 0),
        {"id": WEIGHTS["id"]},
    ]
    found = [read(_written(tmp_path / f"{i}.npz", each)).weights for i, each in enumerate(others)]
    assert read(_written(tmp_path / "b.npz")).weights == same.weights
    assert len({same.weights, *found}) == 4


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[: len(content) // 2], id="cut"),
        pytest.param(lambda content: b"no archive", id="other"),
        pytest.param(lambda content: content.replace(b"correct", b"mistake"), id="an array lacks"),
        pytest.param(
            lambda content: content[:20000] + b"\x01" + content[20001:], id="a byte is another"
        ),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, damage):
    path = _written(tmp_path / "s-draws.npz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"s-draws\.npz: expected bootstrap draws, found"):
        read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"scores-draws\.npz: no such file; run the stage score"):
        read(draws_beside(tmp_path / "scores.csv"))


def test_what_needs_unpickling_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, cell="", keys=np.array([{}], object), weights="", correct=0.0, delta=0.0)
    with pytest.raises(InputError, match="expected bootstrap draws"):
        read(path)


def test_scoring_keeps_the_draws_that_the_intervals_are_of(tmp_path):
    stores = write_stores(tmp_path, {name: random_split(name) for name in SPLITS})
    maps, out = tmp_path / "maps.zarr", tmp_path / "scores.csv"
    write_maps(maps, **stores, none_roles="strict", options={})
    key = {"study": "s", "dataset": "d", "aleatoric": "a", "epistemic": "e", "replicate": 0}
    options = {"calibration": {"ace_bins": 5, "platt_bins": 64}, "ambiguity": {}}
    score(
        out,
        dataset=stores["dataset"],
        maps=str(maps),
        key=key,
        variants=["corrected", "paper_code"],
        options=options,
        seed=0,
    )
    found = read(draws_beside(out))
    rows = pd.read_csv(intervals_beside(out), keep_default_na=False)
    rows = rows[rows["metric"] == "delta"]
    assert len(rows) == len(found.rows) == 2 * (2 * 2 + 2)
    for row in rows.itertuples():
        drawn = found.delta[found.rows[row.variant, row.task, row.aggregation, row.split]]
        limits = np.nanquantile(drawn, [0.025, 0.975])
        assert (float(row.low), float(row.high)) == pytest.approx(tuple(limits))
