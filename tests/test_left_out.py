import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from segue import store
from segue.errors import InputError
from segue.left_out import COMPLEMENT, SUM, LeftOut

RNG = np.random.default_rng(0)
PROBS = RNG.integers(0, 2**8, (5, 2, 3, 4, 6)) / 2**10  # no half or sum of them is rounded
MAPS = RNG.integers(0, 2**8, (5, 2, 4, 6)) / 2**8
DIMS = ("image", "eu_sample", "class", "y", "x")


def _with_first(rest, axis, value):
    total = rest.sum(axis=axis, keepdims=True)
    first = 1 - total if value == COMPLEMENT else total
    return np.concatenate([first, rest], axis=axis).astype(np.float32)


@pytest.fixture
def path(tmp_path) -> Path:
    """Four classes, and TU, AU and EU; of both the first is not stored."""
    with store.publish(tmp_path / "s.zarr") as new:
        store.describe(new, {})
        for name, names, values, value in (
            ("probs", DIMS, _with_first(PROBS, 2, COMPLEMENT), COMPLEMENT),
            ("maps", ("image", "measure", "y", "x"), _with_first(MAPS, 1, SUM), SUM),
        ):
            array = store.create(
                new,
                "id",
                name,
                names,
                values.shape,
                "float32",
                chunk=2,
                shard=4,
                without=value,
                stored_as="float16" if name == "probs" else None,
            )
            array[:] = values
    return tmp_path / "s.zarr"


def test_all_of_an_array_is_shown_by_the_store_and_by_xarray_alone(path):
    alone = xr.open_zarr(path / "id", consolidated=False)
    for opened in (store.open_split(path, "id"), alone):
        np.testing.assert_array_equal(opened["probs"], _with_first(PROBS, 2, COMPLEMENT))
        np.testing.assert_array_equal(opened["maps"], _with_first(MAPS, 1, SUM))
    assert store.arrays(path, "id")["probs"].shape == (5, 2, 4, 4, 6)


def test_xarray_finds_the_codec_where_nobody_imported_segue(path):
    code = (
        "import sys, xarray as xr; "
        f"print(float(xr.open_zarr({str(path / 'id')!r}, consolidated=False)['probs'].sum()))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert float(said.stdout) == 5 * 2 * 4 * 6


def test_what_is_left_out_takes_no_bytes(path):
    def size(array):
        return sum(file.stat().st_size for file in (path / "id" / array).rglob("*"))

    whole = path.parent / "whole.zarr"
    zarr.save_array(whole, _with_first(PROBS, 2, COMPLEMENT), zarr_format=3)
    chunk = PROBS[:2, :1].astype(np.float16).nbytes
    assert zarr.open_array(path / "id/probs").nbytes == 5 * 2 * 4 * 4 * 6 * 4
    with zarr.config.set({"array.write_empty_chunks": True}):
        codec = LeftOut(2, COMPLEMENT, "float16")
        array = zarr.create_array(
            path.parent / "plain.zarr",
            shape=(2, 1, 4, 4, 6),
            dtype="float32",
            filters=[codec],
            compressors=None,
        )
        array[:] = _with_first(PROBS, 2, COMPLEMENT)[:2, :1]
    (file,) = (path.parent / "plain.zarr/c").rglob("[0-9]*/*/*/*/0")
    assert file.stat().st_size == chunk


def _index(rng, length):
    kind = rng.integers(4)
    if kind == 0:
        return int(rng.integers(-length, length))
    if kind == 1:
        return slice(None)
    if kind == 2:
        return slice(int(rng.integers(length)), None, int(rng.integers(1, 3)))
    return rng.choice(length, rng.integers(1, length + 1), replace=False)


@pytest.mark.parametrize("seed", range(20))
def test_any_index_reads_what_the_whole_array_has_there(path, seed):
    rng = np.random.default_rng(seed)
    opened = store.open_split(path, "id")
    for name in ("probs", "maps"):
        index = {dim: _index(rng, length) for dim, length in opened[name].sizes.items()}
        xr.testing.assert_equal(opened[name].isel(index).load(), opened[name].load().isel(index))


def test_a_probability_is_not_below_0_where_rounding_leaves_less(tmp_path):
    array = store.create(
        tmp_path, "id", "p", ("image", "class", "y", "x"), (1, 3, 1, 1), "float32", chunk=1,
        without=COMPLEMENT, stored_as="float16",
    )  # fmt: skip
    array[:] = np.array([0, 0.75, 0.2502]).reshape(1, 3, 1, 1)
    assert array[0, 0, 0, 0] == 0
    assert array[:].sum() > 1


def test_unwritten_is_not_a_number(tmp_path):
    sizes = (2, 2, 1, 1)
    array = store.create(
        tmp_path, "id", "p", ("image", "class", "y", "x"), sizes, "float32", chunk=1, fill=np.nan,
        without=COMPLEMENT, stored_as="float16",
    )  # fmt: skip
    array[0] = 0.5
    assert np.isnan(array[1]).all()
    assert not np.isnan(array[0]).any()


def test_an_array_whose_others_do_not_tell_the_first_one_is_not_written(path, tmp_path):
    opened = xr.open_zarr(path / "id", consolidated=False)[["probs"]].load()
    turned = opened.transpose("class", "eu_sample", "image", "y", "x")
    for name, split in (("turned", turned), ("other", opened * 0 + 0.9)):
        split["probs"].encoding = opened["probs"].encoding
        with pytest.raises(ValueError, match=r"write the array without this filter"):
            split.to_zarr(tmp_path / f"{name}.zarr", consolidated=False, zarr_format=3)
    # What the store's own reader gives has no filter to hand on.
    read = store.open_split(path, "id")[["probs"]].load().transpose("class", ...)
    read["probs"].encoding.clear()
    read.to_zarr(tmp_path / "again.zarr", consolidated=False, zarr_format=3)
    again = xr.open_zarr(tmp_path / "again.zarr", consolidated=False)["probs"]
    xr.testing.assert_equal(again.load(), read["probs"])


def test_a_way_to_tell_that_there_is_not_is_named(path):
    shutil.copytree(path, other := path.parent / "other.zarr")
    file = other / "id/maps/zarr.json"
    content = json.loads(file.read_text())
    text = json.dumps(content).replace(SUM, "the product of the others")
    assert text != json.dumps(content)
    file.write_text(text)
    with pytest.raises(InputError, match=r"id/maps/zarr\.json"):
        store.open_split(other, "id")


@pytest.mark.parametrize(("name", "axis", "dtype"), [("probs", 2, "f2"), ("maps", 1, "f4")])
def test_what_is_stored_can_be_read_alone(path, name, axis, dtype):
    stored = store.as_stored(path, "id", name)
    assert stored.dtype == dtype
    assert stored.dims == store.open_split(path, "id")[name].dims
    expected = store.open_split(path, "id")[name].values.take([1, 2, 3][: stored.shape[axis]], axis)
    np.testing.assert_array_equal(stored.values, expected)
    assert stored.encoding["chunks"][0] == 2
    np.testing.assert_array_equal(
        stored.isel(image=[4, 1], y=slice(1, 3)).values, expected[[4, 1], ..., 1:3, :]
    )


def test_an_array_that_is_stored_whole_has_nothing_left_out(tmp_path):
    with store.publish(tmp_path / "s.zarr") as new:
        store.describe(new, {})
        store.create(new, "id", "labels", ("image", "y"), (3, 4), "uint8", chunk=2)[:] = 1
    assert store.as_stored(tmp_path / "s.zarr", "id", "labels") is None
    second = zarr.create_array(
        tmp_path / "s.zarr/id/second", shape=(3,), dtype="f4", zarr_format=2, chunks=(3,)
    )
    second[:] = 1
    assert store.as_stored(tmp_path / "s.zarr", "id", "second") is None


def test_damage_to_what_is_stored_is_named(path):
    (chunk, *_) = (file for file in (path / "id/probs/c").rglob("*") if file.is_file())
    content = bytearray(chunk.read_bytes())
    content[10] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(InputError, match=f"probs/{chunk.relative_to(path / 'id/probs')}.*cannot"):
        store.as_stored(path, "id", "probs").load()


def test_bytes_are_sorted_by_the_size_of_what_is_stored(path):
    for name, size in (("probs", 2), ("maps", 4)):
        (sharding,) = json.loads((path / f"id/{name}/zarr.json").read_text())["codecs"]
        blosc = next(c for c in sharding["configuration"]["codecs"] if c["name"] == "blosc")
        assert blosc["configuration"]["typesize"] == size
