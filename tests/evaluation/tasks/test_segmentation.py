from itertools import permutations, product

import numpy as np
import pytest
from handmade import by_key, random_split, scores_of, split_of
from scipy.stats import entropy
from sklearn.metrics import f1_score, jaccard_score

from segue.dims import UNLABELLED
from segue.evaluation.probabilities import probabilities
from segue.evaluation.variants import CORRECTED, PAPER_CODE

INSIGHT = ("collective_insight", "combined_sensitivity", "maximum_dice", "diversity_agreement")


def _score(split):
    found = by_key(scores_of("segmentation", {"id": split}, [CORRECTED]))
    return {(metric, how): values for (_, metric, _, _, how), values in found.items()}


@pytest.fixture(scope="module", params=[2, 3], ids=["2 classes", "3 classes"])
def split(request):
    return random_split("a", images=3, classes=request.param)


def _mean_overlap(score, first, second, classes):
    settings = {"labels": range(1, classes), "average": "macro", "zero_division": 1}
    pairs = product(first, second)
    return np.mean([score(a.ravel(), b.ravel(), **settings) for a, b in pairs])


def test_it_scores_each_image_by_name(split):
    found = _score(split)
    assert set(found) == {
        *((metric, "") for metric in ("dice", "nll", "brier", "hm_iou", *INSIGHT)),
        *((metric, "") for metric in ("diversity", "diversity_raters", "draw_information")),
        *product(("ged", "ged_bma"), ("dice", "iou")),
    }
    assert {values.shape for values in found.values()} == {(3,)}


def test_dice_is_the_mean_over_raters_of_the_mean_prediction_s(split):
    masks = split["prediction"].values.argmax(axis=1)
    expected = [
        _mean_overlap(f1_score, [mask], raters, split.sizes["class"])
        for mask, raters in zip(masks, split["labels"].values, strict=True)
    ]
    np.testing.assert_allclose(_score(split)["dice", ""], expected, atol=1e-6)


@pytest.mark.parametrize(("how", "score"), [("dice", f1_score), ("iou", jaccard_score)])
def test_ged_is_of_samples_and_ged_bma_of_hypotheses(split, how, score):
    classes = split.sizes["class"]
    samples = split["probs"].values.argmax(axis=3)
    means = probabilities(split["probs"]).mean("au_sample").values.argmax(axis=2)

    def energy(masks, raters):
        mixed, own, among = (
            1 - _mean_overlap(score, a, b, classes)
            for a, b in ((masks, raters), (masks, masks), (raters, raters))
        )
        return 2 * mixed - own - among

    for i, raters in enumerate(split["labels"].values):
        ged = np.mean([energy(draws, raters) for draws in samples[i]])
        assert _score(split)["ged", how][i] == pytest.approx(ged, abs=1e-6)
        assert _score(split)["ged_bma", how][i] == pytest.approx(energy(means[i], raters), abs=1e-6)


def test_samples_that_are_the_raters_masks_are_perfect():
    labels = random_split("a", raters=4)["labels"].values
    probs = np.stack([labels == 0, labels == 1], axis=2)[:, None].astype(np.float16)
    found = _score(split_of(labels, probs))
    np.testing.assert_allclose(found["ged", "dice"], 0, atol=1e-6)
    for metric in ("hm_iou", *INSIGHT):
        np.testing.assert_allclose(found[metric, ""], 1, atol=1e-6, err_msg=metric)


def _missing(split, *places):
    labels = split["labels"].copy()
    for place in places:
        labels[place] = UNLABELLED
    return split.assign(labels=labels)


def test_a_rater_who_saw_nothing_is_as_if_there_were_none(split):
    found = _score(_missing(split, (0, 1), (2, 1)))
    expected = _score(split.isel(rater=[0, 2]))
    np.testing.assert_array_equal(found.pop(("missing_readings", "")), [1, 0, 1])
    for key, values in expected.items():
        np.testing.assert_allclose(found[key][[0, 2]], values[[0, 2]], rtol=1e-6, err_msg=key)
        np.testing.assert_array_equal(found[key][1], _score(split)[key][1])


def test_masks_are_compared_on_the_pixels_that_all_raters_labelled(split):
    """As if the image were cut there; every rater lacks another part of the rest."""
    lacking = _missing(split, (0, 0, slice(8, 10)), (0, 1, slice(10, 12)))
    found, cut = _score(lacking), _score(split.isel(y=slice(8)))
    each_alike = *product(("ged", "ged_bma"), ("dice", "iou")), *product(("hm_iou", *INSIGHT), [""])
    for metric, how in each_alike:
        assert found[metric, how][0] == pytest.approx(cut[metric, how][0], rel=1e-6)


def test_dice_is_on_the_pixels_of_each_rater_and_likelihood_on_those_with_a_label(split):
    classes = split.sizes["class"]
    lacking = _missing(split, (0, 0, slice(8, 10)), (0, 1, slice(6, 12)), (0, 2))
    found = _score(lacking)
    labels, probs = lacking["labels"].values[0], split["prediction"].values[0]
    pairs = [(probs.argmax(axis=0), labels[0], labels[0] < 9), (0, labels[1], labels[1] < 9)]
    dices = [
        _mean_overlap(f1_score, [pairs[0][0][there]], [rater[there]], classes)
        for _, rater, there in pairs
    ]
    assert found["dice", ""][0] == pytest.approx(np.mean(dices), abs=1e-6)
    logs, squares = [], []
    for rater, y, x in np.argwhere(labels != UNLABELLED):
        p, label = probs[:, y, x].astype(float), labels[rater, y, x]
        logs.append(-np.log(max(p[label], 2**-24)))
        squares.append(((p - np.eye(classes)[label]) ** 2).sum())
    assert found["nll", ""][0] == pytest.approx(np.mean(logs), rel=1e-5)
    assert found["brier", ""][0] == pytest.approx(np.mean(squares), rel=1e-5)


def test_an_image_that_nobody_read_has_no_score_and_without_a_shared_pixel_no_distance(split):
    lacking = _missing(split, (0,), (1, 0, slice(0, 6)), (1, 1, slice(6, 12)))
    for score in scores_of("segmentation", {"id": lacking}, [CORRECTED]):
        distance = score.metric in (
            *("ged", "ged_bma", "hm_iou", "diversity", "diversity_raters"),
            *INSIGHT,
        )
        expected = [True, distance, False] if distance else [True, False, False]
        if score.metric not in ("missing_readings", "draw_information"):  # not of pixels' labels
            np.testing.assert_array_equal(np.isnan(score.values), expected)
            np.testing.assert_array_equal(~score.defined, expected)


def test_pixel_accuracy_is_of_labelled_pixels_too():
    split = random_split("a", images=1, classes=3, raters=2)
    lacking = _missing(split, (0, 0, slice(0, 5)), (0, 1, slice(9, 12)))
    (found,) = by_key(scores_of("segmentation", {"id": lacking}, [PAPER_CODE]))[
        "paper_code", "dice", "id", "", ""
    ]
    mask, labels = split["prediction"].values[0].argmax(axis=0), split["labels"].values[0]
    right = labels == mask
    assert found == pytest.approx((right[0, 5:].mean() + right[1, :9].mean()) / 2)


def test_hypotheses_are_scored_one_by_one():
    split = random_split("a", hypotheses=3)
    each = [_score(split.isel(eu_sample=[i])) for i in range(3)]
    for key in (
        *(("ged", "dice"), ("ged", "iou"), ("hm_iou", ""), *product(INSIGHT, [""])),
        *(("diversity", ""), ("draw_information", "")),
    ):
        expected = np.mean([found[key] for found in each], axis=0)
        np.testing.assert_allclose(_score(split)[key], expected, atol=1e-6)


def test_diversity_is_of_pairs_of_different_masks(split):
    """As a loop over the pairs; so that ten draws compare with three raters."""
    classes, found = split.sizes["class"], _score(split)
    samples = split["probs"].values.argmax(axis=3)
    for i, raters in enumerate(split["labels"].values):
        own = [
            1 - _mean_overlap(f1_score, [a], [b], classes)
            for draws in samples[i]
            for a, b in permutations(draws, 2)
        ]
        among = [1 - _mean_overlap(f1_score, [a], [b], classes) for a, b in permutations(raters, 2)]
        assert found["diversity", ""][i] == pytest.approx(np.mean(own), abs=1e-6)
        assert found["diversity_raters", ""][i] == pytest.approx(np.mean(among), abs=1e-6)


def test_draws_like_the_raters_masks_are_as_diverse():
    labels = random_split("a", raters=4)["labels"].values
    probs = np.stack([labels == 0, labels == 1], axis=2)[:, None].astype(np.float16)
    found = _score(split_of(labels, probs))
    assert (found["diversity", ""] > 0).any()
    np.testing.assert_allclose(found["diversity", ""], found["diversity_raters", ""], atol=1e-6)


def test_draw_information_is_a_ratio_of_sums_over_pixels_and_a_mean_over_hypotheses(split):
    probs = probabilities(split["probs"]).values.astype(float)
    total = entropy(probs.mean(axis=2), axis=2).sum(axis=(-1, -2))
    draws = entropy(probs, axis=3).mean(axis=2).sum(axis=(-1, -2))
    expected = ((total - draws) / total).mean(axis=1)
    np.testing.assert_allclose(_score(split)["draw_information", ""], expected, rtol=1e-4)


def test_draws_that_are_equal_or_sure_have_known_information():
    """Equal draws: 0. Two sure draws that differ in each pixel: 1. All sure of the same: 0."""
    unsure, sure = np.full((2, 4, 4), 0.5), np.stack([np.ones((4, 4)), np.zeros((4, 4))])
    images = [[unsure, unsure], [sure, sure[::-1]], [sure, sure]]
    found = _score(split_of(np.zeros((3, 1, 4, 4)), np.array(images, np.float16)[:, None]))
    np.testing.assert_allclose(found["draw_information", ""], [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(found["diversity", ""], [0, 1, 0], atol=1e-6)


def _undefined(split):
    scores = scores_of("segmentation", {"id": split}, [CORRECTED])
    return {s.metric: s.reason for s in scores if s.reason and np.isnan(s.values).all()}


def test_one_draw_or_one_rater_has_no_diversity():
    one_draw = "one draw a hypothesis"
    assert _undefined(random_split("a", draws=1)) == {
        "diversity": one_draw,
        "draw_information": one_draw,
    }
    assert _undefined(random_split("a", raters=1)) == {
        "diversity_raters": "no image with a pixel that all its raters labelled, two or more"
    }


def test_raters_diversity_is_of_those_who_saw_the_image():
    split = random_split("a", images=3)
    found = _score(_missing(split, (0, 0), (1, 0), (1, 1)))["diversity_raters", ""]
    expected = _score(split.isel(rater=[1, 2]))["diversity_raters", ""]
    assert found[0] == pytest.approx(expected[0])
    assert np.isnan(found[1])
    assert found[2] == _score(split)["diversity_raters", ""][2]
