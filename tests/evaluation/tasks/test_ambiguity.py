import numpy as np
import pytest
from handmade import by_key, random_split, split_of
from scipy.stats import entropy, pearsonr

from segue import dims
from segue.evaluation.tasks import ambiguity
from segue.evaluation.variants import CORRECTED


def _score(split):
    found = by_key(ambiguity.score({"id": split}, [CORRECTED]))
    return {(metric, measure): values for (_, metric, _, measure, _), values in found.items()}


@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_the_correlation_with_the_raters_variance_and_entropy(classes):
    split = random_split("a", classes=classes, raters=4)
    found = _score(split)
    labels = split["labels"].values.astype(float)
    counts = np.stack([(labels == c).sum(axis=1) for c in range(classes)])
    truth = {"ncc": labels.var(axis=1), "ncc_entropy": entropy(counts, axis=0)}
    n = labels[0, 0].size
    for metric, reference in truth.items():
        for measure in dims.MEASURES:
            maps = split["uncertainty"].sel(measure=measure).values
            expected = [
                pearsonr(g.ravel(), u.ravel()).statistic * (n - 1) / n if g.any() else 0
                for g, u in zip(reference, maps, strict=True)
            ]
            np.testing.assert_allclose(found[metric, measure], expected, atol=1e-5)


def test_with_two_classes_an_even_and_an_uneven_vote_are_ranked_the_same():
    split = random_split("a", raters=3)  # variance and entropy take two values then: 0 and another
    found = _score(split)
    for measure in dims.MEASURES:
        np.testing.assert_allclose(found["ncc", measure], found["ncc_entropy", measure], atol=1e-9)


def test_the_entropy_does_not_depend_on_how_classes_are_numbered():
    split = random_split("a", classes=3, raters=4)
    renamed = split_of(np.array([1, 2, 0])[split["labels"].values], split["probs"].values)
    before, after = _score(split), _score(renamed)
    for measure in dims.MEASURES:
        key = ("ncc_entropy", measure)
        np.testing.assert_allclose(after[key], before[key], atol=1e-9)
    assert not np.allclose(after["ncc", "AU"], before["ncc", "AU"])


def test_a_single_rater_says_nothing_of_disagreement():
    for score in ambiguity.score({"id": random_split("a", raters=1)}, [CORRECTED]):
        assert np.isnan(score.values).all()
        assert not score.defined.any()
        assert score.reason == "no image that two raters read"


def test_disagreement_is_that_of_the_raters_who_labelled_a_pixel():
    """By hand: scipy's correlation over the pixels that two raters or more labelled."""
    split = random_split("a", classes=3, raters=4, images=2)
    labels = split["labels"].values.copy()
    labels[0, 1] = dims.UNLABELLED  # did not see the image
    labels[0, 2:, :3] = dims.UNLABELLED  # a single reading is left here
    labels[0, 3, 5, 5] = dims.UNLABELLED
    labels[1, 1:] = dims.UNLABELLED
    found = _score(split.assign(labels=split["labels"].copy(data=labels)))
    truth = {"ncc": np.zeros((12, 12)), "ncc_entropy": np.zeros((12, 12))}
    for y, x in np.ndindex(12, 12):
        votes = [v for v in labels[0, :, y, x] if v != dims.UNLABELLED]
        truth["ncc"][y, x] = np.var(votes)
        truth["ncc_entropy"][y, x] = entropy(np.bincount(votes))
    for metric, reference in truth.items():
        for measure in dims.MEASURES:
            u = split["uncertainty"].sel(measure=measure).values[0]
            g, u = reference[3:].ravel(), u[3:].ravel()
            value, nothing = found[metric, measure]
            assert value == pytest.approx(pearsonr(g, u).statistic * (108 - 1) / 108, abs=1e-6)
            assert np.isnan(nothing)


def test_readers_who_all_agree_still_have_no_correlation():
    split = random_split("a", raters=3)
    labels = split["labels"].copy(data=np.zeros_like(split["labels"].values))
    labels[:, 2, 0] = dims.UNLABELLED
    assert not any(values.any() for values in _score(split.assign(labels=labels)).values())
