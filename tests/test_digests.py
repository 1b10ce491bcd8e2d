"""The checksum of a store changes with all that it is to vouch for, and with nothing else."""

import numpy as np
import pytest
import xarray as xr
from damage import flip

from segue import digests, dims, store
from segue.errors import InputError

CHUNK = "id/image/c/1/0/0/0"


def write(path, value=1.0, patient="a", licence="free"):
    with store.publish(path) as new:
        store.describe(new, {"licence": licence})
        image = store.create(new, "id", "image", dims.IMAGE, (4, 1, 8, 8), "float32", chunk=2)
        image[:] = np.linspace(0, value, 4 * 64).reshape(4, 1, 8, 8)
        store.coordinate(new, "id", "patient", "image", ["a", "b", "c", patient])
    return path


def break_bit(file, byte):
    file.write_bytes(flip(file.read_bytes(), 8 * (byte % file.stat().st_size)))


@pytest.mark.parametrize("digest", [digests.digest, digests.content_digest])
def test_equal_stores_have_equal_digests_wherever_they_are(tmp_path, digest):
    first, second = write(tmp_path / "a.zarr"), write(tmp_path / "far/b.zarr")
    assert digest(first) == digest(second)
    assert len(digest(first)) == 64
    (second / ".snakemake_timestamp").touch()
    assert digest(first) == digest(second)


@pytest.mark.parametrize("change", [{"value": 2.0}, {"patient": "e"}])
def test_both_digests_change_with_what_the_arrays_hold(tmp_path, change):
    first, second = write(tmp_path / "a.zarr"), write(tmp_path / "b.zarr", **change)
    assert digests.digest(first) != digests.digest(second)
    assert digests.content_digest(first) != digests.content_digest(second)


def test_attributes_change_the_digest_of_the_store_and_not_that_of_its_content(tmp_path):
    first, second = write(tmp_path / "a.zarr"), write(tmp_path / "b.zarr", licence="other")
    assert digests.digest(first) != digests.digest(second)
    assert digests.content_digest(first) == digests.content_digest(second)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / CHUNK).unlink(),
        lambda path: break_bit(path / CHUNK, -1),
        lambda path: (path / CHUNK).write_bytes((path / CHUNK).read_bytes()[:-1]),
        lambda path: (path / CHUNK).write_bytes(b""),
        lambda path: (path / CHUNK).rename(path / "id/image/c/3"),
        lambda path: break_bit(path / "zarr.json", 40),
        lambda path: break_bit(path / "id/image/zarr.json", 0),
        lambda path: (path / "id/image/zarr.json").write_bytes(b""),
        lambda path: (path / "id/zarr.json").unlink(),
        lambda path: (path / "id/more").touch(),
    ],
)
def test_a_digest_changes_with_each_file_that_is_lost_cut_or_new(tmp_path, damage):
    path = write(tmp_path / "a.zarr")
    before = digests.digest(path)
    damage(path)
    assert digests.digest(path) != before


def test_damage_inside_a_chunk_leaves_the_digest_and_is_found_by_its_checksum(tmp_path):
    path = write(tmp_path / "a.zarr")
    before = digests.digest(path)
    break_bit(path / CHUNK, 20)
    assert digests.digest(path) == before
    with pytest.raises(InputError, match=f"{path}/{CHUNK}: cannot be read .*remove the folder"):
        store.open_split(path, "id").load()


def test_chunks_of_other_programs_count_by_all_their_bytes(tmp_path):
    path = tmp_path / "other.zarr"
    split = xr.Dataset({"image": (dims.IMAGE, np.random.default_rng(0).random((4, 1, 8, 8)))})
    split.to_zarr(path, group="id", zarr_format=3, consolidated=False)
    (chunk,) = [file for file in (path / "id/image/c").rglob("*") if file.is_file()]
    before = digests.digest(path), digests.content_digest(path)
    break_bit(chunk, 50)
    assert before[0] != digests.digest(path)
    assert before[1] != digests.content_digest(path)


def test_what_is_no_store_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.zarr: no Zarr store"):
        digests.digest(tmp_path / "none.zarr")
