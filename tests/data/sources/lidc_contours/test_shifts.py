"""The option ``shifts``: which OOD splits there are, and what they leave as it was."""

import numpy as np
import pytest

from segue import plugins, store
from segue.data.contours.database import RATINGS, load
from segue.data.contours.nodules import all_nodules
from segue.data.prepare import prepare
from segue.data.sources.lidc_contours import open_source
from segue.data.sources.lidc_contours.items import Item
from segue.errors import InputError

FEW = {"train": 6, "val": 2, "id": 3}
SCANNED = ("ood_kernel", "ood_thick")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return prepared(tmp_path_factory, images=FEW)


@pytest.fixture(scope="module")
def shifted(tmp_path_factory):
    return prepared(tmp_path_factory, images=FEW, shifts=["thick", "contrast", "kernel"])


@pytest.fixture(scope="module")
def apart():
    return open_source(seed=0, shifts=["kind"])


def prepared(factory, **options):
    out = factory.mktemp("shifts") / "dataset.zarr"
    prepare(out, source="lidc_contours", options=options, seed=0, threads=1)
    return out


def is_ground_glass():
    """(scan, nodule) -> whether the mean rating of texture is below 3, part-solid."""
    column = RATINGS.index("texture")
    return {(n.scan.id, n.index): n.ratings[:, column].mean() < 3 for n in all_nodules()}


def patients(items):
    scans = load()
    return {scans[item.scan].patient for item in items}


def contents(path):
    return {f.relative_to(path): f.read_bytes() for f in path.rglob("*") if f.is_file()}


def test_without_the_option_all_is_as_it_was_before_there_was_one(plain):
    """Rows 14 to 17 of column 16 of the first two images, as the code of before made them."""
    before = {
        "train": [(2.1695, 2.1695, 2.1695, 2.1695), (1.1357, 1.9458, 3.3234, 3.7885)],
        "val": [(-0.3674, 0.1898, 0.0951, -0.4832), (0.9547, 0.805, 1.0532, 1.1181)],
        "id": [(0.752, 0.3339, 0.8017, 1.2271), (3.4271, 3.1184, 3.116, 3.4807)],
        "ood_noise": [(0.9698, 0.5936, 1.3145, 0.8919), (2.5387, 3.1724, 2.7289, 2.5598)],
        "ood_blur": [(1.4096, 1.2755, 1.2557, 1.2818), (3.4119, 3.2297, 3.2508, 3.4568)],
        "ood_contrast": [(-0.236, -0.8436, -0.236, 0.5503), (1.4305, 0.9888, 1.136, 2.0195)],
        "ood_jpeg": [(0.407, 0.1819, 0.8009, 1.101), (3.1373, 3.0085, 3.4133, 3.6157)],
    }
    foreground = {"train": 5559, "val": 1165}
    assert set(store.splits(plain)) == set(before)
    for split, values in before.items():
        found = store.open_split(plain, split).load()
        np.testing.assert_allclose(found["image"][:2, 0, 14:18, 16], values, atol=2e-4)
        assert found["labels"].sum() == foreground.get(split, 608)


def test_the_four_corruptions_by_name_are_the_default(plain, tmp_path_factory):
    shifts = ["jpeg", "contrast", "blur", "noise"]
    named = prepared(tmp_path_factory, images=FEW, shifts=shifts)
    assert contents(named) == contents(plain)


def test_there_are_the_splits_that_were_asked_for(shifted):
    assert store.splits(shifted) == ["id", "ood_contrast", *SCANNED, "train", "val"]


def test_other_shifts_change_no_other_split(plain, shifted):
    for split in ("train", "val", "id", "ood_contrast"):
        a, b = (store.open_split(path, split).load() for path in (plain, shifted))
        assert a.identical(b)


def test_another_scanner_shows_the_items_of_id_with_their_labels_and_coordinates(shifted):
    clean = store.open_split(shifted, "id").load()
    for split in SCANNED:
        other = store.open_split(shifted, split).load()
        assert clean.drop_vars("image").identical(other.drop_vars("image"))
        for a, b in zip(clean["image"].values, other["image"].values, strict=True):
            assert 0.2 < np.corrcoef(a.ravel(), b.ravel())[0, 1] < 0.995


def test_shifts_by_a_scanner_alone_need_no_corruption(tmp_path_factory):
    out = prepared(tmp_path_factory, images=FEW, shifts=["kernel"])
    assert store.splits(out) == ["id", "ood_kernel", "train", "val"]


def test_ground_glass_nodules_are_all_in_their_split_and_nowhere_else(apart):
    ground_glass = is_ground_glass()
    for split, items in apart.splits.items():
        kinds = {ground_glass[item.scan, item.nodule] for item in items}
        assert kinds == {split == "ood_kind"}
    slices = sum(len(n.slices) for n in all_nodules() if ground_glass[n.scan.id, n.index])
    assert (
        len(open_source(seed=0, shifts=["kind"], images={"ood_kind": None}).splits["ood_kind"])
        == slices
    )
    assert slices == 1601  # as docs/data.md says


def test_patients_with_ground_glass_are_neither_in_train_nor_in_val(apart):
    theirs = patients(apart.splits["ood_kind"])
    assert len(theirs) > 100
    assert not theirs & patients([*apart.splits["train"], *apart.splits["val"]])


def test_what_stays_is_where_it_was(apart):
    whole, ground_glass = open_source(seed=0).splits, is_ground_glass()
    theirs = patients(
        Item(scan, nodule, 0) for (scan, nodule), is_it in ground_glass.items() if is_it
    )
    solid = [item for item in whole["id"] if not ground_glass[item.scan, item.nodule]]
    assert apart.splits["id"] == solid
    for split in ("train", "val"):
        left = [item for item in whole[split] if not patients([item]) & theirs]
        assert apart.splits[split] == left


def test_ood_kind_has_as_many_images_as_id_unless_its_number_is_given():
    def sizes(**images):
        found = open_source(seed=0, shifts=["kind"], images=images).splits
        return len(found["id"]), len(found["ood_kind"])

    everything = sizes(ood_kind=None)[1]
    assert sizes(id=40) == (40, 40)
    assert sizes(id=40, ood_kind=70) == (40, 70)
    assert sizes() == (sizes()[0], min(sizes()[0], everything))
    assert sizes()[0] > everything


def test_the_store_says_that_nodules_were_set_apart(apart):
    assert apart.attributes["split"].endswith("their patients neither in train nor in val")
    assert open_source(seed=0, shifts=["kernel"]).attributes["split"] == "by patient, 60/20/20"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"shifts": ["contrast", "sharp"]},
            "shifts: no shift 'sharp'; there are: noise, blur, contrast, jpeg, kernel, thick, kind",
        ),
        ({"shifts": []}, "shifts: found none; name one or more of noise, blur"),
        ({"shifts": ["thick", "kind", "thick"]}, "shifts: 'thick' is there twice"),
        ({"images": {"ood_kind": 5}}, "images: no split 'ood_kind'"),
        ({"shifts": ["kernel"], "images": {"ood_kernel": 5}}, "images: no split 'ood_kernel'"),
        (
            {"shifts": ["kind"], "images": {"ood_kind": 9999}},
            r"images\.ood_kind: expected 1 to \d+",
        ),
        ({"shifts": ["kind"], "images": {"id": 0}}, r"images\.id: expected 1 to \d+"),
    ],
)
def test_impossible_shifts_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        open_source(seed=0, **options)


def test_a_config_is_checked_against_the_same_shifts():
    known = ["noise", "blur", "contrast", "jpeg", "kernel", "thick", "kind"]

    def check(shifts):
        given = {"shifts": shifts}
        plugins.check_options("sources", "lidc_contours", "open_source", given, "options")

    check(known)
    with pytest.raises(InputError, match=r"options\.shifts\.0: .*" + ".*".join(known)):
        check(["sharp"])
