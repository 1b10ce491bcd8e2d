"""The Chákṣu reader on archives in the real format, with their traps."""

import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis.extra.numpy import arrays
from lookalikes import IMAGES, MASKS, chaksu_members, write_chaksu, write_tree, write_zip
from numpy.testing import assert_array_equal
from PIL import Image
from scipy.ndimage import label

from segue import store
from segue.data.prepare import prepare
from segue.data.sources import chaksu
from segue.errors import InputError

TRAIN = {"Remidio": 6, "Bosch": 2, "Forus": 1}
TEST = {"Remidio": 2, "Bosch": 1}


def _open(train, test, **options):
    return chaksu.open_source(seed=0, train=str(train), test=str(test), **options)


def test_cameras_make_the_splits(tmp_path):
    splits = _open(*write_chaksu(tmp_path, TRAIN, TEST)).splits
    assert {k: len(v) for k, v in splits.items()} == {
        "train": 4,
        "val": 2,
        "id": 2,
        "ood_device": 4,
    }
    for split in ("train", "val", "id"):
        assert {item.camera for item in splits[split]} == {"remidio"}
    assert [item.camera for item in splits["ood_device"]] == ["bosch", "bosch", "forus", "bosch"]
    assert not set(splits["train"]) & set(splits["val"])


def test_a_fifth_of_the_published_training_images_is_held_out():
    items = [("train", chaksu.Item(None, "remidio", str(i), "", ())) for i in range(810)]
    splits = chaksu._split(items, seed=1)
    assert (len(splits["train"]), len(splits["val"])) == (648, 162)


def test_an_archive_and_its_unpacked_tree_are_the_same(tmp_path):
    archives = write_chaksu(tmp_path, {"Remidio": 2}, {"Remidio": 1, "Forus": 1})
    for archive in archives:
        with zipfile.ZipFile(archive) as file:
            write_tree(tmp_path / "tree", {n: file.read(n) for n in file.namelist()})
    zipped, unpacked = _open(*archives), _open(tmp_path / "tree", tmp_path / "tree")
    for split, items in zipped.splits.items():
        for one, other in zip(items, unpacked.splits[split], strict=True):
            first, second = zipped.read(one), unpacked.read(other)
            assert one.name == other.name
            assert_array_equal(first.image, second.image)
            assert_array_equal(first.labels, second.labels)


def test_each_image_has_a_name_of_its_own_though_stems_recur(tmp_path):
    source = _open(*write_chaksu(tmp_path, TRAIN, TEST))
    items = [item for split in source.splits.values() for item in split]
    assert len({Path(item.image).stem for item in items}) < len(items)
    assert len({item.name for item in items}) == len(items)


def _with_member(tmp_path, name):
    members = chaksu_members("Train", {"Remidio": 2, "Bosch": 1}) | {name: b"x"}
    train = write_zip(tmp_path / "Train.zip", members)
    return train, write_zip(tmp_path / "Test.zip", chaksu_members("Test", {"Remidio": 1}))


@pytest.mark.parametrize(
    "name", ["../../x", "/etc/x", f"Train/{IMAGES}/../../../x.jpg", "..\\x", "\\x", "C:\\x", "c:/x"]
)
def test_a_member_outside_the_archive_is_refused_by_name(tmp_path, name):
    train, test = _with_member(tmp_path, name)
    out = tmp_path / "out" / "dataset.zarr"
    options = {"train": str(train), "test": str(test)}
    with pytest.raises(InputError) as refusal:
        prepare(out, source="chaksu", options=options, seed=0, threads=1)
    assert repr(name) in str(refusal.value)
    assert str(train) in str(refusal.value)
    assert {f.name for f in tmp_path.iterdir()} == {"Train.zip", "Test.zip"}


def test_a_name_that_only_looks_like_a_parent_is_no_offence(tmp_path):
    assert _open(*_with_member(tmp_path, "Train/..notes/a..b.txt")).attributes["skipped"] == []


def test_incomplete_samples_are_skipped_and_reported(tmp_path, caplog):
    members = chaksu_members("Train", {"Remidio": 5, "Bosch": 1, "Pentax": 1})
    folder = f"Train/Train/{MASKS}/Expert 3/Remidio"
    del members[f"{folder}/cup/Image2.tif"]
    members[f"{folder}/Disc/IMAGE4.png"] = members[f"{folder}/Disc/Image4.tif"]
    members[f"Train/Train/{IMAGES}/REMIDIO/image5.PNG"] = b""
    train = write_zip(tmp_path / "Train.zip", members)
    test = write_zip(tmp_path / "Test.zip", chaksu_members("Test", {"Remidio": 1}))
    source = _open(train, test)
    reasons = {e["image"].split("/")[-1]: e["reason"] for e in source.attributes["skipped"]}
    assert reasons.pop("Image2.jpg") == "expert 3: 0 masks of the cup, expected 1"
    assert reasons.pop("Image4.JPG") == "expert 3: 2 masks of the disc, expected 1"
    assert reasons.pop("image5.PNG").startswith("2 images of this name")
    assert reasons == {"Image1.JPG": "unknown camera 'pentax'"}
    kept = {i.name for s in ("train", "val") for i in source.splits[s]}
    assert kept == {"train/remidio/image1", "train/remidio/image3"}
    assert "expert 3: 0 masks of the cup" in caplog.text


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"readme.txt": b""}, "found 0 images, 0 experts"),
        (
            {n: b"" for n in chaksu_members("Train", {"Bosch": 1}) if "Expert 4" not in n},
            "found 1 images, 4 experts",
        ),
        (dict.fromkeys(chaksu_members("Test", {"Bosch": 1}), b""), "found 0 images"),
    ],
)
def test_another_archive_is_refused(tmp_path, members, message):
    train = write_zip(tmp_path / "a.zip", members)
    with pytest.raises(InputError, match=message):
        _open(train, train)


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "Train.zip"
    with pytest.raises(InputError, match="expected a zip archive or the folder"):
        _open(path, path)
    path.write_bytes(b"PK")
    with pytest.raises(InputError, match="expected a zip archive or the folder"):
        _open(path, path)


def _cross(side=21):
    out = np.zeros((side, side), bool)
    out[4:17, 4:17] = True
    return out


def test_the_disc_holds_the_cup_and_specks_are_dropped():
    disc, cup = _cross(), np.zeros((21, 21), bool)
    cup[8:12, 8:19] = True  # reaches over the disc's edge
    disc[0, 0] = cup[0, 0] = cup[20, 20] = True  # specks
    expected = np.zeros((21, 21), int)
    expected[4:17, 4:17] = 1
    expected[8:12, 8:19] = 2
    assert_array_equal(chaksu.paint(disc, cup), expected)


def test_parts_that_touch_at_a_corner_are_one():
    disc = np.kron(np.eye(3, dtype=bool), np.ones((2, 2), bool))
    assert_array_equal(chaksu.paint(disc, np.zeros((6, 6), bool)), disc)


def test_an_empty_disc_stays_empty():
    empty = np.zeros((5, 5), bool)
    assert_array_equal(chaksu.paint(empty, empty), empty)


@given(arrays(bool, (2, 9, 9)))
def test_what_is_painted_is_one_part_of_each(masks):
    painted = chaksu.paint(*masks)
    for kind, mask in zip((painted > 0, painted == 2), masks, strict=True):
        _, parts = label(painted == 2, structure=np.ones((3, 3)))
        assert parts == (1 if masks[1].any() else 0)
        assert kind.sum() <= (masks[0] | masks[1]).sum()
        assert mask.any() <= kind.any()


def _one(tmp_path, shape, change=lambda members: members, **options):
    """The Bosch image of an archive, ``shape`` pixels; its discs are centred in it."""
    members = chaksu_members("Test", {"Bosch": 1, "Remidio": 1}, shape)
    test = write_zip(tmp_path / "Test.zip", change(members))
    train = write_zip(tmp_path / "Train.zip", chaksu_members("Train", {"Remidio": 2}))
    source = _open(train, test, **options)
    return source.read(source.splits["ood_device"][0])


def test_the_crop_is_twice_the_mean_disc_around_the_discs(tmp_path):
    """Bosch: 451 pixels of the image in 128. Discs of 42 to 50 rows by 40 columns, centred."""
    sample = _one(tmp_path, (600, 520))
    assert sample.image.shape == (3, 128, 128)
    scale = 128 / 451
    for expert, labels in enumerate(sample.labels, 1):
        for kind, rows, columns in ((1, 40 + 2 * expert, 40), (2, 16 + 2 * expert, 16)):
            y, x = np.nonzero(labels >= kind)
            assert y.max() - y.min() + 1 == pytest.approx(rows * scale, abs=1)
            assert x.max() - x.min() + 1 == pytest.approx(columns * scale, abs=1)
            assert (y.max() + y.min() + 1) / 2 == pytest.approx(64, abs=1)
            assert (x.max() + x.min() + 1) / 2 == pytest.approx(64, abs=1)


def test_outside_the_image_is_zero(tmp_path):
    """An image of 96 x 80 fills rows 64 ± 48 · 128 / 451 and columns 64 ± 40 · 128 / 451."""
    sample = _one(tmp_path, (96, 80))
    inside = np.zeros((128, 128), bool)
    inside[48:80, 50:78] = True
    assert (sample.image[:, ~inside] == 0).all()
    assert (sample.image[:, 54:74, 56:72] > 0).all()
    assert sample.image.max() <= 255


def test_the_crop_is_centred_on_all_discs_together():
    """Rows 10 to 19 and columns 30 to 33: a square of 8 around (15, 32)."""
    union = np.zeros((50, 50), bool)
    union[10, 30] = union[19, 33] = True
    assert chaksu._window(union, 8) == (28, 11, 36, 19)


def test_a_picture_keeps_its_colours(tmp_path):
    def paint_red(members):
        name = next(n for n in members if "/Bosch/Image1" in n and IMAGES in n and "MAC" not in n)
        data = BytesIO()
        Image.new("RGB", (520, 600), (200, 0, 0)).save(data, "PNG")
        return members | {name: data.getvalue()}

    sample = _one(tmp_path, (600, 520), paint_red, size=32)
    assert (sample.image[0] == 200).all()
    assert (sample.image[1:] == 0).all()


def _turn(members, orientation, how=Image.Transpose.ROTATE_90):
    name = next(n for n in members if "/Bosch/Image1" in n and IMAGES in n and "MAC" not in n)
    picture = Image.open(BytesIO(members[name]))
    exif = picture.getexif()
    exif[0x0112] = orientation
    data = BytesIO()
    picture.transpose(how).save(data, "JPEG", quality=95, exif=exif)
    return members | {name: data.getvalue()}


def test_a_camera_held_sideways_is_turned_to_its_masks(tmp_path):
    straight = _one(tmp_path, (96, 80))
    turned = _one(tmp_path, (96, 80), lambda members: _turn(members, orientation=6))
    assert np.corrcoef(straight.image.ravel(), turned.image.ravel())[0, 1] > 0.95


def test_a_camera_held_upside_down_is_turned_too(tmp_path):
    """Which the sizes do not tell."""
    straight = _one(tmp_path, (96, 80))
    half = Image.Transpose.ROTATE_180
    turned = _one(tmp_path, (96, 80), lambda members: _turn(members, 3, half))
    assert np.corrcoef(straight.image.ravel(), turned.image.ravel())[0, 1] > 0.95


def test_a_mask_whose_white_is_0_gives_its_stored_values(tmp_path):
    def inverted(members):
        changed = dict(members)
        for name, data in members.items():
            if "/Bosch/" in name and name.lower().endswith(".tif") and "MAC" not in name:
                file = BytesIO()
                pixels = np.asarray(Image.open(BytesIO(data)))
                tifffile.imwrite(file, pixels, photometric="miniswhite")
                changed[name] = file.getvalue()
        assert changed != members
        return changed

    expected = _one(tmp_path, (96, 80)).labels
    assert (_one(tmp_path, (96, 80), inverted).labels == expected).all()


def test_masks_of_another_size_than_the_image_are_named(tmp_path):
    with pytest.raises(InputError, match=r"Image1\.JPG: image .* differ in size"):
        _one(tmp_path, (96, 80), lambda members: _turn(members, orientation=1))


def test_a_damaged_member_is_named(tmp_path):
    train = write_zip(tmp_path / "Train.zip", chaksu_members("Train", {"Remidio": 2}))
    test = write_zip(tmp_path / "Test.zip", chaksu_members("Test", {"Remidio": 1, "Bosch": 1}))
    source = _open(train, test)
    content = bytearray(test.read_bytes())
    with zipfile.ZipFile(test) as archive:
        item = source.splits["id"][0]
        info = archive.getinfo(item.image)
    start = info.header_offset + 30 + len(item.image) + info.compress_size // 2
    content[start : start + 20] = b"\0" * 20
    test.write_bytes(content)
    with pytest.raises(InputError, match=r"Image1\.JPG.*(damaged|not a readable image)"):
        source.read(item)


def test_an_archive_becomes_a_store(tmp_path):
    train, test = write_chaksu(tmp_path, TRAIN, TEST)
    out = tmp_path / "out" / "dataset.zarr"
    options = {"train": str(train), "test": str(test), "size": 16, "images": {"ood_device": 2}}
    prepare(out, source="chaksu", options=options, seed=0, threads=2)
    assert set(store.splits(out)) == {"train", "val", "id", "ood_device"}
    split = store.open_split(out, "ood_device")
    assert split["image"].shape == (2, 3, 16, 16)
    assert split["labels"].shape == (2, 5, 16, 16)
    attributes = store.attributes(out)
    assert attributes["class_names"] == ["background", "disc ring", "cup"]
    assert attributes["cameras"]["train"] == {"remidio": 4}
    assert set(attributes["sha256"]) == {"train", "test"}
