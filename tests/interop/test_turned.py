"""Predictions that lie otherwise than the masks are noticed, and others are not."""

import numpy as np
import pytest

from segue.interop.turned import TURNS, Fit


def image(shape=(9, 9)):
    """A mask that no turn leaves as it is, and probabilities (e, a, class, y, x) that follow it."""
    mask = np.zeros(shape, np.uint8)
    mask[1:7, 1:3] = mask[1:3, 1:5] = 1
    foreground = 0.1 + 0.8 * mask
    return np.stack([1 - foreground, foreground])[None, None], mask[None]


def line(probs, labels):
    fit = Fit()
    fit.add(probs, labels)
    return fit.line()


def test_what_fits_is_not_doubted():
    probs, labels = image()
    assert line(probs, labels).startswith("predictions fit the masks with a soft Dice of 0.7")


@pytest.mark.parametrize("turn", [name for name in TURNS if name != "as they lie"])
def test_each_turn_is_told_by_its_name(turn):
    probs, labels = image()
    said = line(probs, TURNS[turn](labels[0])[None])
    assert said.startswith("WARNING")
    assert f" {turn}: are axes" in said


def test_other_turns_of_images_that_are_no_squares_are_told():
    probs, labels = image((9, 11))
    assert "WARNING" in line(probs, labels[:, ::-1, ::-1])
    assert "WARNING" not in line(probs, labels)


def test_nothing_is_said_without_a_foreground():
    assert (
        line(np.stack([np.ones((4, 4)), np.zeros((4, 4))])[None, None], np.zeros((1, 4, 4))) is None
    )


def test_pixels_without_a_label_do_not_count():
    probs, labels = image()
    labels = np.concatenate([labels, np.full_like(labels, 255)])
    assert "WARNING" not in line(probs, labels)
