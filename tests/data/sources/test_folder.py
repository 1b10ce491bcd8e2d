"""A user's own data: the worked examples of docs/data.md, and what is refused."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml
from numpy.testing import assert_array_equal
from PIL import Image

from segue import store
from segue.data.corruptions import CORRUPTIONS
from segue.data.prepare import prepare
from segue.data.sources import folder
from segue.errors import InputError

DOCUMENT = Path(__file__).parents[3] / "docs" / "data.md"
SPLITS = ["train", "val", "id", "ood_other"]


def _blocks(language):
    """The code blocks of the section ``folder`` of docs/data.md."""
    section = DOCUMENT.read_text(encoding="utf-8").split("\n## folder\n")[1]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def test_the_worked_examples_run_as_they_are_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for code in _blocks("python"):
        exec(compile(code, str(DOCUMENT), "exec"), {})
    entries = {}
    for text in _blocks("yaml"):
        entries |= yaml.safe_load(text)["datasets"]
    for name, entry in entries.items():
        prepare(tmp_path / f"{name}.out", **entry, seed=0, threads=1)

    files = tmp_path / "my_data.out"
    corrupted = {"ood_noise", "ood_blur", "ood_contrast", "ood_jpeg"}
    assert set(store.splits(files)) == {"train", "val", "id"} | corrupted
    train = store.open_split(files, "train")
    assert train["labels"].shape == (12, 3, 32, 32)
    assert set(np.unique(train["labels"])) == {0, 1}
    patients = [set(store.open_split(files, s)["patient"].values) for s in ("train", "val", "id")]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 10

    stored = tmp_path / "my_store.out"
    assert set(store.splits(stored)) == {"train", "val", "id", "ood_scanner"}
    split = store.open_split(stored, "ood_scanner")
    assert split["image"].shape == (4, 2, 32, 32)
    assert split["labels"].shape == (4, 5, 32, 32)
    assert list(split["patient"].values) == [f"ood_scanner {i}" for i in range(4)]
    with xr.open_zarr("my_store.zarr", group="ood_scanner", consolidated=False) as given:
        assert_array_equal(split["labels"], given["labels"])


def _save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, pixels)
    else:
        Image.fromarray(pixels).save(path)


def _write(root, rows, masks=None, images=None):
    """A folder of 8 x 8 images: the row ``i`` is constant i, its masks constant rater % 2."""
    images, masks = images or {}, masks or {}
    for i, row in enumerate(rows):
        pixels = images.get(row["image"], np.full((8, 8), i, np.uint8))
        _save(root / row["image"], pixels)
        for name in [k for k in row if k.startswith("rater")]:
            rater = int(name[6:])
            given = masks.get(row[name], np.full((8, 8), rater % 2, np.uint8))
            _save(root / row[name], given)
    with (root / "index.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return root


def _rows(suffix=".png", raters=2, splits=SPLITS):
    return [
        {"image": f"{i}{suffix}", "split": split}
        | {f"rater_{r + 1}": f"m/{i}_{r + 1}{suffix}" for r in range(raters)}
        for i, split in enumerate(splits)
    ]


def _open(path, classes=("background", "thing"), **options):
    return folder.open_source(seed=0, path=str(path), classes=classes, **options)


def test_an_image_is_named_by_its_path_lest_two_folders_have_one_of_the_same_name(tmp_path):
    rows = [row | {"image": f"{i}/scan.png"} for i, row in enumerate(_rows())]
    source = _open(_write(tmp_path, rows))
    names = [source.read(item).coordinates["name"] for s in SPLITS for item in source.splits[s]]
    assert sorted(names) == [f"{i}/scan.png" for i in range(len(rows))]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".npy", ".TIF"])
def test_each_format_gives_the_numbers_written(tmp_path, suffix):
    source = _open(_write(tmp_path, _rows(suffix, raters=11)))
    assert (source.raters, source.channels, source.shape) == (11, 1, (8, 8))
    for i, split in enumerate(SPLITS):
        sample = source.read(source.splits[split][0])
        assert_array_equal(sample.image, np.full((1, 8, 8), i, np.float32))
        assert_array_equal(sample.labels[:, 0, 0], [r % 2 for r in range(1, 12)])
        assert sample.coordinates == {"name": f"{i}{suffix}"}


@pytest.mark.parametrize(
    ("suffix", "pixels", "expected"),
    [
        (".png", np.arange(192, dtype=np.uint8).reshape(8, 8, 3), (3, 8, 8)),
        (".tif", np.arange(64, dtype=np.float32).reshape(8, 8) - 5, (1, 8, 8)),
        (".png", (1000 * np.arange(64)).astype(np.uint16).reshape(8, 8), (1, 8, 8)),
        (".npy", np.arange(320).reshape(5, 8, 8), (5, 8, 8)),
    ],
)
def test_channels_and_depth_are_kept(tmp_path, suffix, pixels, expected):
    rows = _rows(suffix)
    images = {row["image"]: (pixels + i).astype(pixels.dtype) for i, row in enumerate(rows)}
    source = _open(_write(tmp_path, rows, images=images))
    sample = source.read(source.splits["train"][0])
    assert sample.image.shape == expected
    picture = np.moveaxis(pixels, -1, 0) if pixels.shape[-1] == 3 else pixels.reshape(expected)
    assert_array_equal(sample.image, picture.astype(np.float32))


def test_a_palette_of_a_mask_is_not_taken_for_its_classes(tmp_path):
    _write(tmp_path, _rows())
    mask = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) % 3)
    mask.putpalette([255, 0, 0, 9, 9, 9, 0, 0, 7])
    mask.save(tmp_path / "m" / "2_1.png")
    source = _open(tmp_path, classes=["a", "b", "c"])
    labels = source.read(source.splits["id"][0]).labels[0]
    assert_array_equal(labels.ravel(), np.arange(64) % 3)


def test_a_pattern_finds_the_masks_in_the_order_of_their_names(tmp_path):
    rows = _rows()
    rows[0]["image"] = "odd[1].png"
    for row, name in zip(rows, ["odd[1]", "1", "2", "3"], strict=True):
        row["rater_1"], row["rater_2"] = f"m/{name}_b.png", f"m/{name}_a.png"
    _write(tmp_path, rows)
    lines = [",".join((r["image"], r["split"])) for r in rows]
    (tmp_path / "index.csv").write_text("\n".join(["image,split", *lines]))
    source = _open(tmp_path, masks="m/{stem}_*.png")
    for items in source.splits.values():
        assert source.read(items[0]).labels[:, 0, 0].tolist() == [0, 1]


def test_values_of_the_masks_are_mapped_to_classes(tmp_path):
    masks = {"m/2_1.png": np.array([[0, 50, 255, 50]] * 4, np.uint8).repeat(2, 0).repeat(2, 1)}
    _write(tmp_path, _rows(), masks=masks)
    values = {"0": 0, "1": 1, "50": 2, "255": 1}
    source = _open(tmp_path, classes=["a", "b", "c"], values=values)
    labels = source.read(source.splits["id"][0]).labels
    assert labels[0, 0].tolist() == [0, 0, 2, 2, 1, 1, 2, 2]
    with pytest.raises(InputError, match="classes are 0 to 1"):
        _open(tmp_path, values=values)


def test_without_a_split_groups_are_not_torn_apart(tmp_path):
    rows = [{"image": f"{i}.png", "group": f"g{i % 5}", "rater_1": f"m/{i}.png"} for i in range(20)]
    source = _open(_write(tmp_path, rows), corruptions=True)
    groups = {split: {item.row.group for item in items} for split, items in source.splits.items()}
    assert {split: len(g) for split, g in groups.items()} == {"train": 3, "val": 1, "id": 1}
    assert len(set.union(*groups.values())) == 5
    assert source.corruptions == tuple(CORRUPTIONS)
    assert source.read(source.splits["id"][0]).coordinates["patient"] in groups["id"]


def test_a_split_is_not_made_twice(tmp_path):
    rows = _rows(splits=[*SPLITS, "ood_blur"])
    with pytest.raises(InputError, match="corruptions makes the split ood_blur"):
        _open(_write(tmp_path, rows), corruptions=True)


def _fill(value, shape=(8, 8), dtype=np.uint8):
    return np.full(shape, value, dtype)


@pytest.mark.parametrize(
    ("masks", "images", "message"),
    [
        ({"m/2_2.png": _fill(2)}, {}, r"line 4: .*2_2\.png: pixel value 2; expected one of 0, 1"),
        ({"m/2_2.png": _fill(1, (8, 6))}, {}, r"line 4: 2_2\.png is \(y, x\) \(8, 6\), its image"),
        (
            {"m/2_2.png": np.full((8, 8, 3), [1, 2, 3], np.uint8)},
            {},
            r"line 4: .*2_2\.png: the colour '#010203'",
        ),
        (
            {},
            {"1.png": np.full((8, 8, 3), [1, 2, 3], np.uint8)},
            r"line 3: 1\.png has 3 channels, 0\.png \(line 2\) 1; all",
        ),
        (
            {"m/1_1.png": _fill(0, (4, 4)), "m/1_2.png": _fill(0, (4, 4))},
            {"1.png": _fill(1, (4, 4))},
            r"line 3: 1\.png is \(y, x\) \(4, 4\), the first image, 0\.png, \(8, 8\).*option size",
        ),
    ],
)
def test_files_that_do_not_fit_are_named_with_their_line(tmp_path, masks, images, message):
    _write(tmp_path, _rows(), masks=masks, images=images)
    with pytest.raises(InputError, match=message):
        _open(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,split\n0.png,train", "either columns 'rater_1'.*or the option masks"),
        ("picture,rater_1\n0.png,m/0_1.png", "expected the column 'image'"),
        ("image,rater_1,splits\n0.png,m/0_1.png,id", "column 'splits'; did you mean 'split'"),
        ("image,Rater1\n0.png,m/0_1.png", "column 'rater1'; did you mean 'rater_1'"),
        ("image,rater_1,rater_1\n0.png,m/0_1.png,m/0_2.png", "'rater_1' is there twice"),
        ("image,rater_1,group,patient\n0.png,m/0_1.png,1,1", "columns 'group' and 'patient'"),
        ("image,rater_1", "no rows"),
        ("image,rater_1\n0.png,m/9.png", r"line 2: no file .*9\.png; names are relative"),
        ("image,rater_1\n,m/0_1.png", "line 2: image is empty"),
        ("image,rater_1\n0.png,m/0_1.png\n./0.png,m/1_1.png", r"line 3: \./0\.png is.*of line 2"),
        ("image,rater_1\n0.png,m/0_1.png\n1.png,m/0_1.png", "line 3.*rater_1 and of line 2, rater"),
        (
            "image,rater_1,rater_2\n0.png,m/0_1.png,m/0_1.png",
            "mask of rater_2 and of rater_1; each",
        ),
        ("image,rater_1\n0.png,m/0_1.png\n1.png,0.png", r"line 3: rater_1: 0\.png is an image"),
        ('image,rater_1\n"0.png,m/0_1.png\n1.png,m/1_1.png', "line 2: .*is a quote not closed"),
        ("image,rater_1,split\n0.png,m/0_1.png,ood_a/b", "line 2: split 'ood_a/b'; expected"),
        ("image,rater_1\n0.png", "line 2: as many values as columns"),
        ("image,rater_1\n0.png,m/0_1.png,x", "line 2: as many values as columns"),
        ("image,rater_1,split\n0.png,m/0_1.png,test", "line 2: split 'test'; expected train, val"),
        ("image,rater_1,split\n0.png,m/0_1.png,", "line 2: split ''; expected train, val"),
        ("image,rater_1,group\n0.png,m/0_1.png, ", "line 2: group is empty"),
        ("image,rater_1\n0.png,m/0_1.png", "1 patients or groups; a split .* needs 3"),
        ("image,rater_1,split\n0.png,m/0_1.png,train", "no image in split 'val'; there are: train"),
        ("image,rater_1\nindex.csv,m/0_1.png", r"line 2: .*index\.csv: expected \.png, \.tif"),
    ],
)
def test_a_faulty_index_is_refused_with_its_line(tmp_path, text, message):
    _write(tmp_path, _rows())
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        _open(tmp_path)


def test_a_pattern_that_finds_nothing_is_refused(tmp_path):
    _write(tmp_path, _rows())
    lines = [f"{i}.png,{split}" for i, split in enumerate(SPLITS)]
    (tmp_path / "index.csv").write_text("\n".join(["image,split", *lines]))
    with pytest.raises(InputError, match=r"line 2: no mask of 0\.png: nothing matches n/0\.png"):
        _open(tmp_path, masks="n/{stem}.png")


def test_numbers_must_be_finite_and_files_whole(tmp_path):
    rows = _rows(".npy")
    _write(tmp_path, rows, images={"2.npy": np.full((8, 8), np.nan)})
    with pytest.raises(InputError, match=r"line 4: .*2\.npy: holds NaN"):
        _open(tmp_path)
    (tmp_path / "1.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match=r"line 3: .*1\.npy: not a readable npy file"):
        _open(tmp_path)
    np.save(tmp_path / "0.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(InputError, match=r"line 2: .*0\.npy: not a readable npy file"):
        _open(tmp_path)


def test_a_shift_to_detect_is_asked_for(tmp_path):
    rows = _rows(splits=["train", "val", "id"])
    with pytest.raises(InputError, match="set corruptions: true"):
        _open(_write(tmp_path, rows))
    assert _open(tmp_path, corruptions=True).corruptions == tuple(CORRUPTIONS)


def test_images_need_not_be_square(tmp_path):
    masks = {r[k]: _fill(0, (8, 6)) for r in _rows() for k in r if k.startswith("rater")}
    images = {r["image"]: _fill(0, (8, 6)) for r in _rows()}
    source = _open(_write(tmp_path, _rows(), masks=masks, images=images))
    assert source.shape == (8, 6)
    assert source.read(source.splits["id"][0]).image.shape == (1, 8, 6)


def test_the_checksum_covers_every_file(tmp_path):
    first = _open(_write(tmp_path, _rows())).attributes["sha256"]
    assert _open(tmp_path).attributes["sha256"] == first
    _save(tmp_path / "m" / "3_2.png", _fill(1))
    assert _open(tmp_path).attributes["sha256"] != first


def _store(path, change=lambda data, split: data, splits=SPLITS, **how):
    rng = np.random.default_rng(0)
    for split in splits:
        data = xr.Dataset(
            {
                "image": (("image", "channel", "y", "x"), rng.normal(size=(3, 1, 8, 8))),
                "labels": (
                    ("image", "rater", "y", "x"),
                    rng.integers(0, 2, (3, 2, 8, 8), np.uint8),
                ),
            }
        )
        options = {"zarr_format": 3, "consolidated": False, "write_empty_chunks": True} | how
        change(data, split).to_zarr(path, group=split, **options)
    return path


def _in_val(change):
    return lambda data, split: change(data) if split == "val" else data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.drop_vars("labels"), "val: no array 'labels'; there are: image"),
        (
            lambda d: d.transpose("image", "y", "x", ...),
            r"val/image: expected dimensions \('image'",
        ),
        (lambda d: d.isel(rater=[0]), "images and raters differ between splits"),
        (
            lambda d: d.assign(labels=d["labels"] + 1),
            "val/labels: images 0 to 2: expected class indices 0 to 1, .*ignore: 2",
        ),
        (lambda d: d.assign(image=d["image"].where(d["image"] < 1)), "val/image: NaN or infinite"),
    ],
)
def test_a_store_that_does_not_fit_is_refused(tmp_path, change, message):
    path = _store(tmp_path / "x.zarr", _in_val(change))
    with pytest.raises(InputError, match=message):
        _open(path)


def test_a_store_that_leaves_out_empty_chunks_is_refused_with_the_remedy(tmp_path):
    empty = _in_val(lambda d: d.assign(labels=d["labels"] * 0))
    with pytest.raises(InputError, match=r"1 of 1 chunks are missing.*write_empty_chunks=True"):
        _open(_store(tmp_path / "a.zarr", empty, write_empty_chunks=False))
    assert _open(_store(tmp_path / "b.zarr", empty)).raters == 2


def test_a_store_of_format_2_is_read(tmp_path):
    source = _open(_store(tmp_path / "x.zarr", zarr_format=2))
    with xr.open_zarr(tmp_path / "x.zarr", group="id", consolidated=False) as given:
        for place in source.splits["id"]:
            sample = source.read(place)
            assert_array_equal(sample.image, given["image"].values[place.index])
            assert_array_equal(sample.labels, given["labels"].values[place.index])


@pytest.mark.parametrize("marker", [255, -1, 7])
def test_labels_of_a_store_may_be_missing(tmp_path, marker):
    def mark(data):
        labels = data["labels"].astype("int16")
        labels[1, 0, :2] = marker
        labels[2, 1] = marker
        return data.assign(labels=labels)

    path = _store(tmp_path / "x.zarr", lambda data, split: mark(data) if split == "id" else data)
    source = _open(path, ignore=7 if marker == 7 else None)
    labels = [source.read(place).labels for place in source.splits["id"]]
    assert (labels[1][0, :2] == 255).all()
    assert (labels[2][1] == 255).all()
    assert sum((each == 255).sum() for each in labels) == 2 * 8 + 64


def test_one_patient_or_picture_of_a_store_in_two_splits_is_refused(tmp_path):
    def patients(data, split):
        names = np.array([f"{split} 0", f"{split} 1", "p"], object)
        return data.assign_coords(patient=("image", names)) if split in ("train", "id") else data

    path = _store(tmp_path / "x.zarr", patients)
    with pytest.raises(InputError, match=r"image 2 \(train\): the group 'p' as .*id, image 2"):
        _open(path)
    rng = np.random.default_rng(9)
    first = rng.normal(size=(1, 8, 8))

    def twice(data, split):
        data["image"] = (data["image"].dims, rng.normal(size=data["image"].shape))
        if split in ("val", "train"):
            data["image"][1] = first
        return data

    path = _store(tmp_path / "y.zarr", twice)
    with pytest.raises(InputError, match=r"image 1 .*the same picture as"):
        _open(path)


@pytest.mark.parametrize(
    "missing", [np.full(3, np.nan), np.full(3, -1), np.array([""] * 3, object)]
)
def test_patients_that_are_missing_in_two_splits_are_nobody(tmp_path, missing):
    path = _store(
        tmp_path / "x.zarr", lambda data, split: data.assign_coords(patient=("image", missing))
    )
    assert _open(path).raters == 2


def test_splits_of_a_store_have_known_names(tmp_path):
    path = _store(tmp_path / "x.zarr", splits=[*SPLITS, "test"])
    with pytest.raises(InputError, match="split 'test'; expected train, val, id"):
        _open(path)
    with pytest.raises(InputError, match="takes no values; remove"):
        _open(path, values={"0": 0})
