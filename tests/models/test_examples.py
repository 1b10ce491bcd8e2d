import numpy as np
import pytest
import torch
import xarray as xr

from segue import dims
from segue.dims import UNLABELLED
from segue.errors import InputError
from segue.models import examples
from segue.seeds import rng


def split(labels: np.ndarray) -> xr.Dataset:
    image = np.arange(len(labels), dtype=np.float32)[:, None, None, None] + np.zeros((1, 1, 2, 2))
    return xr.Dataset({"image": (dims.IMAGE, image), "labels": (dims.LABELS, labels)})


def test_where_all_raters_are_there_the_draw_is_that_of_one_integer_an_image():
    drawn = examples.raters(np.ones((1000, 4), bool), rng(3, "order", 5))
    assert np.array_equal(drawn, rng(3, "order", 5).integers(4, size=1000))


@pytest.mark.parametrize("present", [[0], [3], [1, 2], [0, 2, 3], [0, 1, 2, 3]])
def test_raters_are_drawn_uniformly_among_those_who_are_there(present):
    n = 40_000
    there = np.zeros((n, 4), bool)
    there[:, present] = True
    counts = np.bincount(examples.raters(there, rng(0, "order", 0)), minlength=4)
    share = 1 / len(present)
    assert set(np.flatnonzero(counts)) == set(present)
    assert np.abs(counts[present] / n - share).max() <= 4 * np.sqrt(share * (1 - share) / n)


def test_who_is_missing_in_one_image_changes_no_draw_of_another():
    there = np.ones((50, 3), bool)
    whole = examples.raters(there, rng(0, "order", 0))
    there[7] = [False, True, False]
    found = examples.raters(there, rng(0, "order", 0))
    assert found[7] == 1
    assert np.array_equal(np.delete(found, 7), np.delete(whole, 7))


def test_a_rater_is_there_who_labelled_any_pixel():
    labels = np.full((2, 3, 2, 2), UNLABELLED, np.uint8)
    labels[0, 0], labels[0, 1, 1, 1], labels[1, 2] = 0, 1, 2
    found = examples.read(split(labels), "mine")
    assert found.there.tolist() == [[True, True, False], [False, False, True]]
    cpu = torch.device("cpu")
    near = examples.near(found, cpu)
    image, label = examples.batch(near, torch.tensor([1, 0]), torch.tensor([2, 1]), cpu)
    assert image[:, 0, 0, 0].tolist() == [1, 0]
    assert label.tolist() == [[[2, 2], [2, 2]], [[UNLABELLED, UNLABELLED], [UNLABELLED, 1]]]
    assert label.dtype == torch.int64


def test_an_image_without_labels_is_refused():
    labels = np.zeros((3, 2, 2, 2), np.uint8)
    labels[1] = UNLABELLED
    with pytest.raises(InputError, match=r"mine: 1 of the 3 images of split train have no labels"):
        examples.read(split(labels), "mine")
