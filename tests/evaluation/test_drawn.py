import numpy as np
import pytest
import xarray as xr

from segue import dims, store
from segue.evaluation import drawn
from segue.left_out import COMPLEMENT

RNG = np.random.default_rng(0)


def _stores(path, classes):
    """The same samples, all of them and without the first class."""
    probs = RNG.dirichlet(np.ones(classes), (3, 2, 4, 5, 6)).astype(np.float16)
    probs = np.moveaxis(probs, -1, 3).astype(np.float32)
    probs[:, :, :, 0] = np.maximum(1 - probs[:, :, :, 1:].sum(axis=3), 0)
    labels = RNG.integers(0, classes, (3, 2, 5, 6), np.uint8)
    with store.publish(path) as new:
        store.describe(new, {})
        for split, more in (("id", {}), ("val", {"without": COMPLEMENT, "stored_as": "float16"})):
            array = store.create(
                new, split, "probs", dims.SAMPLES, probs.shape, "float32", chunk=2, **more
            )
            array[:] = probs
            array = store.create(new, split, "labels", dims.LABELS, labels.shape, "uint8", chunk=2)
            array[:] = labels
    return {split: store.open_split(path, split) for split in ("id", "val")}


@pytest.mark.parametrize("classes", [2, 3])
def test_samples_are_the_same_read_as_they_are_stored(tmp_path, classes):
    splits = _stores(tmp_path / "s.zarr", classes)
    read = {name: drawn.as_stored(each, tmp_path / "s.zarr", name) for name, each in splits.items()}
    assert read["id"] is splits["id"]
    assert read["val"].sizes["class"] == classes - 1
    assert read["val"]["probs"].encoding["chunks"][0] == 2  # or chunks are decoded twice
    (whole,), (less,) = (drawn.few(read[name], "strict") for name in ("id", "val"))
    assert whole.classes == less.classes == classes
    np.testing.assert_array_equal(whole.labels, less.labels)
    np.testing.assert_array_max_ulp(whole.planes, less.planes, maxulp=1)
    np.testing.assert_allclose(whole.prediction, less.prediction, rtol=0, atol=1e-7)


def test_every_half_from_0_to_1_is_widened_exactly():
    halves = np.arange(0x3C01, dtype=np.uint16).view(np.float16)
    found = np.empty((2, halves.size), np.float32)[:, ::1]
    drawn._widen(np.stack([halves, halves[::-1]]), found)
    np.testing.assert_array_equal(found, np.stack([halves, halves[::-1]]).astype(np.float32))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 2, -0.5])
def test_what_is_no_probability_stays_so(wrong):
    halves = np.array([0.25, wrong], np.float16)
    found = np.empty(2, np.float32)
    drawn._widen(halves, found)
    np.testing.assert_array_equal(found, halves.astype(np.float32))


def test_means_of_hypotheses_are_those_of_draws_whatever_the_roles():
    probs = xr.DataArray(
        RNG.dirichlet([1, 1], (1, 1, 4, 5, 6)), dims=(*dims.SAMPLES[:3], "y", "x", "class")
    )
    split = xr.Dataset(
        {
            "probs": probs.transpose(*dims.SAMPLES),
            "labels": (dims.LABELS, np.zeros((1, 2, 5, 6), np.uint8)),
        }
    )
    for roles in drawn.NONE_ROLES:
        (found,) = drawn.few(split, roles)
        expected = probs.isel({"class": 1}).mean("au_sample").values.reshape(1, 1, 1, 30)
        np.testing.assert_allclose(found.means, expected, rtol=1e-6)
