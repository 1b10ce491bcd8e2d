import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import pearsonr

from segue.evaluation.metrics.ncc import ncc

RNG = np.random.default_rng(0)


def test_a_map_with_itself_falls_short_of_one_by_the_pixel():
    maps = RNG.random((1, 128, 128))
    assert ncc(maps, maps) == pytest.approx(0.99994, abs=2e-6)
    assert ncc(maps, -maps) == pytest.approx(-16383 / 16384)


def test_it_is_pearson_s_correlation_of_scipy_times_n_minus_one_over_n():
    reference, maps = RNG.random((2, 4, 9, 7))
    expected = [
        pearsonr(g.ravel(), u.ravel()).statistic * 62 / 63
        for g, u in zip(reference, maps, strict=True)
    ]
    np.testing.assert_allclose(ncc(reference, maps), expected)


def test_references_are_shared_by_measures():
    reference, maps = RNG.random((2, 5, 5)), RNG.random((2, 3, 5, 5)).astype(np.float32)
    found = ncc(reference[:, None], maps)
    assert found.shape == (2, 3)
    assert found[1, 2] == pytest.approx(ncc(reference[1], maps[1, 2]))


@pytest.mark.parametrize("constant", [0, 0.1, 1e-7])
def test_a_constant_map_has_none(constant):
    maps, flat = RNG.random((2, 6, 6)), np.full((2, 6, 6), constant, np.float32)
    assert not ncc(maps, flat).any()
    assert not ncc(flat, maps).any()
    assert not ncc(flat, flat).any()


def test_what_is_no_number_has_no_correlation():
    maps = RNG.random((2, 6, 6))
    broken = maps.copy()
    broken[1, 2, 3] = np.nan
    np.testing.assert_array_equal(np.isnan(ncc(maps, broken)), [False, True])


MAPS = hnp.arrays(np.float64, (4, 4), elements=st.floats(0, 1).map(lambda x: round(x, 3)))


@given(MAPS, MAPS, st.floats(0.1, 10), st.floats(-1, 1))
def test_scale_and_offset_do_not_matter(first, second, scale, offset):
    value = ncc(first, second)
    assert -1 <= value <= 1
    assert ncc(second, first) == pytest.approx(value, abs=1e-6)
    assert ncc(first, scale * second + offset) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("side", [5, 64])
def test_it_does_not_matter_how_many_images_are_compared_at_a_time(side):
    rng = np.random.default_rng(0)
    references = rng.random((2, 7, 1, side, side))
    maps = rng.random((7, 3, side, side)).astype(np.float32)
    together = ncc(references, maps)
    for image in range(7):
        alone = ncc(references[:, [image]], maps[[image]])
        np.testing.assert_array_equal(together[:, [image]], alone)
        single = ncc(references[1, image, 0], maps[image, 2])
        assert single == together[1, image, 2]
