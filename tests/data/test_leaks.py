"""What is trained on is not tested on."""

import numpy as np
import pytest

from segue.data.leaks import Entry, check, digest
from segue.errors import InputError


def test_a_group_or_a_picture_in_two_splits_is_refused_by_name():
    fine = [
        Entry("train", "line 2", "a", b"1"),
        Entry("train", "line 3", "a", b"1"),
        Entry("id", "line 4", "b", b"2"),
        Entry("ood_x", "line 5", "b", b"2"),  # shifted copies are of the same patients
        Entry("val", "line 6", "", None),
        Entry("id", "line 7", "", None),
    ]
    check(fine)
    with pytest.raises(InputError, match=r"line 9 \(val\): the group 'b' as line 4 \(id\)"):
        check([*fine, Entry("val", "line 9", "b", b"3")])
    with pytest.raises(InputError, match=r"line 9 \(id\): the same picture as line 2 \(train\)"):
        check([*fine, Entry("id", "line 9", "c", b"1")])


def test_a_digest_tells_pictures_apart_but_not_empty_ones():
    image = np.arange(12.0).reshape(1, 3, 4)
    assert digest(image) == digest(image.copy())
    assert digest(image) != digest(image.reshape(1, 4, 3))
    assert digest(image) != digest(image + 1)
    assert digest(np.zeros((1, 3, 4))) is None
