import numpy as np
import pytest
from handmade import SPLITS, by_key, random_split, scores_of, split_of, write_stores
from scipy.stats import pearsonr

from segue import dims
from segue.errors import InputError
from segue.evaluation.decomposition import decompose
from segue.evaluation.maps import write_maps
from segue.evaluation.probabilities import probabilities
from segue.evaluation.score import open_splits, scores
from segue.evaluation.variants import CORRECTED, JACKKNIFE, PAPER_CODE

BOTH = [CORRECTED, JACKKNIFE]
N = 12 * 12


def _score(split, variants=BOTH, draws=(1, 2), hypotheses=(2,)):
    return by_key(scores_of("leakage", {"id": split}, variants, draws=draws, hypotheses=hypotheses))


@pytest.fixture(scope="module")
def split():
    return random_split("a", classes=3, hypotheses=3, draws=4)


def _maps(split, estimator):
    return decompose(probabilities(split["probs"]), estimator)


PARTS = {
    "all": {},
    "draws=1": {"au_sample": [0]},
    "draws=2": {"au_sample": [0, 1]},
    "draws=4": {},
    "hypotheses=2": {"eu_sample": [0, 1]},
    "hypotheses=3": {},
}


def test_shifted_splits_have_the_scores_of_all_samples(split):
    other = random_split("b", classes=3, hypotheses=3, draws=4)
    given = {"val": other, "id": split, "ood_b": other}
    found = by_key(scores_of("leakage", given, BOTH, draws=[1], hypotheses=[2]))
    assert {key[-1] for key in found if key[2] == "ood_b"} == {"all"}
    alone = _score(other)
    for key, values in found.items():
        if key[2] == "ood_b":
            np.testing.assert_array_equal(values, alone[(*key[:2], "id", *key[3:])])
    assert {key[2] for key in found} == {"id", "ood_b"}
    expected = {key for key in alone if key[-1] == "all"}
    assert len([key for key in found if key[2] == "ood_b"]) == len(expected)


def test_scores_of_fewer_samples_are_those_of_their_maps(split):
    found = _score(split)
    assert {key[-1] for key in found} == set(PARTS)
    variance = split["labels"].values.astype(float).var(axis=1)
    for how, part in PARTS.items():
        for variant, estimator in (("corrected", "plugin"), ("jackknife", "jackknife")):
            maps = _maps(split.isel(part), estimator)
            for measure in dims.MEASURES:
                mean = maps.sel(measure=measure).mean(("y", "x"))
                np.testing.assert_allclose(
                    found[variant, "mean", "id", measure, how], mean, rtol=1e-4, atol=1e-7
                )
            au, eu = (maps.sel(measure=m).values.reshape(6, -1) for m in ("AU", "EU"))
            expected = [pearsonr(a, e).statistic for a, e in zip(au, eu, strict=True)]
            np.testing.assert_allclose(
                found[variant, "correlation", "id", "", how], expected, atol=1e-5
            )
            for measure, u in (("AU", au), ("EU", eu)):
                expected = [
                    pearsonr(g.ravel(), v).statistic * (N - 1) / N if g.any() else 0
                    for g, v in zip(variance, u, strict=True)
                ]
                np.testing.assert_allclose(
                    found[variant, "ncc", "id", measure, how], expected, atol=1e-5
                )


def test_with_equal_hypotheses_the_plugin_leaks_in_inverse_proportion_to_the_draws():
    """EU is Σ_c Var(p_c)/(2·S·p̄_c)·(1-1/M) by the plug-in, and 0 by the jackknife."""
    rng = np.random.default_rng(0)
    p = rng.beta(4, 6, (8, 5, 10, 1, 40, 40))
    split = split_of(np.zeros((8, 2, 40, 40)), np.concatenate([1 - p, p], axis=3))
    found = _score(split, draws=[2, 5, 10], hypotheses=[2])
    means = {
        (key[0], key[-1]): values.mean()
        for key, values in found.items()
        if key[1] == "mean" and key[3] == "EU"
    }
    for draws in (5, 10):
        leaked = (1 - 1 / 5) * 0.24 / 11 / (2 * draws) * (1 / 0.4 + 1 / 0.6)
        assert means["corrected", f"draws={draws}"] == pytest.approx(leaked, rel=0.05)
        assert abs(means["jackknife", f"draws={draws}"]) < 0.06 * leaked
    assert means["corrected", "hypotheses=2"] == pytest.approx(
        (1 - 1 / 2) / (1 - 1 / 5) * means["corrected", "all"], rel=0.05
    )


def test_a_variant_that_repeats_an_estimator_has_no_scores(split):
    assert {key[0] for key in _score(split, [PAPER_CODE, CORRECTED, JACKKNIFE])} == {
        "paper_code",
        "jackknife",
    }


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ("samples_as_hypotheses", {"all", "draws=1", "hypotheses=2", "hypotheses=4"}),
        ("strict", {"all", "draws=1", "draws=2", "draws=4", "hypotheses=1"}),
    ],
)
def test_draws_of_one_hypothesis_count_as_they_do_in_the_maps(tmp_path, roles, expected):
    splits = {name: random_split(name, hypotheses=1, draws=4) for name in SPLITS}
    paths = write_stores(tmp_path, splits)
    options = {"draws": [1, 2], "hypotheses": [2]}
    write_maps(tmp_path / "maps.zarr", **paths, none_roles=roles, options={"leakage": options})
    opened = open_splits(*(tmp_path / f"{name}.zarr" for name in ("dataset", "maps")), ["leakage"])
    found = by_key(scores("leakage", opened, ["corrected", "jackknife"], {}))
    assert {key[-1] for key in found if key[2] == "id"} == expected
    assert {key[2] for key in found} == set(SPLITS) - {"val"}
    for variant, array in (("corrected", "uncertainty"), ("jackknife", "uncertainty_jackknife")):
        for name in set(SPLITS) - {"val"}:
            stored = opened[name][array].mean(("y", "x")).values
            for i, measure in enumerate(dims.MEASURES):
                values = found[variant, "mean", name, measure, "all"]
                np.testing.assert_allclose(values, stored[:, i], rtol=1e-4, atol=1e-7)


def test_a_single_rater_has_no_ncc_but_the_rest():
    splits = {"id": random_split("a", raters=1)}
    for score in scores_of("leakage", splits, BOTH, draws=[1], hypotheses=[]):
        assert np.isnan(score.values).all() == (score.metric == "ncc")
        assert score.reason == ("no image that two raters read" if score.metric == "ncc" else "")


@pytest.mark.parametrize(("draws", "hypotheses"), [([0, 2], [2]), ([2], [-1])])
def test_numbers_below_one_are_refused(split, draws, hypotheses):
    with pytest.raises(InputError, match=r"scores.leakage.\w+: expected numbers of at least 1"):
        _score(split, draws=draws, hypotheses=hypotheses)
