"""Both tasks that need the raters' true distribution."""

import numpy as np
import pytest
import xarray as xr
from handmade import SPLITS, by_key, random_split, write_stores
from scipy.stats import entropy, pearsonr, spearmanr

import segue
from segue import dims
from segue.errors import InputError
from segue.evaluation import intervals
from segue.evaluation.maps import write_maps
from segue.evaluation.score import open_splits, scores
from segue.evaluation.tasks import truth_aleatoric, truth_epistemic
from segue.evaluation.variants import CORRECTED

N = 12 * 12


def _score(task, split):
    found = by_key(task.score({"id": split}, [CORRECTED]))
    return {(metric, measure): values for (_, metric, _, measure, _), values in found.items()}


def _entropies(split):
    return entropy(split["truth"].values.astype(float), axis=1)


def _excess(split):
    predicted = np.maximum(split["prediction"].values.astype(float), 2**-24)
    return entropy(split["truth"].values.astype(float), predicted, axis=1)


def _with_map(split, values, measure):
    """A split whose map of one measure is given."""
    maps = split["uncertainty"].astype("float64").copy()
    maps[:, dims.MEASURES.index(measure)] = values
    return split.assign(uncertainty=maps)


@pytest.fixture(params=[2, 3], ids=["2 classes", "3 classes"])
def split(request):
    return random_split("a", classes=request.param)


@pytest.mark.parametrize(
    ("task", "reference", "mean", "measure"),
    [
        (truth_aleatoric, _entropies, "h_star", "AU"),
        (truth_epistemic, _excess, "kl", "EU"),
    ],
    ids=["aleatoric", "epistemic"],
)
class TestBoth:
    def test_a_map_that_is_right_has_no_error(self, split, task, reference, mean, measure):
        right = reference(split)
        found = _score(task, _with_map(split, right, measure))
        np.testing.assert_allclose(found["ncc", measure], (N - 1) / N, rtol=1e-9)
        np.testing.assert_allclose(found["error", measure], 0, atol=1e-7)
        np.testing.assert_allclose(found["absolute_error", measure], 0, atol=2e-7)
        assert found["spearman", measure] == pytest.approx(1)
        np.testing.assert_allclose(found[mean, ""], right.mean(axis=(1, 2)), rtol=1e-5)

    def test_errors_are_in_nats_and_have_a_sign(self, split, task, reference, mean, measure):
        change = np.full((12, 12), 0.3)
        change[:3] = -0.1
        found = _score(task, _with_map(split, reference(split) + change, measure))
        np.testing.assert_allclose(found["error", measure], 0.3 * 0.75 - 0.1 * 0.25, rtol=1e-5)
        expected = 0.3 * 0.75 + 0.1 * 0.25
        np.testing.assert_allclose(found["absolute_error", measure], expected, rtol=1e-5)

    def test_correlations_are_those_of_scipy(self, split, task, reference, mean, measure):
        found, right = _score(task, split), reference(split)
        for each in dims.MEASURES:
            maps = split["uncertainty"].sel(measure=each).values
            pixels = [
                pearsonr(g.ravel(), u.ravel()).statistic * (N - 1) / N
                for g, u in zip(right, maps, strict=True)
            ]
            np.testing.assert_allclose(found["ncc", each], pixels, atol=1e-5)
            sums = spearmanr(maps.sum(axis=(1, 2)), right.sum(axis=(1, 2))).statistic
            assert found["spearman", each] == pytest.approx(sums)

    def test_a_map_that_is_the_same_everywhere_tells_nothing(
        self, split, task, reference, mean, measure
    ):
        found = _score(task, _with_map(split, 0, measure))
        assert not found["ncc", measure].any()
        assert found["spearman", measure] == 0
        np.testing.assert_allclose(found["error", measure], -found[mean, ""], rtol=1e-9)

    @pytest.mark.parametrize("wrong", [np.nan, 1.2, 0.4])
    def test_a_truth_that_is_no_distribution_is_refused_by_its_place(
        self, split, task, reference, mean, measure, wrong
    ):
        truth = split["truth"].copy()
        truth[4, :, 3, 5] = 0
        truth[4, 1, 3, 5] = wrong
        message = r"id/truth: image 4, y 3, x 5: expected probabilities that sum to 1 over 'class'"
        with pytest.raises(InputError, match=message):
            _score(task, split.assign(truth=truth))


def test_the_excess_risk_is_finite_where_what_is_true_was_predicted_to_be_impossible():
    split = random_split("a", images=1)
    truth, prediction = (xr.zeros_like(split[name]) for name in ("truth", "prediction"))
    truth[:, 1], prediction[:, 0] = 1, 1
    found = _score(truth_epistemic, split.assign(truth=truth, prediction=prediction))
    np.testing.assert_allclose(found["kl", ""], 24 * np.log(2), rtol=1e-6)


def test_a_prediction_that_is_true_has_no_excess_risk():
    split = random_split("a", classes=3)
    found = _score(truth_epistemic, split.assign(prediction=split["truth"]))
    np.testing.assert_allclose(found["kl", ""], 0, atol=1e-7)


def _opened(folder, splits):
    paths = write_stores(folder, splits)
    write_maps(folder / "maps.zarr", **paths, none_roles="strict", options={})
    return open_splits(*(folder / f"{name}.zarr" for name in ("dataset", "maps")), [])


def test_the_truth_of_a_dataset_is_scored_by_both_estimators_with_an_interval_of_delta(tmp_path):
    splits = {name: random_split(name) for name in SPLITS}
    opened = _opened(tmp_path, splits)
    weights = intervals.weights({name: ["a", "b", "c", "d", "e", "f"] for name in opened}, 0)
    for name, task in (("truth_aleatoric", truth_aleatoric), ("truth_epistemic", truth_epistemic)):
        found = list(scores(name, opened, ["corrected", "jackknife"], {}))
        jackknife = {n: s.assign(uncertainty=s["uncertainty_jackknife"]) for n, s in opened.items()}
        for variant, given in (("corrected", opened), ("jackknife", jackknife)):
            here = [score for score in found if score.variant == variant]
            expected = by_key(task.score(given, [CORRECTED]))
            assert {("", *key[1:]): None for key in by_key(here)}.keys() == expected.keys()
            for score in here:
                key = ("", score.metric, score.split, score.measure, score.aggregation)
                np.testing.assert_array_equal(score.values, expected[key])
        drawn = [intervals.draw(score, weights) for score in found]
        rows = list(intervals.intervals(name, drawn, intervals.compared(name, drawn)))
        deltas = [row for row in rows if row["metric"] == "delta"]
        assert {(row["variant"], row["split"]) for row in deltas} == {
            (variant, split) for variant in ("corrected", "jackknife") for split in ("id", "ood")
        }
        assert all(row["low"] < row["value"] < row["high"] for row in deltas)


def test_without_the_truth_the_tasks_are_left_out_and_the_log_says_so(tmp_path, caplog):
    caplog.set_level("INFO")
    splits = {name: random_split(name).drop_vars("truth") for name in SPLITS}
    opened = _opened(tmp_path, splits)
    for name in ("truth_aleatoric", "truth_epistemic"):
        assert not list(scores(name, opened, ["corrected"], {}))
        assert f"scores.{name}: left out, for it needs the truth" in caplog.text


def test_a_truth_of_other_images_is_refused_by_name(tmp_path):
    splits = {name: random_split(name) for name in SPLITS}
    _opened(tmp_path, splits)
    other = {name: split.isel({"class": [0, 1, 1]}) for name, split in splits.items()}
    write_stores(tmp_path / "other", other)
    with pytest.raises(InputError, match=r"along 'class' as truth has|along 'class' as prediction"):
        open_splits(tmp_path / "other/dataset.zarr", tmp_path / "maps.zarr", [])


def test_it_is_scored_in_memory_too():
    splits = {name: random_split(name) for name in SPLITS}
    tasks = {"truth_aleatoric": {}}
    assert set(segue.score(splits, tasks=tasks)["metric"]) == {
        *("ncc", "error", "absolute_error", "h_star", "spearman")
    }
