import pytest
import xarray as xr
from handmade import random_split
from hypothesis import given
from hypothesis import strategies as st

from segue.evaluation.maps import decompose
from segue.evaluation.subsamples import Subsample, parsed, subsamples, sweep, written


@given(st.sampled_from(["draws", "hypotheses"]), st.integers(1, 10**6))
def test_what_is_written_is_parsed(of, number):
    assert parsed(written(Subsample(of, number))) == (of, number)


def test_by_hand():
    assert written(Subsample("draws", 5)) == "draws=5"
    assert parsed("hypotheses=3") == Subsample("hypotheses", 3)
    assert parsed("all") == Subsample("all")
    assert written(Subsample("all")) == "all"


@pytest.mark.parametrize("wrong", ["", "draws", "draws=", "draws=x", "mean=3", "all=3", "draws=05"])
def test_what_was_not_written_so_is_refused(wrong):
    with pytest.raises(ValueError, match=r"expected draws=N, hypotheses=N or all, found"):
        parsed(wrong)


def test_the_numbers_that_there_are_are_taken_and_the_full_ones_always():
    probs = random_split("a", hypotheses=4, draws=6)["probs"]
    found = [written(each) for each in subsamples(probs, [3, 1, 10, 1], [2, 5])]
    assert found == ["all", "draws=1", "draws=3", "draws=6", "hypotheses=2", "hypotheses=4"]


def test_maps_are_those_of_the_first_samples():
    probs = random_split("a", hypotheses=3, draws=4)["probs"].astype("float32")
    chosen = subsamples(probs, [2], [2])
    found = {written(each): maps for each, maps in sweep(probs, chosen, "plugin", "jackknife")}
    for estimator in ("plugin", "jackknife"):
        for how, part in (
            ("all", probs),
            ("draws=2", probs[:, :, :2]),
            ("draws=4", probs),
            ("hypotheses=2", probs[:, :2]),
            ("hypotheses=3", probs),
        ):
            xr.testing.assert_identical(found[how][estimator], decompose(part, estimator))
