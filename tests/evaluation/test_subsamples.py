import numpy as np
import pytest
from handmade import random_split
from hypothesis import given
from hypothesis import strategies as st

from segue.evaluation.decomposition import decompose
from segue.evaluation.estimators import hypotheses
from segue.evaluation.metrics.entropy import planes
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


def _samples(**sizes):
    probs = random_split("a", images=1, **sizes)["probs"].astype("float32")
    draws = probs.transpose("eu_sample", "au_sample", "class", ...)
    return probs, hypotheses(planes(draws.values, axis=2))


def test_the_numbers_that_there_are_are_taken_and_the_full_ones_always():
    _, samples = _samples(hypotheses=4, draws=6)
    found = [written(each) for each in subsamples(samples, [3, 1, 10, 1], [2, 5])]
    assert found == ["all", "draws=1", "draws=3", "draws=6", "hypotheses=2", "hypotheses=4"]


@pytest.mark.parametrize("classes", [2, 3])
def test_measures_are_those_of_the_first_samples(classes):
    probs, samples = _samples(hypotheses=3, draws=4, classes=classes)
    chosen = subsamples(samples, [2], [2])
    estimators = ("plugin", "jackknife")
    swept = sweep(samples, chosen, estimators)
    found = dict(zip(map(written, chosen), swept, strict=True))
    for how, part in (
        ("all", probs),
        ("draws=2", probs[:, :, :2]),
        ("draws=4", probs),
        ("hypotheses=2", probs[:, :2]),
        ("hypotheses=3", probs),
    ):
        for estimator, values in zip(estimators, found[how], strict=True):
            expected = decompose(part, estimator).transpose("measure", ...)
            np.testing.assert_array_equal(values.astype("f4"), expected)
