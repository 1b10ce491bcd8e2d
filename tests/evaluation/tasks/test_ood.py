import numpy as np
import pytest
from handmade import by_key, random_split, split_of
from sklearn.metrics import roc_auc_score

from segue import dims
from segue.evaluation.tasks import ood
from segue.evaluation.variants import CORRECTED, PAPER_CODE


@pytest.fixture(scope="module")
def splits():
    return {name: random_split(name) for name in ("val", "id", "ood_blur", "ood_noise")}


@pytest.fixture(scope="module")
def found(splits):
    return by_key(ood.score(splits, [CORRECTED], patch=5))


def test_every_ood_split_is_told_from_id_by_every_measure_and_aggregation(found):
    areas = {
        ("corrected" if how == "border" else "", "auroc", split, measure, how)
        for split in ("ood_blur", "ood_noise")
        for measure in dims.MEASURES
        for how in ("border", "area", "patch", "mean", "threshold")
    }
    without = {("", "no_border", split, "", "") for split in ("id", "ood_blur", "ood_noise")}
    assert set(found) == areas | without


@pytest.mark.parametrize("measure", dims.MEASURES)
def test_it_is_the_area_of_scikit_learn(splits, found, measure):
    means = [
        splits[name]["uncertainty"].sel(measure=measure).mean(("y", "x"), dtype=float).values
        for name in ("id", "ood_blur")
    ]
    expected = roc_auc_score([0] * 6 + [1] * 6, np.concatenate(means))
    assert found["", "auroc", "ood_blur", measure, "mean"] == pytest.approx(expected)


def test_id_against_itself_is_chance(splits):
    same = splits | {"ood_blur": splits["id"]}
    found = by_key(ood.score(same, [CORRECTED], patch=5))
    areas = {v for (_, m, split, *_), v in found.items() if (m, split) == ("auroc", "ood_blur")}
    assert areas == {0.5}


def test_without_val_the_threshold_alone_is_left_out(splits, found, caplog):
    without = {name: split for name, split in splits.items() if name != "val"}
    fewer = by_key(ood.score(without, [CORRECTED], patch=5))
    assert {key for key in found if key[-1] != "threshold"} == set(fewer)
    for key, values in fewer.items():
        np.testing.assert_array_equal(values, found[key])
    assert "no split 'val'; the aggregation 'threshold', fitted there, is left out" in caplog.text


def _squares(*sides):
    """A split of images with a square in the corner; EU grows with the image's number."""
    foreground = np.zeros((len(sides), 2, 6, 6))
    for i, side in enumerate(sides):
        foreground[i, :, :side, :side] = 1
        foreground[i, :, 5, 5] = [0.3 - 0.1 * i, 0.3 + 0.1 * i]
    probs = np.stack([1 - foreground, foreground], axis=2)[:, :, None]
    return split_of(np.zeros((len(sides), 1, 6, 6)), probs)


def test_an_image_without_a_border_has_no_border_score():
    """By hand: id has borders of 2 and 4 pairs, ood of 2; each has one empty image besides."""
    splits = {"id": _squares(0, 1, 2), "ood_x": _squares(1, 0)}
    found = {
        (s.variant, s.metric, s.split, s.measure, s.aggregation): s
        for s in ood.score(splits, [CORRECTED, PAPER_CODE], patch=3)
    }
    np.testing.assert_array_equal(found["", "no_border", "id", "", ""].values, [1, 0, 0])
    np.testing.assert_array_equal(found["", "no_border", "ood_x", "", ""].values, [0, 1])
    totals = {name: split["uncertainty"].sum(("y", "x")).values for name, split in splits.items()}
    for i, measure in enumerate(dims.MEASURES):
        inside, outside = totals["id"][:, i] / [1, 2, 4], totals["ood_x"][:, i] / [2, 1]
        corrected = found["corrected", "auroc", "ood_x", measure, "border"]
        raw = found["paper_code", "auroc", "ood_x", measure, "border"]
        few = roc_auc_score([0, 0, 1], [*inside[1:], outside[0]])
        assert corrected.values == pytest.approx(few)
        assert raw.values == pytest.approx(roc_auc_score([0] * 3 + [1] * 2, [*inside, *outside]))
        np.testing.assert_array_equal(corrected.defined, [True, False])
        weights = {"id": np.array([[5, 1, 1], [1, 0, 0]]), "ood_x": np.array([[1, 3], [1, 1]])}
        np.testing.assert_allclose(corrected.weighted(weights), [few, np.nan])


def test_without_a_border_on_one_side_there_is_no_area():
    splits = {"id": _squares(1, 2), "ood_x": _squares(0, 0)}
    for score in ood.score(splits, [CORRECTED, PAPER_CODE], patch=3):
        bad = score.aggregation == "border" and score.variant == "corrected"
        assert np.isnan(score.values).all() == bad
        assert score.reason == ("no prediction of ood_x has a border" if bad else "")


def test_the_threshold_is_the_val_quantile_at_the_background_fraction():
    """Three of four pixels of val are background, so the third of its values is the threshold."""

    def split(*foreground):
        probs = np.stack([1 - np.array(foreground), np.array(foreground)])
        return split_of(np.zeros((1, 1, 1, 4)), probs.reshape(1, 1, 1, 2, 1, 4))

    least = ood.thresholds(split(0.01, 0.2, 0.1, 0.6))
    assert ood.thresholds(split(0.2, 0.01, 0.6, 0.1)) == pytest.approx(least)
    entropy = -0.2 * np.log(0.2) - 0.8 * np.log(0.8)
    assert least == pytest.approx([entropy, entropy, 0], rel=2**-10)
