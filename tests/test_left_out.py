from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from segue import left_out, store

RNG = np.random.default_rng(0)
SHAPE = (5, 2, 3, 4, 6)  # image, eu_sample, class as it is stored, y, x
DIMS = ("image", "eu_sample", "class", "y", "x")


@pytest.fixture
def path(tmp_path) -> Path:
    """Three of four classes, and AU and EU of TU, AU and EU; no float32 is rounded in a sum."""
    with store.publish(tmp_path / "s.zarr") as new:
        store.describe(new, {})
        values = RNG.integers(0, 2**8, SHAPE) / 2**10
        _write(new, "probs", DIMS, values.astype(np.float16), left_out.CLASS)
        maps = RNG.integers(0, 2**8, (5, 2, 4, 6)) / 2**8
        names = ("image", "measure", "y", "x")
        _write(new, "maps", names, maps.astype(np.float32), left_out.TOTAL)
        _write(new, "image", ("image",), np.arange(5.0), None)
        store.coordinate(new, "id", "class", "class", np.arange(1, 4))
        store.coordinate(new, "id", "measure", "measure", ["AU", "EU"])
        store.coordinate(new, "id", "name", "image", list("abcde"))
    return tmp_path / "s.zarr"


def _write(new, name, names, values, without):
    array = store.create(
        new, "id", name, names, values.shape, str(values.dtype), chunk=2, shard=4, without=without
    )
    array[:] = values


def test_what_is_left_out_is_told_by_the_others(path):
    raw, whole = (store.open_split(path, "id", as_stored=s).load() for s in (True, False))
    assert raw["probs"].shape == SHAPE
    assert whole["probs"].shape == (5, 2, 4, 4, 6)
    assert whole["probs"].dtype == np.float32
    np.testing.assert_array_equal(whole["probs"][:, :, 1:], raw["probs"])
    np.testing.assert_array_equal(whole["probs"].sum("class"), 1)
    np.testing.assert_array_equal(whole["maps"].sel(measure="TU"), raw["maps"].sum("measure"))
    assert whole["class"].values.tolist() == [0, 1, 2, 3]
    assert whole["measure"].values.tolist() == ["TU", "AU", "EU"]
    assert whole["name"].values.tolist() == list("abcde")
    np.testing.assert_array_equal(whole["image"], np.arange(5))


def test_arrays_are_told_whole_and_zarr_alone_says_what_is_missing(path):
    assert store.arrays(path, "id")["probs"].shape == (5, 2, 4, 4, 6)
    assert store.arrays(path, "id")["maps"].shape == (5, 3, 4, 6)
    alone = xr.open_zarr(path / "id", consolidated=False)
    assert alone["probs"].attrs["left_out"]["value"] == "1 - the sum of the others"
    assert alone["maps"].attrs["left_out"] == left_out.TOTAL._asdict()
    assert alone["maps"]["measure"].values.tolist() == ["AU", "EU"]


def _index(rng, length):
    kind = rng.integers(4)
    if kind == 0:
        return int(rng.integers(-length, length))
    if kind == 1:
        return slice(None)
    if kind == 2:
        return slice(int(rng.integers(length)), None, int(rng.integers(1, 3)))
    return rng.choice(length, rng.integers(1, length + 1), replace=False)


@pytest.mark.parametrize("seed", range(25))
def test_any_index_reads_what_the_whole_array_has_there(path, seed):
    rng = np.random.default_rng(seed)
    opened = store.open_split(path, "id")
    for name in ("probs", "maps"):
        index = {dim: _index(rng, length) for dim, length in opened[name].sizes.items()}
        xr.testing.assert_identical(
            opened[name].isel(index).load(), opened[name].load().isel(index)
        )
    twice = opened["probs"].isel(y=slice(1, 3)).isel({"class": [0, 2], "image": 1})
    expected = opened["probs"].load()[1, :, [0, 2], 1:3]
    np.testing.assert_array_equal(twice, expected)


def test_a_probability_is_not_below_0_where_rounding_leaves_less():
    rest = np.array([[0.75, 0.2502]], np.float16)
    assert left_out.first(rest, left_out.CLASS.value, 1).tolist() == [[0.0]]
    assert left_out.first(rest[:, :1], left_out.CLASS.value, 1).tolist() == [[0.25]]


@pytest.mark.parametrize("said", [{"dim": "class"}, {"dim": "y", "label": 0, "value": "x"}, 7, "x"])
def test_another_programs_attribute_of_that_name_means_nothing(tmp_path, said):
    group = zarr.open_group(tmp_path / "s.zarr", mode="w", zarr_format=3).create_group("id")
    group.create_array(
        "probs",
        data=np.ones((2, 3)),
        dimension_names=("image", "class"),
        attributes={"left_out": said},
    )
    assert store.open_split(tmp_path / "s.zarr", "id")["probs"].shape == (2, 3)
    assert store.arrays(tmp_path / "s.zarr", "id")["probs"].shape == (2, 3)
