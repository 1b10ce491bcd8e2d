"""No bit of a store that Segue wrote changes unnoticed, and what is said of it can be done."""

import numpy as np
import pytest
import xarray as xr
from damage import disk_full_after, flip

from segue import dims, integrity, store
from segue.errors import InputError

CHUNK = "id/labels/c/1/0/0/0"


def write(path):
    """Two chunks of labels, the second all background, and names of patients."""
    with store.publish(path) as new:
        store.describe(new, {"classes": 2, "title": "σ"})
        labels = store.create(new, "id", "labels", dims.LABELS, (4, 1, 2, 2), "uint8", chunk=2)
        labels[:] = np.repeat([1, 0], 2)[:, None, None, None] * np.ones((4, 1, 2, 2), int)
        store.coordinate(new, "id", "patient", "image", list("abcd"))
        store.coordinate(new, "id", "rater", "rater", ["first"])
    return path


def read(path):
    assert store.splits(path) == ["id"]
    return store.open_split(path, "id").load(), store.attributes(path)


def refuse(path, message):
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value).startswith(message), str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "name", ["id/zarr.json", "id/labels/zarr.json", "id/patient/zarr.json", "id/rater/zarr.json"]
)
def test_any_change_of_metadata_is_noticed_and_its_file_named(tmp_path, name):
    path = write(tmp_path / "mine" / "a.zarr")
    whole = (path / name).read_bytes()
    for bit in range(0, 8 * len(whole), 17):
        (path / name).write_bytes(flip(whole, bit))
        refuse(path, f"{path / name}: is not as it was written; remove the folder that holds it")
    for content in (b"", whole[: len(whole) // 2], bytes(256) + whole[256:]):
        (path / name).write_bytes(content)
        refuse(path, f"{path / name}: is not as it was written")
    (path / name).unlink()
    refuse(path, f"{path / name}: is missing")


def test_a_bit_of_the_metadata_at_the_root_changes_nothing_unnoticed(tmp_path):
    path = write(tmp_path / "a.zarr")
    expected, attributes = read(path)
    whole = (path / "zarr.json").read_bytes()
    names = {b'"metadata_crc32"', b'"attributes"'}  # without it, a store of another program
    spared = {i for name in names for i in range(whole.index(name), whole.index(name) + len(name))}
    for bit in range(0, 8 * len(whole), 5):
        if bit // 8 in spared:
            continue
        (path / "zarr.json").write_bytes(flip(whole, bit))
        try:
            found, others = read(path)
        except InputError:
            continue
        xr.testing.assert_identical(found, expected)
        assert attributes == others


@pytest.mark.parametrize("name", [CHUNK, "id/patient/c/0", "id/rater/c/0"])
def test_any_change_of_a_chunk_is_noticed_and_its_file_named(tmp_path, name):
    path = write(tmp_path / "a.zarr")
    whole = (path / name).read_bytes()
    damaged = [flip(whole, bit) for bit in range(0, 8 * len(whole), 7)]
    for content in [*damaged, b"", whole[:-1], whole[: len(whole) // 2], bytes(256)]:
        (path / name).write_bytes(content)
        refuse(path, f"{path / name}: cannot be read (")
    (path / name).unlink()
    refuse(path, f"{path / name}".removesuffix("/c/1/0/0/0").removesuffix("/c/0") + ": 1 of ")


def test_a_chunk_is_named_however_it_is_indexed(tmp_path):
    path = write(tmp_path / "a.zarr")
    (path / CHUNK).write_bytes(b"")
    labels = store.open_split(path, "id")["labels"]
    assert labels[:2].values.all()
    assert labels[1, 0, 0, 0].values == 1
    for part in (
        labels,
        labels[3],
        labels[[0, 3]],
        labels[:, 0, 1],
        labels.isel(y=[1, 0], image=2),
    ):
        with pytest.raises(InputError, match=f"{path / CHUNK}: cannot be read"):
            _ = part.values


def test_what_snakemake_does_not_know_or_holds_more_is_not_to_be_removed_as_a_whole(tmp_path):
    path = write(tmp_path / "mine" / "a.zarr")
    for name in (".snakemake_timestamp", "stamp.json"):
        (path.parent / name).touch()
    assert (
        integrity.remedy(path) == f"remove the folder that holds it, {path.parent}, and run again"
    )
    (path.parent / "thesis.tex").touch()
    assert integrity.remedy(path) == "remove it and run again"


def test_a_store_of_another_program_is_never_to_be_removed(tmp_path):
    path = tmp_path / "mine.zarr"
    labels = np.random.default_rng(0).integers(2, size=(4, 1, 8, 8))
    split = xr.Dataset({"labels": (dims.LABELS, labels), "patient": ("image", np.arange(4))})
    split.to_zarr(path, group="id", zarr_format=3, consolidated=False)
    chunk = path / "id/labels/c/0/0/0/0"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:20])
    assert refuse(path, f"{chunk}: cannot be read (").endswith(
        "; write it anew with the program that made it"
    )
    chunk.write_bytes(whole)
    metadata = path / "id/labels/zarr.json"
    metadata.write_bytes(metadata.read_bytes()[:99])
    assert refuse(path, f"{metadata}: cannot be read (").endswith(
        "; write it anew with the program that made it"
    )
    (path / "zarr.json").write_bytes(b"")
    assert refuse(path, f"{path / 'zarr.json'}: cannot be read (").endswith(
        "; write it anew with the program that made it"
    )


def test_what_xarray_copies_from_our_store_may_lack_chunks_of_background(tmp_path):
    ours = xr.open_zarr(write(tmp_path / "a.zarr"), group="id", consolidated=False, chunks=None)
    copy = tmp_path / "mine.zarr"
    ours.to_zarr(copy, group="id", zarr_format=3, consolidated=False)
    assert not (copy / CHUNK).exists()
    xr.testing.assert_equal(read(copy)[0], ours)
    assert "remove" not in integrity.remedy(copy)


def test_a_full_disk_is_an_error_that_names_a_file_and_leaves_nothing(tmp_path):
    def write_noise():
        with store.publish(tmp_path / "a.zarr") as new:
            image = store.create(new, "id", "image", dims.IMAGE, (4, 1, 32, 32), "float32", chunk=4)
            image[:] = np.random.default_rng(0).random(image.shape)

    with pytest.raises(OSError, match="File too large") as caught, disk_full_after(2000):
        write_noise()
    assert str(caught.value.filename).startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
