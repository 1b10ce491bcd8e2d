import numpy as np
import pytest

from segue.evaluation.metrics.masks import argmax, frequencies, one_hot, pack


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("axis", [0, 2])
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_argmax_is_numpy_s_ties_and_all(dtype, axis, classes):
    shape = [4, 5, 6]
    shape.insert(axis, classes)
    probs = np.random.default_rng(0).integers(0, 4, shape).astype(dtype) / 8
    np.testing.assert_array_equal(argmax(probs, axis), probs.argmax(axis))


def test_half_precision_is_compared_as_numbers():
    values = np.arange(0x3C01, dtype=np.uint16).view(np.float16)  # all of [0, 1]
    pairs = np.stack([values[:-1], values[1:]])
    assert argmax(pairs, 0).all()
    assert not argmax(pairs[::-1], 0).any()


def test_frequencies_by_hand():
    labels = np.array([0, 1, 1, 2]).reshape(1, 4, 1, 1)
    np.testing.assert_allclose(frequencies(labels, 3).ravel(), [0.25, 0.5, 0.25])


def test_frequencies_are_of_the_raters_who_labelled_a_pixel():
    labels = np.array([[0, 1, 255, 1], [255, 255, 255, 2], [255, 255, 255, 255]])
    found = frequencies(labels.T.reshape(1, 4, 1, 3), 3)[0, :, 0]
    np.testing.assert_allclose(found, [[1 / 3, 0, 0], [2 / 3, 0, 0], [0, 1, 0]])


def _flags(bits, pixels):
    return np.unpackbits(bits.view(np.uint8), axis=-1)[..., :pixels]


def test_one_hot_marks_the_classes_asked_for():
    masks = np.array([[[0, 1], [2, 1]]])
    found = _flags(one_hot(masks, range(1, 3)), 4)
    np.testing.assert_array_equal(found, [[[0, 1, 0, 1]], [[0, 0, 1, 0]]])


@pytest.mark.parametrize("pixels", [1, 7, 64, 65, 200])
def test_packed_flags_are_the_flags_and_nothing_beyond_them(pixels):
    flags = np.random.default_rng(0).random((2, 3, pixels)) < 0.5
    bits = pack(flags)
    assert bits.shape == (2, 3, -(-pixels // 64))
    np.testing.assert_array_equal(_flags(bits, pixels), flags)
    np.testing.assert_array_equal(np.bitwise_count(bits).sum(axis=-1), flags.sum(axis=-1))
