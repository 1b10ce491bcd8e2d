import numpy as np
import pytest
import xarray as xr
from handmade import random_split, write_stores

from segue import blocks as module
from segue import store
from segue.blocks import block_size, blocks


@pytest.fixture
def stored(tmp_path):
    """A split on disk of 11 images, 4 a chunk; each is 2·3·2·12·12 probabilities."""
    write_stores(tmp_path, {"id": random_split("id", images=11)})
    return store.open_split(tmp_path / "samples.zarr", "id")


def _working_size(monkeypatch, images):
    monkeypatch.setattr(module, "_WORKING", images * 4 * 2 * 3 * 2 * 12 * 12)


@pytest.mark.parametrize(("fitting", "size"), [(1, 1), (3, 2), (4, 4), (7, 4), (9, 8), (100, 100)])
def test_blocks_are_multiples_or_divisors_of_the_chunk(stored, monkeypatch, fitting, size):
    _working_size(monkeypatch, fitting)
    assert block_size(stored, "probs") == size


@pytest.mark.parametrize("fitting", [1, 3, 4, 9, 100])
def test_blocks_together_are_the_split(stored, monkeypatch, fitting):
    split = stored
    _working_size(monkeypatch, fitting)
    found = list(blocks(split, "probs"))
    assert {block.sizes["image"] for block in found[:-1]} <= {block_size(split, "probs")}
    joined = xr.concat(found, dim="image")["probs"]
    np.testing.assert_array_equal(joined.values, split["probs"].values)


def test_only_the_variables_asked_for_are_loaded(stored):
    (block,) = blocks(stored, "probs")
    assert set(block.variables) == {"probs"}


def test_chunks_too_large_to_keep_are_read_in_parts(stored, monkeypatch):
    _working_size(monkeypatch, 2)
    monkeypatch.setattr(module, "_LOADED", 1)
    sizes = [block.sizes["image"] for block in blocks(stored, "probs")]
    assert sizes == [2, 2, 2, 2, 2, 1]


@pytest.mark.parametrize("kept", [1, 2, 3, 4, 100])
def test_as_many_images_of_a_chunk_are_kept_as_fit(stored, monkeypatch, kept):
    _working_size(monkeypatch, 1)
    monkeypatch.setattr(module, "_LOADED", kept * 2 * 2 * 3 * 2 * 12 * 12)  # bytes of float16
    loads = []
    whole = store.blocks
    monkeypatch.setattr(store, "blocks", lambda part, size: loads.append(size) or whole(part, size))
    sizes = [block.sizes["image"] for block in blocks(stored, "probs")]
    assert sizes == [1] * 11
    assert loads[0] == min(kept, 4)


def test_the_largest_variable_decides_about_chunks():
    def array(images, size, chunk):
        found = xr.DataArray(np.zeros((images, size)), dims=("image", f"pixel{size}"))
        found.encoding["chunks"] = (chunk, size)
        return found

    split = xr.Dataset({"labels": array(64, 1, 64), "probs": array(64, 2**20, 4)})
    assert block_size(split, "labels", "probs") == 4
