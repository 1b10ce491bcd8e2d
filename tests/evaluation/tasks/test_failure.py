import numpy as np
import pytest
import xarray as xr
from handmade import by_key, random_split, split_of
from sklearn.metrics import f1_score

from segue import dims
from segue.evaluation.metrics.aurc import aurc
from segue.evaluation.tasks import failure
from segue.evaluation.variants import CORRECTED


def test_the_risk_is_what_dice_lacks_and_the_score_the_map_s_mean():
    split = random_split("a")
    found = by_key(failure.score({"id": split}, [CORRECTED]))
    masks = split["prediction"].values.argmax(axis=1)
    risk = [
        1 - np.mean([f1_score(rater.ravel(), mask.ravel(), zero_division=1) for rater in raters])
        for mask, raters in zip(masks, split["labels"].values, strict=True)
    ]
    for measure in dims.MEASURES:
        scores = split["uncertainty"].sel(measure=measure).mean(("y", "x"), dtype=float).values
        expected = aurc(scores, np.array(risk))
        assert found["", "aurc", "id", measure, "mean"] == pytest.approx(expected, abs=1e-6)


def test_an_image_that_nobody_read_is_left_out_and_a_rater_counts_where_there_are_labels():
    split = random_split("a")
    labels = split["labels"].copy()
    labels[1] = dims.UNLABELLED
    labels[3, 0, :4] = dims.UNLABELLED
    found = list(failure.score({"id": split.assign(labels=labels)}, [CORRECTED]))
    read = [0, 2, 3, 4, 5]
    masks = split["prediction"].values.argmax(axis=1)
    risk = [
        1
        - np.mean(
            [
                f1_score(rater[rater < 9], mask[rater < 9], zero_division=1)
                for rater in labels.values[i]
            ]
        )
        for i, mask in enumerate(masks)
        if i in read
    ]
    for score in found:
        np.testing.assert_array_equal(np.flatnonzero(score.defined), read)
        if score.aggregation == "mean":
            u = split["uncertainty"].sel(measure=score.measure).mean(("y", "x"), dtype=float)
            assert score.values == pytest.approx(aurc(u.values[read], np.array(risk)), abs=1e-6)


def test_without_a_reading_there_is_no_risk():
    split = random_split("a")
    nothing = split.assign(labels=xr.full_like(split["labels"], dims.UNLABELLED))
    for score in failure.score({"id": nothing}, [CORRECTED]):
        assert np.isnan(score.values)
        assert score.reason == "no image that a rater read"


def test_uncertainty_that_grows_with_the_error_detects_best():
    """Two images, one right and one all wrong; the uncertain one is dealt with last."""
    sure, unsure = [0.0, 1.0], [0.4, 0.6]

    def area(right, wrong):
        probs = np.array([right, wrong]).reshape(2, 1, 1, 2, 1, 1) * np.ones((1, 2))
        labels = np.array([1, 0]).reshape(2, 1, 1, 1) * np.ones((1, 2))
        found = by_key(failure.score({"id": split_of(labels, probs)}, [CORRECTED]))
        return found["", "aurc", "id", "TU", "mean"]

    assert area(right=sure, wrong=unsure) == pytest.approx((0 + 1 / 2) / 2)
    assert area(right=unsure, wrong=sure) == pytest.approx((1 + 1 / 2) / 2)
