import numpy as np
import pytest
from handmade import by_key, random_split, split_of
from sklearn.metrics import roc_auc_score

from segue import dims
from segue.evaluation.tasks import ood
from segue.evaluation.variants import CORRECTED


@pytest.fixture(scope="module")
def splits():
    return {name: random_split(name) for name in ("val", "id", "ood_blur", "ood_noise")}


@pytest.fixture(scope="module")
def found(splits):
    return by_key(ood.score(splits, [CORRECTED], patch=5))


def test_every_ood_split_is_told_from_id_by_every_measure_and_aggregation(found):
    assert set(found) == {
        ("", "auroc", split, measure, how)
        for split in ("ood_blur", "ood_noise")
        for measure in dims.MEASURES
        for how in ("border", "area", "patch", "mean", "threshold")
    }


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
    assert {v for (_, _, split, *_), v in found.items() if split == "ood_blur"} == {0.5}


def test_the_threshold_is_the_val_quantile_at_the_background_fraction():
    """Three of four pixels of val are background, so the third of its values is the threshold."""

    def split(*foreground):
        probs = np.stack([1 - np.array(foreground), np.array(foreground)])
        return split_of(np.zeros((1, 1, 1, 4)), probs.reshape(1, 1, 1, 2, 1, 4))

    least = ood._thresholds(split(0.01, 0.2, 0.1, 0.6))
    assert ood._thresholds(split(0.2, 0.01, 0.6, 0.1)) == pytest.approx(least)
    entropy = -0.2 * np.log(0.2) - 0.8 * np.log(0.8)
    assert least == pytest.approx([entropy, entropy, 0], rel=2**-10)
