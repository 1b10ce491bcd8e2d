"""Curves of single cells: against scikit-learn, and against the scores of the same maps."""

import inspect

import numpy as np
import pytest
from handmade import SPLITS, random_split, write_stores
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score, roc_curve

import segue
from segue import dims
from segue.evaluation.maps import write_maps
from segue.evaluation.metrics.aurc import aurc
from segue.evaluation.metrics.calibration import curve
from segue.report import curves, style
from segue.report.figures import reliability, risk_coverage, roc

VALUES = st.lists(st.integers(0, 6), min_size=1, max_size=12)


@given(VALUES, VALUES)
def test_the_roc_is_that_of_scikit_learn(negative, positive):
    false, true = curves.roc(np.array(negative), np.array(positive))
    truth, scores = [0] * len(negative) + [1] * len(positive), negative + positive
    expected = roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose(false, expected[0])
    np.testing.assert_allclose(true, expected[1])
    assert np.trapezoid(true, false) == pytest.approx(roc_auc_score(truth, scores))


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1)), min_size=1, max_size=12))
def test_the_mean_of_the_risk_coverage_curve_is_the_aurc(items):
    uncertainty, risk = map(np.array, zip(*items, strict=True))
    found = curves.risk_coverage(uncertainty, risk)
    assert found.mean() == pytest.approx(aurc(uncertainty, risk))
    assert found[-1] == pytest.approx(risk.mean())


def test_the_most_certain_images_come_first():
    found = curves.risk_coverage(np.array([3, 1, 2]), np.array([0.9, 0.1, 0.2]))
    np.testing.assert_allclose(found, [0.1, 0.15, 0.4])


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two replicates of one cell: their stores, and the scores of both."""
    folder, cells, tables = tmp_path_factory.mktemp("curves"), [], []
    for replicate in range(2):
        splits = {name: random_split(name, str(replicate), images=12) for name in SPLITS}
        here = folder / str(replicate)
        paths = write_stores(here, splits)
        write_maps(here / "maps.zarr", **paths, none_roles="strict", options={}, bits=23, shown=0)
        maps = {"maps": str(here / "maps.zarr"), "dataset": paths["dataset"]}
        cells.append({"aleatoric": "ssn", "epistemic": "swag", "replicate": replicate, **maps})
        tasks = {"ood": {"patch": 5}, "failure": {}}
        tasks["calibration"] = {"ace_bins": 10, "platt_bins": 64}
        tables.append(segue.score(splits, tasks=tasks))
    return cells, tables


def _score(tables, metric, measure, aggregation, region):
    """Mean over splits and replicates."""
    found = []
    for table in tables:
        rows = table[(table["metric"] == metric) & (table["measure"] == measure)]
        rows = rows[(rows["aggregation"] == aggregation) & rows["split"].str.startswith(region)]
        found.append(rows["score"].mean())
    return np.mean(found)


def _told(ax):
    """Numbers printed in a panel, by measure."""
    texts = [text.get_text().split() for text in ax.texts]
    return {text[0]: float(text[1]) for text in texts if text[0] in dims.MEASURES}


def _one_dataset(cells):
    """One replicate, since each has a dataset of its own here."""
    return cells[0]["dataset"], cells[:1]


@pytest.mark.parametrize("how", ["border", "area", "patch", "threshold"])
def test_the_roc_figure_has_the_auroc_of_the_scores(study, how):
    cells, tables = study
    dataset, first = _one_dataset(cells)
    (ax,) = (a for a in roc.compose(dataset, first, how, {"patch": 5}).axes if a.get_visible())
    for measure, value in _told(ax).items():
        assert value == pytest.approx(_score(tables[:1], "auroc", measure, how, "ood"), abs=0.0051)
        (line,) = (line for line in ax.lines if line.get_label() == measure)
        assert np.trapezoid(line.get_ydata(), line.get_xdata()) == pytest.approx(value, abs=0.03)
        assert (np.diff(line.get_ydata()) >= 0).all()


def test_the_risk_coverage_figure_has_the_aurc_of_the_scores(study):
    cells, tables = study
    figure = risk_coverage.compose(*_one_dataset(cells))
    panels = [ax for ax in figure.axes if ax.get_visible()]
    assert len(panels) == 2
    for ax, region in zip(panels, dims.REGIONS, strict=True):
        for measure, value in _told(ax).items():
            expected = _score(tables[:1], "aurc", measure, "mean", region)
            assert value == pytest.approx(expected, abs=0.0051)


def test_the_reliability_figure_has_the_ace_of_the_scores(study):
    cells, tables = study
    options = {"ace_bins": 10, "platt_bins": 64}
    figure = reliability.compose(*_one_dataset(cells), options)
    panels = [ax for ax in figure.axes if ax.get_visible()]
    for ax, region in zip(panels, dims.REGIONS, strict=True):
        for measure, value in _told(ax).items():
            expected = _score(tables[:1], "ace", measure, "pooled", region)
            assert value == pytest.approx(expected, abs=0.0051)


def test_a_reliability_curve_is_that_of_scikit_learn():
    """On binary samples, each its own pixel: bins closed above, which only ties tell apart."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0, 1, (4, 10, 10))
    right = (rng.uniform(size=confidence.shape) < confidence**2).astype(int)
    found = curve(confidence, right, 1, 10)
    total, sure, hits = (each.sum(axis=0) for each in found)
    expected = calibration_curve(right.ravel(), confidence.ravel(), n_bins=10)
    np.testing.assert_allclose(hits / total, expected[0])
    np.testing.assert_allclose(sure / total, expected[1])


@pytest.mark.parametrize(
    ("x", "y"),
    [([0, 0.5, 1], [0, 0.8, 1]), ([0, 0.2, 1], [0.9, 0.6, 0.6]), ([0, 1], [0.5, 0.2])],
    ids=["roc", "high risk", "low risk"],
)
def test_the_metric_is_told_where_no_curve_runs(x, y):
    figure = Figure(figsize=(1.35, 1.35))
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, 1), ylim=(0, 1))
    (line,) = ax.plot(x, y)
    curves.tell(ax, "AURC", {"TU": 0.5, "AU": 0.5, "EU": 0.5})
    figure.draw_without_rendering()
    path = line.get_transform().transform_path(line.get_path())
    assert not any(path.intersects_bbox(t.get_window_extent(), filled=False) for t in ax.texts)


def test_replicates_are_averaged_and_their_range_is_pale(study):
    cells, _ = study
    twice = [cells[0], {**cells[1], "maps": cells[0]["maps"]}]
    one = roc.compose(cells[0]["dataset"], cells[:1], "area", {"patch": 5})
    two = roc.compose(cells[0]["dataset"], twice, "area", {"patch": 5})
    assert _told(one.axes[0]) == _told(two.axes[0])
    assert len([ax for ax in two.axes if ax.get_visible()]) == 1


@pytest.mark.parametrize("module", [roc, risk_coverage, reliability])
def test_curves_fill_a_page_and_nothing_is_cut_off(study, module, tmp_path):
    cells, _ = study
    many = [{**cells[0], "epistemic": f"method_{i}_with_a_name"} for i in range(5)]
    options = {"ace_bins": 10, "platt_bins": 64} if module is reliability else {"patch": 5}
    given = {"aggregation": "", "options": options, "name": "lung"}
    taken = inspect.signature(module.compose).parameters
    given = {key: value for key, value in given.items() if key in taken}
    figure = module.compose(cells[0]["dataset"], many, **given)
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert figure.get_figwidth() == style.PAGE
    assert -0.01 <= box.x0 < box.x1 <= figure.get_figwidth() + 0.01
    assert -0.01 <= box.y0 < box.y1 <= figure.get_figheight() + 0.01
    sizes = {
        tuple(np.round(ax.get_window_extent().size, 3)) for ax in figure.axes if ax.get_visible()
    }
    assert len(sizes) == 1
