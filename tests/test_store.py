import numpy as np
import pytest
import xarray as xr
import zarr

from segue import dims, store
from segue.errors import InputError


def write(path, images=5, chunk=2):
    with store.publish(path) as new:
        store.describe(new, {"classes": 2})
        shape = (images, 2, 3, 2, 4, 4)
        probs = store.create(
            new, "id", "probs", dims.SAMPLES, shape, "float16", chunk=chunk, fill=np.nan
        )
        probs[:] = (
            np.random.default_rng(0)
            .dirichlet([1, 1], (images, 2, 3, 4, 4))
            .transpose(0, 1, 2, 5, 3, 4)
        )
        store.coordinate(new, "id", "patient", "image", [f"patient {i}" for i in range(images)])


def test_xarray_opens_a_store_with_named_dimensions_and_coordinates(tmp_path):
    write(tmp_path / "s.zarr")
    opened = xr.open_zarr(tmp_path / "s.zarr", group="id", consolidated=False, chunks=None)
    assert opened["probs"].dims == dims.SAMPLES
    assert opened["probs"].dtype == np.float16
    assert list(opened["patient"].values[:2]) == ["patient 0", "patient 1"]
    assert store.attributes(tmp_path / "s.zarr") == {"classes": 2}


def test_hypotheses_lie_in_chunks_of_their_own(tmp_path):
    write(tmp_path / "s.zarr", images=5, chunk=2)
    files = [p for p in (tmp_path / "s.zarr/id/probs/c").rglob("*") if p.is_file()]
    assert len(files) == 3 * 2


def test_a_store_with_a_missing_chunk_is_not_published(tmp_path):
    def write_half():
        with store.publish(tmp_path / "s.zarr") as new:
            array = store.create(new, "id", "image", dims.IMAGE, (4, 1, 2, 2), "float32", chunk=2)
            array[:2] = 1

    with pytest.raises(InputError, match="1 of 2 chunks are missing"):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_chunk_lost_later_is_found_when_the_split_is_opened(tmp_path):
    write(tmp_path / "s.zarr")
    (tmp_path / "s.zarr/id/probs/c/0/1/0/0/0/0").unlink()
    with pytest.raises(InputError, match=r"id/probs: 1 of 6 chunks"):
        store.open_split(tmp_path / "s.zarr", "id")


def test_failure_keeps_a_given_work_store_and_removes_any_other(tmp_path):
    def fail(work):
        with store.publish(tmp_path / "s.zarr", work) as new:
            store.create(new, "id", "image", dims.IMAGE, (4, 1, 2, 2), "float32", chunk=2)[:2] = 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail(None)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt):
        fail(tmp_path / "work" / "s.zarr")
    assert (tmp_path / "work" / "s.zarr").exists()
    assert not (tmp_path / "s.zarr").exists()


def test_nothing_is_overwritten(tmp_path):
    write(tmp_path / "s.zarr")
    with pytest.raises(InputError, match="exists already"):
        write(tmp_path / "s.zarr")


def test_missing_stores_and_splits_are_named(tmp_path):
    write(tmp_path / "s.zarr")
    with pytest.raises(InputError, match=r"no split 'val'.*id"):
        store.open_split(tmp_path / "s.zarr", "val")
    with pytest.raises(InputError, match=r"t\.zarr: no Zarr store"):
        store.open_split(tmp_path / "t.zarr", "val")


def test_blocks_cover_all_images_in_order(tmp_path):
    write(tmp_path / "s.zarr")
    blocks = list(store.blocks(store.open_split(tmp_path / "s.zarr", "id"), 2))
    assert [b.sizes["image"] for b in blocks] == [2, 2, 1]
    together = np.concatenate([b["probs"] for b in blocks])
    np.testing.assert_array_equal(together, store.open_split(tmp_path / "s.zarr", "id")["probs"])


@pytest.mark.parametrize(("decoded", "at_once"), [(1, 1), (3, 3), (100, 10)])
def test_chunks_are_read_together_as_far_as_memory_allows(tmp_path, monkeypatch, decoded, at_once):
    write(tmp_path / "s.zarr")
    split = store.open_split(tmp_path / "s.zarr", "id")
    assert store.chunk_bytes(split) == 2 * 1 * 3 * 2 * 4 * 4 * 2  # images, ..., y, x, float16
    monkeypatch.setattr(store, "_DECODED", decoded * store.chunk_bytes(split))
    before, seen, load = zarr.config.get("async.concurrency"), [], xr.Dataset.load

    def watched(part):
        seen.append(zarr.config.get("async.concurrency"))
        return load(part)

    monkeypatch.setattr(xr.Dataset, "load", watched)
    assert len(list(store.blocks(split, 4))) == 2
    assert seen == [at_once, at_once]
    assert zarr.config.get("async.concurrency") == before
