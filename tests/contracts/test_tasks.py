"""What holds for every task on disk, with the options of the default study."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from handmade import SPLITS, by_key, random_split, scores_of

from segue import blocks, dims, plugins
from segue.evaluation import drawn
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import VARIANTS

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
NAMES = plugins.available("tasks")
CORRECTED = [VARIANTS["corrected"]]

ONCE_AN_ESTIMATOR = {"leakage"}
"""Tasks in which a variant has no scores if an earlier one has the same estimator."""

pytestmark = pytest.mark.parametrize("name", NAMES)


def _score(name, splits, variants=CORRECTED):
    return scores_of(name, splits, variants, **CONFIG["scores"][name])


def _key(score):
    return score.variant, score.metric, score.split, score.measure, score.aggregation


def _of_all_samples(scores):
    """Without the scores of the first few draws or hypotheses alone."""
    return {key: values for key, values in scores.items() if "=" not in key[-1]}


def _scored(name):
    """Names of the variants that have scores."""
    return ["corrected", "jackknife"] if name in ONCE_AN_ESTIMATOR else list(VARIANTS)


def _splits(**sizes):
    return {split: random_split(split, **sizes) for split in SPLITS}


def test_it_says_what_ought_to_win(name):
    task = plugins.load("tasks", name).TASK
    assert isinstance(task, Task)
    if task.correct:
        assert task.correct in dims.MEASURES
        assert task.wrong
        assert set(task.wrong) <= set(dims.MEASURES) - {task.correct}
    else:
        assert not task.wrong
        assert name not in CONFIG["tables"]["tasks"]


def test_it_scores_its_metric_for_every_measure_it_compares(name):
    task = plugins.load("tasks", name).TASK
    measures = {
        m for _, metric, _, m, _ in by_key(_score(name, _splits())) if metric == task.metric
    }
    assert measures
    assert {task.correct, *task.wrong} <= {"", *measures}


def test_it_says_how_its_metric_is_aggregated_and_can_be_asked_without_an_import(name):
    task = plugins.load("tasks", name).TASK
    scores = _of_all_samples(by_key(_score(name, _splits())))
    found = {how for _, metric, _, _, how in scores if metric == task.metric}
    assert found == set(task.aggregations)
    written = plugins.declared(f"segue.evaluation.tasks.{name}", "TASK")
    assert {key: getattr(task, key) for key in written} == written
    assert task.correct == written.get("correct", "")
    assert task.aggregations == written.get("aggregations", ("",))


@pytest.mark.parametrize(
    "sizes",
    [
        {"classes": 3, "raters": 2},
        {"classes": 4, "raters": 5, "images": 2},
        {"hypotheses": 1, "draws": 1},
        {"hypotheses": 1, "draws": 4},
        {"hypotheses": 3, "draws": 1, "side": 5},
        {"images": 1},
    ],
    ids=str,
)
def test_scores_of_data_of_any_size_are_numbers(name, sizes):
    splits = _splits(**sizes)
    for score in _score(name, splits, list(VARIANTS.values())):
        assert isinstance(score, Score)
        assert np.isfinite(score.values).all() or (score.reason and np.isnan(score.values).all())
        assert np.shape(score.values) in {(), (splits[score.split].sizes["image"],)}
        assert score.variant in {"", *VARIANTS}


def _assert_close(found, expected, atol=1e-6):
    assert set(found) == set(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-5, atol=atol, err_msg=str(key))


def test_scores_do_not_depend_on_how_many_images_fit_in_memory(name, monkeypatch):
    splits = _splits(classes=3)
    together = by_key(_score(name, splits))
    monkeypatch.setattr(blocks, "_WORKING", 1)
    monkeypatch.setattr(drawn, "_AT_ONCE", 1)
    _assert_close(by_key(_score(name, splits)), together)


def test_scores_go_with_their_images(name):
    order = [4, 0, 5, 1, 3, 2]
    splits = _splits()
    expected = {
        key: values[order] if np.ndim(values) else values
        for key, values in by_key(_score(name, splits)).items()
    }
    shuffled = {split: content.isel(image=order) for split, content in splits.items()}
    _assert_close(by_key(_score(name, shuffled)), expected)


def test_the_order_of_raters_and_samples_does_not_matter(name):
    splits = _splits()
    expected = _of_all_samples(by_key(_score(name, splits)))
    shuffle = {"rater": [2, 0, 1], "eu_sample": [1, 0], "au_sample": [1, 2, 0]}
    shuffled = {split: content.isel(shuffle) for split, content in splits.items()}
    # Maps that a task makes itself are in single precision, and EU a small difference of them.
    found = _of_all_samples(by_key(_score(name, shuffled)))
    _assert_close(found, expected, atol=1e-4 if name == "leakage" else 1e-6)


def test_variants_are_scored_together_as_each_is_alone(name):
    splits = _splits(classes=3)
    together = by_key(_score(name, splits, list(VARIANTS.values())))
    for variant in map(VARIANTS.get, _scored(name)):
        alone = by_key(_score(name, splits, [variant]))
        _assert_close({k: v for k, v in together.items() if k[0] in ("", variant.name)}, alone)


def test_all_variants_have_the_same_scores(name):
    keys = list(by_key(_score(name, _splits(), list(VARIANTS.values()))))
    assert {key[0] for key in keys} <= {"", *_scored(name)}
    one, *others = ([key[1:] for key in keys if key[0] in ("", v)] for v in _scored(name))
    assert all(sorted(other) == sorted(one) for other in others)


def test_a_score_is_what_equal_weights_make_of_it(name):
    splits = _splits(classes=3)
    weights = {split: np.ones((2, content.sizes["image"])) for split, content in splits.items()}
    for score in _score(name, splits, list(VARIANTS.values())):
        expected = [score.mean()] * 2
        np.testing.assert_allclose(score.weighted(weights), expected, rtol=1e-9, atol=1e-12)


def test_images_without_weight_do_not_count(name):
    splits = _splits(images=5)
    fewer = {
        split: content if split == "val" else content.isel(image=[0, 2, 3])
        for split, content in splits.items()
    }
    kept = np.array([[1.0, 0, 1, 1, 0]])
    weights = {split: np.ones((1, 5)) if split == "val" else kept for split in splits}
    expected = by_key(_score(name, fewer))
    for score in _score(name, splits):
        key = (score.variant, score.metric, score.split, score.measure, score.aggregation)
        found = score.weighted(weights).item()
        assert found == pytest.approx(np.mean(expected[key]), rel=1e-6, abs=1e-9), key


@pytest.mark.parametrize("kind", ["a reading lacks", "nobody read it", "half unlabelled"])
def test_what_lacks_is_left_out_and_the_other_images_are_scored_as_ever(name, kind):
    splits = _splits(images=5, classes=3)
    expected = {_key(score): score for score in _score(name, splits, list(VARIANTS.values()))}
    lacking = dict(splits)
    for split, content in splits.items():
        if split != "val":  # on which confidences are fitted
            labels = content["labels"].copy()
            if kind == "a reading lacks":
                labels[1, 2] = dims.UNLABELLED
            elif kind == "nobody read it":
                labels[1] = dims.UNLABELLED
            else:
                labels[1, :, :6] = dims.UNLABELLED
            lacking[split] = content.assign(labels=labels)
    weights = {split: np.array([[1.0, 0, 1, 1, 1]]) for split in splits} | {"val": np.ones((1, 5))}
    for score in _score(name, lacking, list(VARIANTS.values())):
        if _key(score) not in expected:
            assert score.metric == "missing_readings"
            continue
        whole = expected[_key(score)]
        if np.ndim(score.values):
            others = [0, 2, 3, 4]
            np.testing.assert_allclose(score.values[others], whole.values[others], rtol=1e-12)
            defined = True if score.defined is None else score.defined
            assert (np.isfinite(score.values) == defined).all()
        assert not score.reason
        found, unchanged = score.weighted(weights), whole.weighted(weights)
        np.testing.assert_allclose(found, unchanged, rtol=1e-6, atol=1e-9, err_msg=str(_key(score)))


def test_what_it_takes_of_samples_is_its_own_and_of_images(name):
    taken = plugins.taken(plugins.SUMMARISE, CONFIG["scores"])
    if name not in taken:
        pytest.skip("takes nothing of samples")
    content = random_split("id", images=2)
    (some,) = drawn.few(content[["probs", "labels"]], "strict")
    found = {
        task: plugins.load("tasks", task).summarise("id", some, **options)
        for task, options in taken.items()
    }
    others = {key for task, arrays in found.items() if task != name for key in arrays}
    assert found[name].keys().isdisjoint({*others, *content, *content.dims})
    for array in found[name].values():
        assert array.dims[0] == "image"
        assert array.sizes["image"] == 2


def test_it_reads_what_it_says(name):
    """So it is scored once for each estimator, and where there is no truth, if need be."""
    splits = _splits()
    expected = by_key(_score(name, splits))
    reads = plugins.load("tasks", name).TASK.reads
    assert set(reads) <= {"uncertainty", "truth"}
    others = {"uncertainty", "truth"} - set(reads)
    _assert_close(
        by_key(_score(name, {s: c.drop_vars(others) for s, c in splits.items()})), expected
    )
    for array in reads:
        with pytest.raises(KeyError, match=array):
            list(_score(name, {s: c.drop_vars(array) for s, c in splits.items()}))
