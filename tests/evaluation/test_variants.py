"""Each fault of the study's code: once where it changes a score by hand, once where it does not."""

import numpy as np
import pytest
from handmade import SPLITS, by_key, random_split, scores_of, split_of

from segue.errors import InputError
from segue.evaluation.tasks import ambiguity, calibration, ood
from segue.evaluation.variants import (
    CORRECTED,
    JACKKNIFE,
    PAPER_CODE,
    PAPER_CODE_V1,
    by_estimator,
    named,
)

BOTH = [CORRECTED, PAPER_CODE]
FOREGROUND, BACKGROUND = 1, 0


def _split(masks, labels, classes=2, confidence=0.8):
    """A split whose prediction is ``masks`` (image, y, x); TU is the same in every pixel."""
    masks = np.asarray(masks)
    rest = (1 - confidence) / (classes - 1)
    probs = np.stack([np.where(masks == c, confidence, rest) for c in range(classes)], axis=1)
    return split_of(labels, probs[:, None, None])


def _calibration(val, scored):
    scores = calibration.score({"val": val, "id": scored}, BOTH, ace_bins=20, platt_bins=256)
    found = by_key(scores)
    return {
        (v.name, how): found[v.name, "ace", "id", "TU", how]
        for v in BOTH
        for how in ("pooled", "image")
    }


def _half_foreground(side=4):
    masks = np.zeros((2, side, side), int)
    masks[0] = FOREGROUND
    return masks


def test_fault_1_predicted_foreground_is_wrong_in_the_fit_and_the_errors():
    """All of val's 32 pixels are right, half of them foreground; id is one right foreground image.

    So the confidence is 33/34 and the accuracy 1; in the study's code 1/2 and 0.
    """
    masks = _half_foreground()
    val = _split(masks, masks[:, None])
    found = _calibration(val, _split(masks[:1], masks[:1, None]))
    assert found["corrected", "pooled"] == pytest.approx(1 / 34)
    assert found["paper_code", "pooled"] == pytest.approx(1 / 2)


def test_fault_1_leaves_predictions_without_foreground_alone():
    labels = np.zeros((2, 1, 4, 4), int)
    labels[0, 0, :2] = FOREGROUND
    split = _split(np.zeros((2, 4, 4), int), labels)
    found = _calibration(split, split)
    assert found["corrected", "pooled"] == found["paper_code", "pooled"]


def test_fault_1_leaves_three_classes_alone():
    masks = _half_foreground()
    val = _split(masks, masks[:, None], classes=3)
    found = _calibration(val, _split(masks, masks[:, None], classes=3))
    assert found["corrected", "pooled"] == found["paper_code", "pooled"]


def _ncc(spot):
    """Raters differ in the pixel (0, 1); the map is uncertain in the pixel ``spot``."""
    labels = np.zeros((1, 2, 2, 2), int)
    labels[0, 0, 0, 1] = FOREGROUND
    foreground = np.zeros((2, 2))
    foreground[spot] = 0.3
    probs = np.stack([1 - foreground, foreground])[None, None, None]
    scores = ambiguity.score({"id": split_of(labels, probs)}, [*BOTH, PAPER_CODE_V1])
    found = by_key(scores)
    return {v.name: found[v.name, "ncc", "id", "AU", ""].item() for v in [*BOTH, PAPER_CODE_V1]}


def test_fault_2_exchanges_rows_and_columns_of_the_maps():
    """Pearson's correlation of two one-pixel maps of 4 pixels is 1 or -1/3; NCC is 3/4 of it."""
    same, other = 3 / 4, -1 / 4
    assert _ncc((0, 1)) == pytest.approx(
        {"corrected": same, "paper_code": same, "paper_code_v1": other}
    )
    assert _ncc((1, 0)) == pytest.approx(
        {"corrected": other, "paper_code": other, "paper_code_v1": same}
    )


def test_fault_2_leaves_symmetric_maps_alone():
    assert len({round(value, 12) for value in _ncc((1, 1)).values()}) == 1


def test_fault_2_exchanges_them_in_calibration_too():
    """val is wrong in its first row, where it is unsure: an unsure pixel has the confidence 0.

    With rows and columns exchanged being sure tells nothing, and every confidence is 1/2.
    """
    sure, unsure = [0.99, 0.01], [0.6, 0.4]

    def split(rows, labels):
        probs = np.array(rows).repeat(2, axis=0).reshape(2, 2, 2).transpose(2, 0, 1)
        repeated = np.array(labels).repeat(2).reshape(1, 1, 2, 2).repeat(1000, axis=1)
        return split_of(repeated, probs[None, None, None])

    splits = {"val": split([unsure, sure], [1, 0]), "id": split([unsure, unsure], [1, 1])}
    scores = calibration.score(splits, [PAPER_CODE, PAPER_CODE_V1], ace_bins=20, platt_bins=256)
    found = by_key(scores)
    assert found["paper_code", "ace", "id", "TU", "pooled"] == pytest.approx(0, abs=1e-3)
    assert found["paper_code_v1", "ace", "id", "TU", "pooled"] == pytest.approx(1 / 2)


def _borders(empty):
    """AUROC by border of TU, the same in every pixel: of a larger border it is the smaller score.

    ``id`` has a large square and ``ood_x`` a small one, and an empty image too where ``empty``.
    """
    splits = {}
    for name, side, images in (("id", 4, 1 + empty), ("ood_x", 2, 1)):
        masks = np.zeros((images, 6, 6), int)
        masks[0, 1 : 1 + side, 1 : 1 + side] = FOREGROUND
        splits[name] = _split(masks, masks[:, None])
    found = by_key(ood.score(splits, BOTH, patch=3))
    return [found[v.name, "auroc", "ood_x", "TU", "border"] for v in BOTH]


def test_fault_3_takes_the_sum_for_the_border_score_of_an_empty_prediction():
    """The small square beats the large one, and loses against the empty image's raw sum."""
    assert _borders(empty=True) == [1, 1 / 2]


def test_fault_3_leaves_predictions_with_a_border_alone():
    assert _borders(empty=False) == [1, 1]


def test_fault_4_takes_an_image_without_errors_for_one_without_a_right_pixel():
    """98 right samples in val: a confidence of .99 in each pixel of a faultless image."""
    right = _split(np.zeros((1, 7, 7), int), np.zeros((1, 2, 7, 7), int))
    found = _calibration(right, right)
    assert found["corrected", "image"] == pytest.approx(0.01)
    assert found["paper_code", "image"] == pytest.approx(0.99)
    assert found["corrected", "pooled"] == pytest.approx(0.01)
    assert found["paper_code", "pooled"] == pytest.approx(0.01)


def test_fault_4_leaves_images_with_an_error_alone():
    labels = np.zeros((1, 2, 7, 7), int)
    labels[0, 0, 3, 3] = FOREGROUND
    split = _split(np.zeros((1, 7, 7), int), labels)
    found = _calibration(split, split)
    assert found["corrected", "image"] == found["paper_code", "image"]


def _overlaps(mask, label, classes):
    split = _split([[mask]], np.array(label).reshape(1, 1, 1, -1), classes)
    found = by_key(scores_of("segmentation", {"id": split}, BOTH))
    return {
        (variant, metric): found[variant, metric, "id", "", how].item()
        for variant in ("corrected", "paper_code")
        for metric, how in (("dice", ""), ("ged", "dice"), ("ged_bma", "dice"))
    }


def test_fault_5_takes_pixel_accuracy_for_dice():
    """Three of four pixels agree; Dice is 2/3 for class 1 and 0 for class 2."""
    found = _overlaps([0, 0, 1, 2], [0, 0, 1, 1], classes=3)
    assert found["corrected", "dice"] == pytest.approx(1 / 3)
    assert found["paper_code", "dice"] == pytest.approx(3 / 4)
    for metric in ("ged", "ged_bma"):
        assert found["corrected", metric] == pytest.approx(2 * (1 - 1 / 3))
        assert found["paper_code", metric] == pytest.approx(2 * (1 - 3 / 4))


@pytest.mark.parametrize(
    ("mask", "label", "classes"),
    [
        pytest.param([0, 1, 1, 0], [0, 0, 1, 1], 2, id="two classes"),
        pytest.param([0, 1, 2, 0], [0, 1, 2, 0], 3, id="no error"),
    ],
)
def test_fault_5_leaves_two_classes_and_perfect_masks_alone(mask, label, classes):
    found = _overlaps(mask, label, classes)
    for metric in ("dice", "ged", "ged_bma"):
        assert found["corrected", metric] == found["paper_code", metric]


STRUCK = {
    2: {
        ("auroc", "border"),
        ("ace", "pooled"),
        ("ace", "image"),
        ("ece", "pooled"),
        ("ece", "image"),
    },
    3: {
        ("auroc", "border"),
        ("dice", ""),
        ("ged", "dice"),
        ("ged_bma", "dice"),
        ("ace", "image"),
        ("ece", "image"),
    },
}


@pytest.mark.parametrize("classes", [2, 3])
def test_nothing_else_depends_on_the_variant(classes):
    splits = {name: random_split(name, classes=classes) for name in SPLITS}
    found = {}
    for task, options in (
        ("ood", {"patch": 3}),
        ("ambiguity", {}),
        ("calibration", {"ace_bins": 20, "platt_bins": 256}),
        ("segmentation", {}),
        ("failure", {}),
    ):
        found |= by_key(scores_of(task, splits, BOTH, **options))
    differing = {
        (metric, how)
        for (variant, metric, split, measure, how), values in found.items()
        if variant == "corrected"
        and not np.array_equal(values, found["paper_code", metric, split, measure, how])
    }
    assert differing <= STRUCK[classes]
    assert differing & {("ace", "pooled"), ("dice", "")}


def test_an_unknown_variant_is_refused_and_the_others_named():
    assert named(["paper_code", "corrected"]) == (PAPER_CODE, CORRECTED)
    with pytest.raises(InputError, match=r"unknown 'fixed'; there are: corrected, jackknife, pap"):
        named(["fixed"])


def test_variants_are_parted_by_their_estimator():
    found = by_estimator(named(["jackknife", "corrected", "paper_code"]))
    assert found == {"jackknife": (JACKKNIFE,), "plugin": (CORRECTED, PAPER_CODE)}
    assert list(found) == ["jackknife", "plugin"]
