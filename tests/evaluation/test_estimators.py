"""The jackknife over draws: by hand, by loops, and against expectations over all possible draws."""

from itertools import product

import numpy as np
import pytest
import xarray as xr
from handmade import random_split, write_stores
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import entropy

from segue import dims, store
from segue.errors import InputError
from segue.evaluation.decomposition import decompose
from segue.evaluation.maps import write_maps
from segue.evaluation.metrics.entropy import fast_entropy

SHAPES = hnp.array_shapes(min_dims=6, max_dims=6, max_side=4)
LOGITS = SHAPES.flatmap(lambda s: hnp.arrays(np.float32, s, elements=st.floats(-20, 20, width=32)))


def _binary(foreground):
    """Samples of pixels with two classes, of the foreground's probability (image, eu, au)."""
    p = np.asarray(foreground, np.float64)[..., None, None, None]
    return xr.DataArray(np.concatenate([1 - p, p], axis=3), dims=dims.SAMPLES)


def _jackknife(probs):
    """Images' TU, AU, EU, (image, measure), of samples of one pixel."""
    return decompose(probs, "jackknife").values[..., 0, 0]


def _of_entropy(p):
    return entropy([p, 1 - p])


def _loop(probs):
    """TU, AU and EU of one pixel (eu, au, class), from the definition."""

    def estimate(draws):
        hypotheses = draws.mean(axis=1)
        total, single = entropy(hypotheses.mean(axis=0)), entropy(hypotheses, axis=1).mean()
        return np.array([total, single, total - single])

    count = probs.shape[1]
    if count == 1:
        return estimate(probs)
    without = [estimate(np.delete(probs, i, axis=1)) for i in range(count)]
    return count * estimate(probs) - (count - 1) * np.mean(without, axis=0)


def test_two_draws_by_hand():
    """Without either draw the other is left, so Û_J = 2·H(.4) - (H(.2) + H(.6))/2."""
    expected = 2 * _of_entropy(0.4) - (_of_entropy(0.2) + _of_entropy(0.6)) / 2
    np.testing.assert_allclose(_jackknife(_binary([[[0.2, 0.6]]])), [[expected, expected, 0]])


@given(LOGITS)
def test_it_is_the_loop_over_samples_less_a_draw(logits):
    e = np.exp(logits.astype(np.float64) - logits.max(axis=3, keepdims=True))
    probs = xr.DataArray(e / e.sum(axis=3, keepdims=True), dims=dims.SAMPLES)
    found = decompose(probs.astype(np.float32), "jackknife").transpose("image", "y", "x", ...)
    pixels = probs.transpose("image", "y", "x", "eu_sample", "au_sample", "class").values
    for pixel in np.ndindex(pixels.shape[:3]):
        np.testing.assert_allclose(found[pixel], _loop(pixels[pixel]), atol=5e-6)


def _all_draws(*hypotheses, common, draws):
    """All equally probable samples: each draw of a hypothesis is one of its two values.

    Args:
        hypotheses: the two probabilities that a draw of each may have.
        common: whether a draw is the first value in all hypotheses, or the second, at once.
    """
    flips = draws if common else draws * len(hypotheses)
    heads = np.array(list(product([0, 1], repeat=flips))).reshape(2**flips, -1, draws)
    heads = np.broadcast_to(heads, (len(heads), len(hypotheses), draws))
    values = np.array(hypotheses)
    return _binary(np.where(heads, values[:, :1], values[:, 1:]))


def test_its_bias_falls_with_the_square_of_the_number_of_draws():
    """Exactly: the expectation is over all samples. The plug-in's bias is Σ_c Var/(2·S·p̄_c)."""
    true, variance = _of_entropy(0.4), 0.1**2
    bias = {}
    for count in (4, 8):
        probs = _all_draws((0.3, 0.5), common=False, draws=count)
        for estimator in ("plugin", "jackknife"):
            found = decompose(probs, estimator).sel(measure="AU").mean().item()
            bias[estimator, count] = found - true
    leading = -variance / (2 * 8) * (1 / 0.4 + 1 / 0.6)
    assert bias["plugin", 8] == pytest.approx(leading, rel=0.02)
    assert bias["plugin", 4] / bias["plugin", 8] == pytest.approx(2, rel=0.02)
    assert bias["jackknife", 4] / bias["jackknife", 8] == pytest.approx(4, rel=0.35)
    assert abs(bias["jackknife", 8]) < abs(bias["plugin", 8]) / 50


@pytest.mark.parametrize("common", [False, True], ids=["independent", "common"])
def test_a_draw_left_out_of_all_hypotheses_is_right_for_any_noise(common):
    """And a draw left out of one at a time (the other scheme there is) only for independent noise.

    That one's jackknife is Û - (S-1)/S·ΣΣ(Û_{less draw i of m} - Û), over all i and m.
    """
    probs = _all_draws((0.1, 0.4), (0.4, 0.8), common=common, draws=5)
    true = _of_entropy((0.25 + 0.6) / 2)
    bias = {
        estimator: decompose(probs, estimator).sel(measure="TU").mean().item() - true
        for estimator in ("plugin", "jackknife")
    }
    p = probs.isel({"class": 1}).values[..., 0, 0]  # image, eu_sample, au_sample
    plain = _of_entropy(p.mean(axis=(1, 2)))
    changes = [
        _of_entropy((np.delete(p[:, m], i, axis=1).mean(axis=1) + p[:, 1 - m].mean(axis=1)) / 2)
        - plain
        for m in range(2)
        for i in range(5)
    ]
    other = (plain - 4 / 5 * np.sum(changes, axis=0)).mean() - true
    assert abs(bias["jackknife"]) < abs(bias["plugin"]) / 20
    if common:
        assert abs(other) > abs(bias["plugin"]) / 3
    else:
        assert abs(other) < abs(bias["plugin"]) / 20


def test_equal_hypotheses_have_no_epistemic_uncertainty_in_the_mean():
    """The plug-in shows (1-1/M)·Σ_c Var(p_c)/(2·S·p̄_c), here Beta(4, 6); half of what is left over
    is below 0, and it varies as much as the docstring of ``corrections`` says."""
    rng, hypotheses, draws = np.random.default_rng(0), 5, 10
    probs = _binary(rng.beta(4, 6, (20000, hypotheses, draws)))
    plugin = decompose(probs).sel(measure="EU").values.ravel()
    jackknife = _jackknife(probs)[:, 2]
    variance = 0.4 * 0.6 / 11
    leaked = (1 - 1 / hypotheses) * variance / (2 * draws) * (1 / 0.4 + 1 / 0.6)
    assert plugin.mean() == pytest.approx(leaked, rel=0.05)
    assert abs(jackknife.mean()) < 2 * jackknife.std() / np.sqrt(len(jackknife))
    assert jackknife.std() == pytest.approx(leaked * np.sqrt(2 / (hypotheses - 1)), rel=0.1)
    assert 0.4 < (jackknife < 0).mean() < 0.7


def test_its_variance_is_to_first_order_that_of_the_plugin():
    rng, draws = np.random.default_rng(1), 20
    probs = _binary(rng.beta(4, 6, (20000, 1, draws)))
    first_order = 0.4 * 0.6 / 11 * np.log(0.6 / 0.4) ** 2 / draws
    for estimator in ("plugin", "jackknife"):
        found = decompose(probs, estimator).sel(measure="AU").values.var()
        assert found == pytest.approx(first_order, rel=0.1)


def test_with_one_draw_it_is_the_plugin_to_the_last_digit():
    probs = random_split("a", hypotheses=4, draws=1)["probs"].astype("float32")
    xr.testing.assert_identical(decompose(probs, "jackknife"), decompose(probs))


def test_where_all_draws_are_equally_sure_nothing_is_left_of_rounding():
    probs = np.zeros((2, 3, 7, 2, 1, 1), np.float32)
    probs[0, :, :, 0], probs[1, :, :, 1] = 1, 1
    assert not _jackknife(xr.DataArray(probs, dims=dims.SAMPLES)).any()


def test_measures_add_up_without_clipping():
    probs = random_split("a", hypotheses=2, draws=4)["probs"].astype("float32")
    total, aleatoric, epistemic = decompose(probs, "jackknife").transpose("measure", ...).values
    assert (epistemic < -1e-4).any()
    np.testing.assert_allclose(total, aleatoric + epistemic, atol=1e-6)


def test_an_unknown_estimator_is_refused():
    with pytest.raises(InputError, match="estimator: unknown 'best'; there are: plugin, jackknife"):
        decompose(random_split("a")["probs"], "best")


def test_the_fast_entropy_is_that_of_scipy_and_of_rounded_zeros_too():
    p = np.random.default_rng(0).dirichlet([0.1] * 3, 500).astype(np.float32)
    np.testing.assert_allclose(fast_entropy(p, axis=1), entropy(p, axis=1), atol=1e-6)
    rounded = np.array([[1, -1e-9, 0], [np.nan, 0, 1]], np.float32)
    sure, unknown = fast_entropy(rounded, axis=1)
    assert abs(sure) < 1e-6
    assert np.isnan(unknown)
    assert fast_entropy(np.array([0, 1], np.float32), axis=0) == 0


@pytest.mark.parametrize("hypotheses", [1, 3])
def test_the_stage_writes_both_and_neither_changes_the_other(tmp_path, hypotheses):
    split = random_split("id", images=5, classes=3, hypotheses=hypotheses, draws=4)
    paths = write_stores(tmp_path, {"id": split})
    write_maps(tmp_path / "maps.zarr", **paths, none_roles="samples_as_hypotheses", options={})
    found = store.open_split(tmp_path / "maps.zarr", "id")
    plugin, jackknife = found["uncertainty"].values, found["uncertainty_jackknife"]
    assert jackknife.dims == dims.UNCERTAINTY
    assert jackknife.dtype == np.float32
    if hypotheses == 1:  # the draws are the hypotheses, of one draw each
        np.testing.assert_array_equal(jackknife, plugin)
    else:
        probs = split["probs"].astype("float32")
        expected = decompose(probs / probs.sum("class"), "jackknife")
        np.testing.assert_allclose(jackknife, expected, atol=1e-6)
        assert (jackknife.sel(measure="EU") < -1e-4).any()
        assert (plugin[:, 2] >= 0).all()
