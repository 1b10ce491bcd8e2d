"""A store of predictions is described, and refused with the place of the first offence."""

import json
import re
import shutil

import numpy as np
import pytest
import xarray as xr
import zarr
from handmade import SPLITS, random_split

from segue import cli, dims, store
from segue.errors import InputError
from segue.evaluation.canonical import canonical
from segue.evaluation.check import check, check_splits, describe, link


@pytest.fixture
def splits():
    """Labels and samples of each split, by name: 6 images, 2 x 3 samples, 12 x 12 pixels."""
    return {name: random_split(name)[["labels", "probs"]].load() for name in SPLITS}


def write(path, splits):
    for name, content in splits.items():
        content.to_zarr(path, group=name, mode="a", zarr_format=3, consolidated=False)
    return path


def refuse(path, message):
    with pytest.raises(InputError) as error:
        check(path)
    assert str(error.value).startswith(f"{path}{message}"), str(error.value)


def test_a_whole_store_is_described_and_nothing_is_wrong_with_it(splits, tmp_path, capsys):
    path = write(tmp_path / "mine.zarr", splits)
    assert cli.main(["check", str(path)]) == 0
    said = capsys.readouterr().out
    probs = "float16 (image 6, eu_sample 2, au_sample 3, class 2, y 12, x 12), 20,736 bytes"
    for name in SPLITS:
        assert f"{name}/probs: {probs}\n" in said
        assert f"{name}/labels: uint8 (image 6, rater 3, y 12, x 12), 2,592 bytes\n" in said
    assert said.endswith("Nothing is wrong with it.\n")


def test_the_command_fails_with_one_line_on_what_is_wrong(splits, tmp_path, capsys):
    splits["id"]["probs"][1] = np.nan
    path = write(tmp_path / "mine.zarr", splits)
    assert cli.main(["check", str(path)]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"segue: error: {path}/id/probs: image 1, eu_sample 0, ")


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (np.nan, "expected probabilities, found NaN in [nan, nan]"),
        (-0.5, "expected probabilities in [0, 1], found [-0.5, -0.5]; they run from -0.5 to "),
        (1.5, "expected probabilities in [0, 1], found [1.5, 1.5]; they reach 1.5: divide them"),
        (0.75, "expected a sum of 1 over 'class', found 1.5 of [0.75, 0.75]; write probabilities "),
    ],
)
def test_the_first_wrong_probability_is_named_with_its_place(value, what, splits, tmp_path):
    probs = splits["ood_blur"]["probs"].values
    probs[4, 1, 2, :, 7, 11] = value
    probs[4, 1, 2, :, 8, 0] = np.nan  # later
    probs[5] = np.nan
    path = write(tmp_path / "mine.zarr", splits)
    refuse(path, f"/ood_blur/probs: image 4, eu_sample 1, au_sample 2, y 7, x 11: {what}")


@pytest.mark.parametrize(
    ("dtype", "error", "refused"),
    [
        ("float16", 4e-3, False),
        ("float16", 8e-3, True),
        ("float32", 4e-3, False),
        ("float32", 6e-3, True),
        ("float64", 6e-3, True),
        ("float64", -6e-3, True),
    ],
)
def test_sums_may_be_off_as_halves_round(dtype, error, refused, splits, tmp_path):
    for split in splits.values():
        split["probs"] = xr.full_like(split["probs"].astype(dtype), 0.5)
    splits["val"]["probs"].values[0, 0, 0, 0, 0, 0] += error
    path = write(tmp_path / "mine.zarr", splits)
    if refused:
        refuse(path, "/val/probs: image 0, eu_sample 0, au_sample 0, y 0, x 0: expected a sum of 1")
    else:
        (line,) = check(path)
        assert line.startswith("probs are normalised: sums over 'class' are off by up to 0.00")


@pytest.mark.parametrize("value", [-2, 2, 254, 256])
def test_labels_are_classes(value, splits, tmp_path):
    for split in splits.values():
        split["labels"] = split["labels"].astype("int16")
    splits["id"]["labels"].values[3, 2, 5, 6] = value
    path = write(tmp_path / "mine.zarr", splits)
    refuse(path, f"/id/labels: image 3, rater 2, y 5, x 6: expected a class, 0 to 1, found {value}")


def test_images_are_numbered_through_all_blocks(tmp_path):
    splits = {name: random_split(name, images=25, side=64, hypotheses=5, draws=10) for name in "ab"}
    named = dict(zip(("id", "ood_x", "val"), [*splits.values(), splits["a"]], strict=True))
    named = {name: split[["labels", "probs"]] for name, split in named.items()}
    named["val"] = named["val"].copy(deep=True)
    named["val"]["probs"].values[24, 4, 9, :, 63, 63] = 0
    path = write(tmp_path / "mine.zarr", named)
    refuse(path, "/val/probs: image 24, eu_sample 4, au_sample 9, y 63, x 63: expected a sum of 1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s: [s.update(test=s["id"]), [s.pop(name) for name in SPLITS]],
            ": expected groups val, id or ood_<shift>, found test; name the splits so",
        ),
        (
            lambda s: s.update(id=s["id"].drop_vars("labels")),
            "/id/labels: no such array; there are: probs",
        ),
        (
            lambda s: s.update(val=s["val"].isel(au_sample=0)),
            "/val/probs: expected dimensions ('image', 'eu_sample', 'au_sample', 'class', 'y', 'x')"
            ", found ('image', 'eu_sample', 'class', 'y', 'x'); expand_dims(['au_sample'])",
        ),
        (
            lambda s: s.update(val=s["val"].rename({"class": "channel"})),
            "/val/probs: expected dimensions ('image', 'eu_sample', 'au_sample', 'class', 'y', 'x')"
            ", found ('image', 'eu_sample', 'au_sample', 'channel', 'y', 'x'); call 'channel' by ",
        ),
        (
            lambda s: s.update(val=s["val"].transpose("image", "au_sample", "eu_sample", ...)),
            "/val/probs: expected dimensions ",
        ),
        (
            lambda s: s.update(val=s["val"].isel(rater=slice(2))),
            "/val/labels: expected 3 along 'rater' as ",
        ),
        (
            lambda s: s.update(val=s["val"].isel(au_sample=slice(2))),
            "/val/probs: expected 3 along 'au_sample' as ",
        ),
        (
            lambda s: s.update(val=s["val"].isel(y=slice(6))),
            "/val/probs: expected 12 along 'y' as ",
        ),
        (
            lambda s: s.update(ood_blur=s["ood_blur"].isel({"class": slice(1)})),
            "/ood_blur/probs: expected at least 2 along 'class', found 1; write the background",
        ),
        (
            lambda s: s.update(id=s["id"].assign(labels=s["id"]["labels"].astype("complex64"))),
            "/id/labels: expected integers, found complex64",
        ),
        (
            lambda s: s.update(id=s["id"].assign(probs=s["id"]["probs"].astype("uint8"))),
            "/id/probs: expected floats, found uint8",
        ),
    ],
)
def test_names_dimensions_and_sizes_are_checked_first(change, message, splits, tmp_path):
    change(splits)
    refuse(write(tmp_path / "mine.zarr", splits), message)


@pytest.mark.parametrize(("dim", "kept"), [("image", 5), ("y", 11)])
def test_labels_are_of_the_same_images_as_the_samples(dim, kept, splits, tmp_path):
    labels = splits["id"][["labels"]].isel({dim: slice(kept)})
    split = {"id": splits["id"][["probs"]]} | {n: s for n, s in splits.items() if n != "id"}
    path = write(write(tmp_path / "mine.zarr", split), {"id": labels})
    expected = splits["id"].sizes[dim]
    refuse(
        path,
        f"/id/labels: expected {expected} along {dim!r} as {path}/id/probs has, found {kept}",
    )


def test_an_array_has_to_name_its_dimensions(splits, tmp_path):
    path = write(tmp_path / "mine.zarr", splits)
    group = zarr.open_group(path, mode="a")["id"]
    group.create_array("labels", data=splits["id"]["labels"].values, overwrite=True)
    assert "id/labels: uint8 (? 6, ? 3, ? 12, ? 12)" in describe(path)
    refuse(
        path,
        "/id/labels: expected dimensions ('image', 'rater', 'y', 'x'), found 4 without names; na",
    )


def test_chunks_that_are_not_there_are_no_background(splits, tmp_path):
    splits["val"]["labels"] = xr.zeros_like(splits["val"]["labels"])
    path = write(tmp_path / "mine.zarr", splits)
    assert not (path / "val/labels/c").exists()
    refuse(path, "/val/labels: 1 of 1 chunks are missing (c/0/0/0/0): lost or never written, or ")
    splits["val"].to_zarr(path, group="val", mode="a", consolidated=False, write_empty_chunks=True)
    check(path)


@pytest.mark.parametrize("form", [2, 3])
def test_chunks_that_were_never_written_are_named(form, splits, tmp_path):
    chunks = {"chunks": (1, *splits["id"]["labels"].shape[1:])}
    path = tmp_path / "mine.zarr"
    for name, split in splits.items():
        split.to_zarr(
            path,
            group=name,
            mode="a",
            zarr_format=form,
            consolidated=False,
            encoding={"labels": chunks},
            write_empty_chunks=True,
        )
    check(path)
    keys = [f"c/{i}/0/0/0" if form == 3 else f"{i}.0.0.0" for i in (1, 2, 4, 5)]
    for key in keys:
        (path / "id/labels" / key).unlink()
    refuse(path, f"/id/labels: 4 of 6 chunks are missing ({', '.join(keys[:3])}, ...): ")


def test_a_damaged_chunk_is_named_and_is_to_be_written_anew_by_who_wrote_it(splits, tmp_path):
    path = write(tmp_path / "mine.zarr", splits)
    (chunk,) = [file for file in (path / "id/probs/c").rglob("*") if file.is_file()]
    chunk.write_bytes(chunk.read_bytes()[:20])
    with pytest.raises(InputError) as error:
        check(path)
    assert str(error.value).startswith(f"{chunk}: cannot be read (")
    assert str(error.value).endswith("; write it anew with the program that made it")


@pytest.mark.parametrize(
    ("dim", "count", "message"),
    [
        ("image", 5, "/id: expected arrays that name their dimensions and agree on their sizes, "),
        ("person", 6, "/id/patient: expected dimensions ('image',), found ('person',)"),
        (None, 6, "/id: expected arrays that name their dimensions and agree on their sizes, "),
    ],
)
def test_patients_are_those_of_the_images(dim, count, message, splits, tmp_path):
    path = write(tmp_path / "mine.zarr", splits)
    names = None if dim is None else (dim,)
    group = zarr.open_group(path, mode="a")["id"]
    group.create_array("patient", data=np.arange(count), dimension_names=names)
    refuse(path, message)


def test_a_store_has_groups(tmp_path):
    zarr.create_array(tmp_path / "array.zarr", shape=(2,), dtype="float32")
    refuse(tmp_path / "array.zarr", ": expected a Zarr group, found an array")


def test_large_chunks_are_warned_of(splits, tmp_path, caplog):
    path = write(tmp_path / "mine.zarr", splits)
    check(path)
    assert not caplog.messages
    for split in SPLITS:
        group = zarr.open_group(path, mode="a")[split]
        for name, array in splits[split].items():
            shape = (400, *array.shape[1:-2], 256, 256)
            how = {"chunks": shape, "dimension_names": array.dims, "overwrite": True}
            group.create_array(name, shape=shape, dtype=array.dtype, **how)
    with pytest.raises(InputError, match="chunks are missing"):  # nothing is written there
        check(path)
    message = caplog.messages[0]
    assert message.startswith(f"{path}/id: has chunks of 0.6 GB, and takes several times that")


def test_what_is_no_store_is_named(tmp_path):
    with pytest.raises(InputError, match="no Zarr store"):
        check(tmp_path / "none.zarr")


@pytest.mark.parametrize("group", [None, "id"])
def test_a_split_that_came_after_metadata_were_consolidated_is_seen(group, splits, tmp_path):
    path = tmp_path / "mine.zarr"
    late = splits.pop("ood_noise")
    write(path, splits)
    with pytest.warns(zarr.errors.ZarrUserWarning, match="Consolidated"):
        zarr.consolidate_metadata(path, path=group)
    late["probs"].values[2, 1, 0, :, 3, 4] = 0
    write(path, {"ood_noise": late})
    assert "ood_noise/probs" in describe(path)
    refuse(path, "/ood_noise/probs: image 2, eu_sample 1, au_sample 0, y 3, x 4: expected a sum")


@pytest.mark.parametrize("writer", ["xarray", "zarr"])
def test_class_0_of_format_2_is_a_class(writer, splits, tmp_path):
    """Its fill value, 0 where Zarr wrote it, is what xarray would take for missing."""
    path = tmp_path / "mine.zarr"
    for name, split in splits.items():
        if writer == "xarray":
            split.to_zarr(path, group=name, mode="a", zarr_format=2, consolidated=True)
            continue
        group = zarr.open_group(path, mode="a", zarr_format=2).create_group(name)
        for key, values in split.items():
            array = group.create_array(key, data=values.values, fill_value=0)
            array.attrs["_ARRAY_DIMENSIONS"] = list(values.dims)
    assert "id/labels: uint8 (image 6, rater 3, y 12, x 12), 2,592 bytes" in describe(path)
    assert [line for line in check(path) if "label" in line] == []
    for name, split in splits.items():
        found = canonical(store.open_split(path, name)).load()
        np.testing.assert_array_equal(found["labels"], split["labels"])
        np.testing.assert_array_equal(found["probs"], split["probs"])


def test_metadata_that_are_damaged_are_named(splits, tmp_path):
    path = write(tmp_path / "mine.zarr", splits)
    file = path / "id/probs/zarr.json"
    whole = file.read_text()
    for changed, remedy in (
        (whole[:40], "write it anew with the program that made it"),
        (whole.replace('"float16"', '"bfloat16"'), "such as float16, float32 or uint8: write it"),
        (whole.replace('"zstd"', '"my_codec"'), "install that codec, or use one of Zarr's own"),
        (whole.replace("[\n    6,", "[\n    600000000000,"), "as "),
    ):
        assert changed != whole
        file.write_text(changed)
        with pytest.raises(InputError, match=re.escape(remedy)) as error:
            check(path)
        assert str(error.value).startswith(f"{path}/id"), str(error.value)


def test_what_is_no_folder_is_named_with_what_to_do(splits, tmp_path):
    path = write(tmp_path / "mine.zarr", splits)
    shutil.make_archive(str(path), "zip", path)
    refuse(
        tmp_path / "mine.zarr.zip", ": expected the folder of a Zarr store, found a file; unpack"
    )
    (tmp_path / "text.zarr").write_text("mine")
    refuse(tmp_path / "text.zarr", ": expected the folder of a Zarr store, found a file; write a ")
    refuse(tmp_path, ": no Zarr store there, but a folder of mine.zarr")
    (path / "zarr.json").unlink()
    refuse(path, ": no metadata of Zarr beside the groups id, ood_blur, ood_noise, val; add them, ")
    zarr.open_group(path, mode="a")
    check(path)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (("val", "id"), ["no split ood_<shift>: "]),
        (("ood_blur",), ["no split val: ", "no split id: "]),
        (
            ("id", "train", "maps.zarr"),
            ["left out: maps.zarr, ", "left out: train, ", "no split "],
        ),
    ],
)
def test_what_is_left_out_is_said(kept, said, splits, tmp_path):
    foreign = {"train": xr.Dataset({"a": ("b", [1])}), "maps.zarr": xr.Dataset()}
    chosen = {name: (splits | foreign)[name] for name in kept}
    path = write(tmp_path / "mine.zarr", chosen)
    lines = check(path)
    assert all(any(line.startswith(each) for line in lines) for each in said), lines
    assert set(check_splits(chosen, "splits")) == set(lines)
    with pytest.raises(InputError, match="a study needs a split '"):
        link(tmp_path / "out/samples.zarr", store=str(path))
    assert not (tmp_path / "out").exists()


def test_a_study_takes_a_store_of_all_splits(splits, tmp_path):
    path = write(tmp_path / "mine.zarr", splits)
    link(tmp_path / "out/samples.zarr", store=str(path))
    assert (tmp_path / "out/samples.zarr").resolve() == path


def test_more_classes_than_labels_can_tell_are_refused(splits, tmp_path):
    def of(classes):
        probs = np.full((2, 1, 1, classes, 3, 3), 1 / classes, "float32")
        labels = np.full((2, 1, 3, 3), classes - 1, "int16")
        return xr.Dataset({"probs": (dims.SAMPLES, probs), "labels": (dims.LABELS, labels)})

    check(write(tmp_path / "most.zarr", {"id": of(255)}))
    path = write(tmp_path / "more.zarr", {"id": of(256)})
    refuse(path, "/id/probs: expected at most 255 along 'class', found 256; join classes")


def test_logits_and_logarithms_are_named_with_what_to_write(splits, tmp_path):
    probs = splits["id"]["probs"].astype("float32").clip(1e-3)
    splits["id"]["probs"] = 5 * np.log(probs) + 3
    with pytest.raises(InputError, match="as logits do: write their softmax over 'class'"):
        check(write(tmp_path / "logits.zarr", splits))
    splits["id"]["probs"] = np.log(probs / probs.sum("class"))
    with pytest.raises(InputError, match="these are logarithms of probabilities: write"):
        check(write(tmp_path / "logarithms.zarr", splits))


@pytest.mark.parametrize(("least", "most"), [(-1e-7, 1.0000001), (-9e-4, 1.0009)])
def test_values_that_rounding_left_outside_are_said_once(least, most, splits, tmp_path):
    for name in ("id", "val"):
        splits[name]["probs"] = splits[name]["probs"].astype("float32")
        splits[name]["probs"].values[0, 0, 0, :, 0, 0] = [least, most]
    (line,) = check(write(tmp_path / "mine.zarr", splits))
    assert line.endswith(f"values run from {least:.4g} to {np.float32(most):.8g}")
    splits["id"]["probs"].values[0, 0, 0, :, 0, 0] = [-2e-3, 1.002]
    refuse(
        write(tmp_path / "far.zarr", splits),
        "/id/probs: image 0, eu_sample 0, au_sample 0, y 0, x 0: expected probabilities in [0, 1]",
    )


def test_unlabelled_pixels_and_missing_readings_are_counted(splits, tmp_path):
    labels = splits["id"]["labels"].values
    labels[1, 2] = dims.UNLABELLED
    labels[3, 0, :2] = dims.UNLABELLED
    lines = check(write(tmp_path / "mine.zarr", splits))
    assert "id/labels: 1 of 18 readings (an image by a rater) are missing" in lines
    assert "id/labels: 24 of 2448 pixels of the readings have no label" in lines
    assert not any(line.startswith("val/labels") for line in lines)


def test_masks_of_0_and_255_are_not_taken_for_unlabelled_pixels(splits, tmp_path):
    for split in splits.values():
        split["labels"] = split["labels"] * 255
    refuse(write(tmp_path / "mine.zarr", splits), ": labels are 0 or 255 (no label), and no class ")


@pytest.mark.parametrize("place", ["start", "end"])
def test_chunks_in_shards_that_were_never_written_are_found(place, splits, tmp_path):
    path = write(tmp_path / "mine.zarr", splits)
    group, values = zarr.open_group(path, mode="a")["id"], splits["id"]["labels"].values
    assert values.any(axis=(1, 2, 3)).all()
    codec = zarr.codecs.ShardingCodec(chunk_shape=(2, 1, 12, 12), index_location=place)
    labels = group.create_array(
        "labels",
        shape=values.shape,
        dtype="uint8",
        chunks=(4, 3, 12, 12),  # the second shard is half outside
        serializer=codec,
        compressors=None,
        dimension_names=splits["id"]["labels"].dims,
        overwrite=True,
    )
    labels[:] = np.maximum(values, 1)
    check(path)
    labels[2:4, 1:] = 0  # which Zarr leaves out
    places = "(c/0/0/0/0 at (1, 1, 0, 0), c/0/0/0/0 at (1, 2, 0, 0))"
    refuse(path, f"/id/labels: 2 chunks in shards are missing {places}: lost or never written, or")


def test_dimensions_and_chunks_that_make_no_sense_are_refused(splits, tmp_path):
    path = write(tmp_path / "mine.zarr", splits)
    file = path / "id/labels/zarr.json"
    content = json.loads(file.read_text())
    content["chunk_grid"]["configuration"]["chunk_shape"][0] = 0
    file.write_text(json.dumps(content))
    refuse(path, "/id/labels: cannot be read (ZeroDivisionError: ")
    older = tmp_path / "older.zarr"
    splits["id"].to_zarr(older, group="id", zarr_format=2, consolidated=False)
    (older / "id/labels/.zattrs").write_text('{"_ARRAY_DIMENSIONS": null}')
    refuse(older, "/id/labels: expected dimensions ('image', 'rater', 'y', 'x'), found 4 without ")
