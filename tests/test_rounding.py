import numpy as np
import pytest

from segue.errors import InputError
from segue.rounding import ALL, check, rounded


def test_known_answers():
    # 7 bits have 1 + 2^-7; 6 bits have 1 and 1 + 2^-6, as far from it, and choose the even one.
    values = np.array([1 + 2**-7, 0.75, 0, -1 - 3 * 2**-7], np.float16)
    assert rounded(values, 7).tolist() == values.tolist()
    assert rounded(values, 6).tolist() == [1, 0.75, 0, -1 - 2**-5]
    assert rounded(values, 6).dtype == np.float16


@pytest.mark.parametrize("kind", ["float16", "float32"])
@pytest.mark.parametrize("bits", [3, 7, 10])
def test_the_error_is_at_most_half_of_the_last_bit(kind, bits):
    values = np.random.default_rng(0).random((40, 50)).astype(kind)
    found = rounded(values, bits)
    assert found.shape == values.shape
    assert np.all(np.abs(found.astype(float) - values) <= 2.0 ** -(bits + 1) * values)
    assert (found <= 1).all()
    full = ALL[kind]
    assert len(np.unique(found.view(f"u{values.itemsize}") & (2 ** (full - bits) - 1))) == 1


def test_all_bits_leave_the_very_array():
    values = np.ones(3, np.float32)
    assert rounded(values, 23) is values


@pytest.mark.parametrize("bits", [2, 24])
def test_bits_that_there_are_not_are_refused(bits):
    with pytest.raises(InputError, match=r"^where: expected 3 to 23 bits of float32, found"):
        check(bits, "float32", "where")
