"""The statistics of masks and the data card."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from lookalikes import chaksu_members, lidc_entries, write_lidc, write_zip
from PIL import Image

from segue import store
from segue.data import statistics
from segue.data.prepare import prepare
from segue.errors import InputError
from segue.report import card


def _split(labels, **coordinates):
    coords = {name: ("image", values) for name, values in coordinates.items()}
    return xr.Dataset({"labels": (("image", "rater", "y", "x"), labels)}, coords)


def test_statistics_of_a_split_by_hand():
    """Image 0: masks of 4 and 2 pixels that share 2; image 1: one of 6 pixels; image 2: none."""
    labels = np.zeros((3, 3, 4, 4), np.uint8)
    labels[0, 0, 0] = 1
    labels[0, 1, 0, :2] = 2
    labels[1, 2, :2, :3] = 2
    found = statistics.of_split(_split(labels, patient=["a", "b", "a"]))
    assert found["images"] == 3
    assert found["patients"] == 2
    assert found["non_empty"] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    assert found["classes"] == {
        "foreground": {"pair_iou": 0.5, "area": 4.0},
        "1": {"pair_iou": None, "area": 4.0},
        "2": {"pair_iou": None, "area": 4.0},
    }


def test_without_masks_there_is_no_mean():
    found = statistics.of_split(_split(np.zeros((2, 2, 3, 3), np.uint8)))
    assert found["patients"] is None
    assert found["non_empty"] == [1, 0, 0]
    assert found["classes"]["foreground"] == {"pair_iou": None, "area": None}


@given(st.integers(0, 999), st.integers(1, 4), st.integers(1, 130))
def test_raters_who_agree_have_an_iou_of_one(seed, raters, images):
    one = np.random.default_rng(seed).integers(0, 3, (images, 1, 4, 4), np.uint8)
    one[:, :, 0, :2] = [1, 2]
    found = statistics.of_split(_split(one.repeat(raters, axis=1)))
    expected = 1 if raters > 1 else None
    assert {c["pair_iou"] for c in found["classes"].values()} == {expected}
    assert found["classes"]["foreground"]["area"] == pytest.approx((one > 0).sum() / images)
    assert found["non_empty"][-1] == 1


@given(st.integers(0, 999))
def test_the_order_of_images_and_raters_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (70, 3, 2, 2), np.uint8) * rng.integers(
        0, 2, (70, 3, 1, 1), np.uint8
    )
    first = statistics.of_split(_split(labels))
    shuffled = labels[rng.permutation(70)][:, rng.permutation(3)]
    second = statistics.of_split(_split(shuffled))
    assert second["non_empty"] == first["non_empty"]
    assert second["classes"]["foreground"] == pytest.approx(first["classes"]["foreground"])


def test_what_has_no_label_is_not_counted_as_marked():
    """Four pixels: one rater marks two; one labels two, of which one is marked; one saw nothing."""
    labels = np.array(
        [[[[1, 1], [0, 0]], [[1, 255], [0, 255]], [[255, 255], [255, 255]]]], np.uint8
    )
    found = statistics.of_split(_split(labels))
    assert (found["missing"], found["ignored"]) == (1, 2 / 8)
    assert found["share"] == [0.5, 0.5]
    assert found["non_empty"] == [0, 0, 1, 0]
    assert found["classes"]["1"] == {"pair_iou": 1.0, "area": 1.5}  # on the pixels of both


def test_the_card_of_a_dataset_with_patients(tmp_path):
    path, metadata = write_lidc(tmp_path, lidc_entries(patients=5))
    dataset = tmp_path / "dataset.zarr"
    options = {"path": str(path), "metadata_csv": str(metadata), "size": 32}
    prepare(dataset, source="lidc", options=options, seed=0, threads=1)
    card.write(tmp_path / "out" / "card.md", dataset=dataset)
    text = (tmp_path / "out" / "card.md").read_text()
    assert "# Data card: LIDC-IDRI" in text
    assert "| Licence | CC BY 3.0 |" in text
    assert "| sha256 | " in text
    assert "; 4 raters; 1 channels; 32 x 32 pixels; classes background 97.17 %, " in text
    assert "groups train 3, val 1, id 1, ood_blur 1, " in text
    assert "; 0 of 72 readings missing; 0.0 % of pixels ignored at most; 0 skipped." in text
    header = (
        "split | images | patients | 0 non-empty | 1 non-empty | 2 non-empty | 3 non-empty | 4 "
    )
    assert header in text
    # Squares of 16, 24 and 32 pixels of 128, that is 4, 6 and 8 of 32, in one corner; rater 4 none.
    iou = (16 / 36 + 16 / 64 + 36 / 64) / 3
    area = (16 + 36 + 64) / 3
    numbers = f"0.0 % | 0.0 % | 0.0 % | 100.0 % | 0.0 % | {iou:.3f} | {area:.1f}"
    for split, images, patients in (("train", 6, 3), ("val", 2, 1), ("ood_jpeg", 2, 1)):
        assert f"| {split} | {images} | {patients} | {numbers} |" in text
    assert "](card.png)" in text
    with Image.open(tmp_path / "out" / "card.png") as picture:
        assert min(picture.size) > 300


def test_the_card_of_a_dataset_with_three_classes_and_skipped_images(tmp_path):
    members = chaksu_members("Train", {"Remidio": 3, "Bosch": 1})
    del members[next(name for name in members if "Remidio/cup/Image2" in name)]
    train = write_zip(tmp_path / "Train.zip", members)
    test = write_zip(tmp_path / "Test.zip", chaksu_members("Test", {"Remidio": 1}))
    dataset = tmp_path / "dataset.zarr"
    options = {"train": str(train), "test": str(test), "size": 64}
    prepare(dataset, source="chaksu", options=options, seed=0, threads=1)
    card.write(tmp_path / "card.md", dataset=dataset)
    text = (tmp_path / "card.md").read_text()
    assert "| Classes | background, disc ring, cup |" in text
    assert "pair IoU, foreground | area, foreground | pair IoU, disc ring | area, disc ring" in text
    assert "| ood_device | 1 | – |" in text
    assert "## Skipped: 1\n" in text
    assert "Image2.jpg: expert 1: 0 masks of the cup, expected 1" in text


def test_where_the_truth_is_known_it_is_shown_on_one_scale_for_all_images(tmp_path, monkeypatch):
    dataset, ranges = tmp_path / "dataset.zarr", []
    options = {"side": 16, "images": {"train": 3, "val": 2, "id": 2}, "shifts": {"faint": [1.0]}}
    prepare(dataset, source="phantom", options=options, seed=0, threads=1)
    whole = card.picture
    monkeypatch.setattr(
        card, "picture", lambda image, limits: ranges.append(limits) or whole(image, limits)
    )
    figure = card._montage(dataset, ["train", "val", "id", "ood_faint"])
    assert len(ranges) == 9
    assert len(set(ranges)) == 1
    (low, high), train = ranges[0], store.open_split(dataset, "train")
    assert train["image"].min() <= low < high <= train["image"].max()
    shown = figure.axes[0].images[0].get_array()  # images, p* and its entropy, gaps between
    truth = 1 - train["truth"][0, 0].values
    np.testing.assert_allclose(shown[18:34, 1:17, 0], truth, atol=1e-6)
    inside = np.clip(truth, 1e-12, 1 - 1e-7)
    entropy = -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside))
    np.testing.assert_allclose(shown[36:52, 1:17, 0], entropy, atol=1e-4)


def test_a_card_needs_a_dataset(tmp_path):
    with pytest.raises(InputError, match="no Zarr store"):
        card.write(tmp_path / "card.md", dataset=tmp_path / "dataset.zarr")
    assert not list(tmp_path.iterdir())
