"""The choice of images that are worth showing."""

import numpy as np
import xarray as xr

from segue import dims
from segue.evaluation.shown import choose, evenly


def _split(labels):
    return xr.Dataset({"labels": (dims.LABELS, np.asarray(labels, "uint8"))})


def _voted(votes, side=4):
    """Labels of images whose upper half is marked by that many of four raters."""
    labels = np.zeros((len(votes), 4, side, side), "uint8")
    for image, marking in enumerate(votes):
        labels[image, :marking, : side // 2] = 1
    return labels


def test_images_run_from_agreement_to_disagreement():
    split = _split(_voted([2, 0, 4, 3]))  # disagreement 1/2, none marked, 0 and 3/8
    assert choose(split, 3) == [2, 3, 0]


def test_one_image_is_the_median():
    assert choose(_split(_voted([2, 4, 3])), 1) == [2]


def test_more_images_than_there_are_gives_all():
    assert choose(_split(_voted([2, 4])), 9) == [1, 0]


def test_small_marks_are_left_out():
    labels = _voted([2, 3, 4])
    labels[1, :, 1:] = 0
    assert choose(_split(labels), 3) == [2, 0]


def test_the_choice_does_not_depend_on_how_many_images_are_read_at_a_time():
    labels = _voted([2, 3] * 70, side=8)
    labels[100] = 1
    assert choose(_split(labels), 2) == [100, 138]


def test_without_any_mark_there_is_nothing_to_show():
    assert choose(_split(_voted([0, 0])), 1) == []


def test_none_are_none():
    assert choose(_split(_voted([2, 4])), 0) == []


def test_places_are_spread_from_the_first_to_the_last():
    assert evenly(9, 3) == [0, 4, 8]
    assert evenly(3, 3) == evenly(3, 7) == [0, 1, 2]
    assert evenly(9, 1) == [4]


def test_what_no_rater_labelled_is_neither_marked_nor_disagreed_on():
    labels = _voted([2, 0, 4, 3, 4])
    labels[2, 1:] = dims.UNLABELLED  # one reading is left: full agreement
    labels[1, 0] = dims.UNLABELLED  # nobody marked anything
    labels[4, :2] = dims.UNLABELLED
    labels[4, 2, :2] = 0  # of two readings one marks: 1/2
    assert choose(_split(labels), 4) == [2, 3, 0, 4]
