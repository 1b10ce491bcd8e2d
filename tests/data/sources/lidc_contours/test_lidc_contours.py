import pickle
from itertools import pairwise

import numpy as np
import pytest

from segue.data.contours.database import load
from segue.data.corruptions import CORRUPTIONS
from segue.data.sources import lidc_contours
from segue.data.sources.lidc_contours import open_source
from segue.errors import InputError


@pytest.fixture(scope="module")
def everything():
    return open_source(seed=0, crop=32)


@pytest.fixture(scope="module")
def few():
    return open_source(seed=0, crop=48, images={"train": 60, "val": 5, "id": 8})


def patients(source):
    """Split -> the scans of its samples; a patient has one scan or two."""
    return {split: {item.scan for item in items} for split, items in source.splits.items()}


def test_every_slice_is_in_one_split(everything):
    items = [item for split in everything.splits.values() for item in split]
    assert len(items) == len(set(items)) == 15739


def test_patients_are_split_60_20_20(everything):
    patient = {scan.id: scan.patient for scan in load().values()}
    found = {s: {patient[scan] for scan in scans} for s, scans in patients(everything).items()}
    assert {split: len(names) for split, names in found.items()} == {
        "train": 525,
        "val": 175,
        "id": 175,
    }
    assert len(set.union(*found.values())) == 875


def test_neither_the_limits_nor_the_crop_change_who_is_in_which_split(everything, few):
    for split, scans in patients(few).items():
        assert scans <= patients(everything)[split]


def test_a_seed_gives_another_split(everything):
    assert patients(open_source(seed=1))["id"] != patients(everything)["id"]


def test_a_limit_takes_that_many_slices_of_many_nodules(few):
    assert {split: len(items) for split, items in few.splits.items()} == {
        "train": 60,
        "val": 5,
        "id": 8,
    }
    assert len({(item.scan, item.nodule) for item in few.splits["train"]}) > 50


def test_a_smaller_limit_takes_slices_of_a_larger_one(few):
    fewer = open_source(seed=0, crop=48, images={"train": 20})
    assert set(fewer.splits["train"]) < set(few.splits["train"])
    assert set(few.splits["val"]) < set(fewer.splits["val"])  # no limit on val there


def test_slices_of_a_nodule_are_next_to_each_other(everything):
    nodules = [(item.scan, item.nodule) for item in everything.splits["train"]]
    changes = sum(a != b for a, b in pairwise(nodules))
    assert changes + 1 == len(set(nodules))


def test_a_sample_is_an_image_in_the_lung_window_with_four_masks(few):
    for item in few.splits["id"]:
        sample = few.read(item)
        assert sample.image.shape == (1, 48, 48)
        assert sample.image.dtype == np.float32
        assert sample.image.min() >= 0
        assert sample.image.max() <= 1
        assert sample.labels.shape == (4, 48, 48)
        assert sample.labels.dtype == np.uint8
        assert set(np.unique(sample.labels)) == {0, 1}
        assert sample.coordinates["patient"].startswith("LIDC-IDRI-")
        assert sample.coordinates["slice"] == item.slice


def test_what_is_read_does_not_depend_on_what_was_read_before(few):
    items = few.splits["train"][:6]
    forwards = [few.read(item) for item in items]
    backwards = [few.read(item) for item in reversed(items)][::-1]
    for a, b in zip(forwards, backwards, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.labels, b.labels)


def test_a_worker_that_only_gets_the_item_reads_the_same(few):
    item = few.splits["val"][0]
    before = few.read(item)
    read, sent = pickle.loads(pickle.dumps((few.read, item)))
    lidc_contours._phantom.cache_clear()
    np.testing.assert_array_equal(read(sent).image, before.image)
    assert len(pickle.dumps(sent)) < 200


def test_the_masks_have_the_same_size_whatever_the_crop_when_they_fit(few):
    wide = open_source(seed=0, crop=128, images={"id": 8})
    for item in few.splits["id"]:
        narrow, whole = few.read(item).labels, wide.read(item).labels
        if not (whole[:, :40].any() or whole[:, 88:].any()):
            np.testing.assert_array_equal(narrow.sum((1, 2)), whole.sum((1, 2)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop": 15}, r"crop: expected 16 to 512 pixels, got 15"),
        ({"crop": 513}, r"crop: expected 16 to 512 pixels, got 513"),
        ({"images": {"test": 5}}, r"no split 'test'"),
        ({"images": {"val": 99999}}, r"images\.val: expected 1 to \d+"),
        ({"images": {"val": 0}}, r"images\.val: expected 1 to \d+"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        open_source(seed=0, **options)


def test_the_source_says_what_it_is(few):
    assert few.attributes["caption"] == "real masks, simulated CT"
    assert few.attributes["licence"] == "CC BY 3.0"
    assert few.classes == ("background", "nodule")
    assert tuple(few.corruptions) == tuple(CORRUPTIONS)
