import numpy as np
import pytest

from segue.dims import UNLABELLED
from segue.evaluation.readings import labelled, together


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        ([], [[0, 1, 2, 3]]),
        ([2], [[0, 1, 3], [2]]),
        ([0, 3], [[1, 2], [0], [3]]),
        ([0, 1, 2, 3], [[0], [1], [2], [3]]),
    ],
)
def test_images_that_lack_no_label_come_together_and_each_other_one_alone(lacking, expected):
    labels = np.zeros((4, 2, 3, 3), np.uint8)
    labels[lacking, 1, 0, 2] = UNLABELLED
    assert [np.arange(4)[index].tolist() for index in together(labels)] == expected


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.int8])
def test_a_label_is_there_whatever_the_type_of_the_integers(kind):
    labels = np.arange(4).astype(kind)
    assert labelled(labels).all()
    if kind != np.int8:  # which has no 255
        labels[1] = UNLABELLED
        assert labelled(labels).tolist() == [True, False, True, True]
