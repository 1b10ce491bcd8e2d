"""Probabilities are stored rounded and computed on as probabilities."""

import numpy as np
import pytest
import xarray as xr

from segue.evaluation.probabilities import probabilities


def _stored(values, dtype="float16"):
    return xr.DataArray(np.array(values, dtype), dims=("image", "class"))


def test_what_is_stored_is_divided_by_its_sum():
    found = probabilities(_stored([[0.25, 0.25], [1, 3]]))
    np.testing.assert_array_equal(found, [[0.5, 0.5], [0.25, 0.75]])


def test_rounded_probabilities_are_float32_that_sum_to_one():
    rng = np.random.default_rng(0)
    stored = _stored(rng.dirichlet([0.3] * 5, 1000))
    assert abs(stored.astype(float).sum("class") - 1).max() > 1e-4
    found = probabilities(stored)
    assert found.dtype == np.float32
    assert found.dims == stored.dims
    np.testing.assert_allclose(found.sum("class"), 1, atol=3e-7)


def test_the_most_probable_class_stays_so():
    stored = _stored([[0.3, 0.3005, 0.3995], [0.5005, 0.4998, 0]])
    assert probabilities(stored).argmax("class").values.tolist() == [2, 0]


@pytest.mark.parametrize("dims", [("image", "class"), ("class", "image")])
def test_the_sum_is_over_class_wherever_it_is(dims):
    found = probabilities(_stored([[0.2, 0.2], [0.9, 0.1]]).transpose(*dims))
    np.testing.assert_allclose(found.sel(image=0), 0.5)


def test_what_was_not_written_is_no_probability():
    assert np.isnan(probabilities(_stored([[np.nan, np.nan]]))).all()
