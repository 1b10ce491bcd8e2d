from itertools import product

import numpy as np
import pytest
from handmade import by_key, random_split, split_of
from sklearn.metrics import f1_score, jaccard_score

from segue.evaluation.probabilities import probabilities
from segue.evaluation.tasks import segmentation
from segue.evaluation.variants import CORRECTED


def _score(split):
    found = by_key(segmentation.score({"id": split}, [CORRECTED]))
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
        *((metric, "") for metric in ("dice", "nll", "brier", "hm_iou")),
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
    np.testing.assert_allclose(found["hm_iou", ""], 1, atol=1e-6)


def test_hypotheses_are_scored_one_by_one():
    split = random_split("a", hypotheses=3)
    each = [_score(split.isel(eu_sample=[i])) for i in range(3)]
    for key in (("ged", "dice"), ("ged", "iou"), ("hm_iou", "")):
        expected = np.mean([found[key] for found in each], axis=0)
        np.testing.assert_allclose(_score(split)[key], expected, atol=1e-6)
