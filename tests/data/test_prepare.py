from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from segue import seeds, store
from segue.data import corruptions
from segue.data.corruptions import CORRUPTIONS
from segue.data.prepare import prepare, write_source
from segue.data.source import Sample, Source
from segue.errors import InputError

SIDE, RATERS = 16, 3


def read(item):
    """Sample of a number: negative ones are at fault in a way each of its own."""
    rng = seeds.rng(1, "sample", abs(item))
    image = rng.normal(3, 5, (2, SIDE, SIDE)).astype(np.float32)
    labels = rng.integers(0, 3, (RATERS, SIDE, SIDE)).astype(np.uint8)
    if item == 0:
        image[:] = 7
    if item == -1:
        raise OSError("the disk is on fire")
    if item == -2:
        labels = labels[:2]
    if item == -3:
        labels[0, 0, 0] = 3
    if item == -4:
        image[0, 0, 0] = np.nan
    if item == -5:
        image = image[:1]
    return Sample(image, labels, {"patient": f"p{item // 2}", "spacing": item / 4})


def source(corruptions=tuple(CORRUPTIONS), **splits):
    splits = splits or {"train": range(70), "val": range(70, 75), "id": range(100, 230)}
    return Source(
        shape=(SIDE, SIDE),
        channels=2,
        raters=RATERS,
        classes=("background", "ring", "cup"),
        splits={split: list(items) for split, items in splits.items()},
        read=read,
        corruptions=corruptions,
        attributes={"title": "Numbers", "caption": "made up"},
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared") / "dataset.zarr"
    write_source(source(), out, name="numbers", seed=5, threads=1)
    return out


def test_each_split_and_each_shift_of_id_is_a_group(written):
    assert store.splits(written) == sorted(
        ["train", "val", "id", "ood_noise", "ood_blur", "ood_contrast", "ood_jpeg"]
    )


def test_images_are_z_scored_one_by_one(written):
    for split in store.splits(written):
        image = store.open_split(written, split)["image"].values.astype(float)
        np.testing.assert_allclose(image.mean((1, 2, 3)), 0, atol=1e-5)
        first = 1 if split == "train" else 0  # image 0 of train is constant
        np.testing.assert_allclose(image.std((1, 2, 3))[first:], 1, atol=1e-5)


def test_a_constant_image_becomes_zero(written):
    assert not store.open_split(written, "train")["image"][0].values.any()


def test_images_and_labels_are_those_of_the_items_in_order(written):
    split = store.open_split(written, "id").load()
    assert split.sizes["image"] == 130
    for number in (0, 63, 64, 129):
        sample = read(100 + number)
        np.testing.assert_array_equal(split["labels"][number], sample.labels)
        image = (sample.image - sample.image.mean()) / sample.image.std()
        np.testing.assert_allclose(split["image"][number], image, atol=1e-5)


def test_arrays_have_the_dimensions_and_types_of_the_contract(written):
    split = store.open_split(written, "ood_blur")
    assert split["image"].dims == ("image", "channel", "y", "x")
    assert split["labels"].dims == ("image", "rater", "y", "x")
    assert split["image"].dtype == np.float32
    assert split["labels"].dtype == np.uint8


def test_shifted_images_are_corrupted_before_they_are_normalised(written):
    for shift, corruption in corruptions.CORRUPTIONS.items():
        split = store.open_split(written, f"ood_{shift}").load()
        for number in (0, 64):
            rng = seeds.rng(5, "corruption", shift, number)
            image = corruption(read(100 + number).image, rng).astype(float)
            expected = (image - image.mean()) / image.std()
            np.testing.assert_allclose(split["image"][number], expected, atol=1e-5)


def test_a_source_chooses_among_the_corruptions(written, tmp_path):
    out = tmp_path / "dataset.zarr"
    chosen = replace(source(), corruptions=["jpeg", "noise"])
    write_source(chosen, out, name="numbers", seed=5, threads=1)
    assert store.splits(out) == ["id", "ood_jpeg", "ood_noise", "train", "val"]
    for split in store.splits(out):
        both = [store.open_split(path, split)["image"].values for path in (written, out)]
        np.testing.assert_array_equal(*both)


def test_shifted_splits_carry_labels_and_coordinates_of_id(written):
    clean = store.open_split(written, "id").load()
    for shift in corruptions.CORRUPTIONS:
        shifted = store.open_split(written, f"ood_{shift}").load()
        for name in ("labels", "patient", "spacing"):
            np.testing.assert_array_equal(shifted[name], clean[name])
        assert not np.allclose(shifted["image"], clean["image"])


def test_coordinates_are_numbers_and_strings(written):
    split = store.open_split(written, "val")
    np.testing.assert_array_equal(split["spacing"], np.arange(70, 75) / 4)
    assert list(split["patient"].values) == ["p35", "p35", "p36", "p36", "p37"]


def test_attributes_say_where_the_data_are_from(written):
    attributes = store.attributes(written)
    assert attributes.pop("code_version")
    images = {split: each["images"] for split, each in attributes.pop("statistics").items()}
    assert images == {split: store.open_split(written, split).sizes["image"] for split in images}
    assert list(images) == store.splits(written)
    assert attributes == {
        "title": "Numbers",
        "caption": "made up",
        "source": "numbers",
        "seed": 5,
        "classes": 3,
        "class_names": ["background", "ring", "cup"],
        "raters": 3,
        "channels": 2,
        "size": [16, 16],
    }


def test_the_number_of_workers_does_not_change_a_byte(written, tmp_path):
    out = tmp_path / "dataset.zarr"
    write_source(source(), out, name="numbers", seed=5, threads=2)
    for first, second in zip(*(sorted(files(p)) for p in (written, out)), strict=True):
        assert first == second


def files(folder: Path):
    return ((str(f.relative_to(folder)), f.read_bytes()) for f in folder.rglob("*") if f.is_file())


def test_another_seed_changes_the_corruptions_alone(written, tmp_path):
    out = tmp_path / "dataset.zarr"
    write_source(source(id=range(100, 110)), out, name="numbers", seed=6, threads=1)
    ten = slice(0, 10)
    for split, same in (("id", True), ("ood_noise", False), ("ood_blur", False)):
        before, after = (store.open_split(p, split)["image"][ten].values for p in (written, out))
        assert np.array_equal(before, after) == same


def test_a_source_with_shifts_of_its_own_gets_no_others(tmp_path):
    out = tmp_path / "dataset.zarr"
    own = source(corruptions=(), train=[1], id=[2], ood=[3, 4])
    write_source(own, out, name="numbers", seed=0, threads=1)
    assert store.splits(out) == ["id", "ood", "train"]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (-1, r"val, -1: cannot be read: the disk is on fire"),
        (-2, r"val, -2: expected labels of shape \(3, 16, 16\), got \(2, 16, 16\)"),
        (-3, r"val, -3: expected classes below 3, got 3"),
        (-4, r"val, -4: the image has values that are not finite"),
        (-5, r"val, -5: expected image of shape \(2, 16, 16\), got \(1, 16, 16\)"),
    ],
)
def test_a_fault_names_the_item_and_leaves_nothing_behind(tmp_path, item, message):
    faulty = source(train=[1, 2], val=[3, item])
    with pytest.raises(InputError, match=message):
        write_source(faulty, tmp_path / "dataset.zarr", name="numbers", seed=0, threads=1)
    assert list(tmp_path.iterdir()) == []


def test_a_fault_in_a_worker_is_told_the_same_way(tmp_path):
    faulty = source(train=[*range(1, 300), -1])
    with pytest.raises(InputError, match=r"train, -1: cannot be read: the disk is on fire"):
        write_source(faulty, tmp_path / "dataset.zarr", name="numbers", seed=0, threads=2)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_split_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"numbers: the split 'val' has no images"):
        write_source(
            source(train=[1], val=[]), tmp_path / "d.zarr", name="numbers", seed=0, threads=1
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "lidc_contour"}, r"source: nothing named 'lidc_contour' in sources"),
        ({"options": {"crops": 32}}, r"options: unknown key crops"),
        ({"options": {"crop": "32"}}, r"options\.crop: expected an integer, found '32'"),
        ({"options": {"crop": 5}}, r"crop: expected 16 to 512 pixels, got 5"),
    ],
)
def test_settings_that_name_nothing_are_refused(tmp_path, settings, message):
    given = {"source": "lidc_contours", "options": {}, "seed": 0, "threads": 1} | settings
    with pytest.raises(InputError, match=message):
        prepare(tmp_path / "dataset.zarr", **given)


def test_the_embedded_dataset_is_prepared(tmp_path):
    out = tmp_path / "datasets" / "dataset.zarr"
    options = {"crop": 32, "images": {"train": 6, "val": 2, "id": 3}}
    prepare(out, source="lidc_contours", options=options, seed=0, threads=1)
    assert {split: store.open_split(out, split).sizes["image"] for split in ("train", "val")} == {
        "train": 6,
        "val": 2,
    }
    split = store.open_split(out, "ood_jpeg")
    assert split["image"].shape == (3, 1, 32, 32)
    assert split["labels"].shape == (3, 4, 32, 32)
    assert {"patient", "nodule", "slice", "spacing"} <= set(split.coords)
    assert store.attributes(out)["caption"] == "real masks, simulated CT"
