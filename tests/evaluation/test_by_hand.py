"""``segue check`` and ``segue score`` on a store with gaps, against values computed by plain loops.

One rater saw only half of the images, the first rows have no label, one rater left out more, and
there is no OOD split.
"""

from itertools import product
from math import atan2, log, pi

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from segue.cli import main

NONE = 255
HYPOTHESES, DRAWS, RATERS, SIDE = 2, 3, 3, 8
COUNTS = {"id": 6, "val": 4}


def _split(seed, count):
    """Foreground's probability (image, hypothesis, draw, y, x), labels (image, rater, y, x)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    inside = 3 - np.hypot(y - 4, x - 4) + rng.normal(0, 0.5, (count, 1, 1))
    noise = rng.normal(0, 1, (count, HYPOTHESES, 1, 1, 1)) + rng.normal(
        0, 1, (count, HYPOTHESES, DRAWS, 1, 1)
    )
    levels = np.array([0.125, 0.25, 0.5, 0.75, 0.875])
    cuts = np.array([-1.5, -0.5, 0.5, 1.5])
    foreground = levels[np.digitize(inside[:, None, None] + noise, cuts)]
    labels = (inside[:, None] + rng.normal(0, 1, (count, RATERS, 1, 1)) > 0).astype(np.uint8)
    labels[:, :, :2] = NONE
    labels[::2, 2] = NONE
    labels[1, 0, :, :3] = NONE
    return foreground, labels


DATA = {name: _split(seed, count) for seed, (name, count) in enumerate(COUNTS.items())}


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Folder of scores, written by the command."""
    root = tmp_path_factory.mktemp("hand")
    for name, (foreground, labels) in DATA.items():
        probs = np.stack([1 - foreground, foreground], axis=3).astype(np.float32)
        order = ("image", "eu_sample", "au_sample", "class", "y", "x")
        xr.Dataset(
            {"probs": (order, probs), "labels": (("image", "rater", "y", "x"), labels)}
        ).to_zarr(root / "x.zarr", group=name, mode="a", zarr_format=3, consolidated=False)
    assert main(["check", str(root / "x.zarr")]) == 0
    assert main(["score", str(root / "x.zarr"), "--out", str(root / "out")]) == 0
    return root / "out"


def _entropy(p):
    return -sum(q * log(q) for q in (p, 1 - p) if q > 0)


def _maps(foreground):
    """TU, AU, EU of one image, pixel by pixel."""
    found = np.zeros((3, SIDE, SIDE))
    for y, x in product(range(SIDE), repeat=2):
        means = [
            sum(foreground[h, s, y, x] for s in range(DRAWS)) / DRAWS for h in range(HYPOTHESES)
        ]
        total = _entropy(sum(means) / HYPOTHESES)
        aleatoric = sum(map(_entropy, means)) / HYPOTHESES
        found[:, y, x] = total, aleatoric, total - aleatoric
    return found


def _ncc(labels, values):
    pairs = []
    for y, x in product(range(SIDE), repeat=2):
        seen = [int(c) for c in labels[:, y, x] if c != NONE]
        if len(seen) >= 2:
            mean = sum(seen) / len(seen)
            pairs.append((sum((c - mean) ** 2 for c in seen) / len(seen), values[y, x]))
    g, u = np.array(pairs).T
    n = len(g)
    return ((g - g.mean()) * (u - u.mean())).sum() / (n * g.std(ddof=1) * u.std(ddof=1))


def _dice(first, second):
    common, total = 0, 0
    for a, b in zip(first, second, strict=True):
        common += a and b
        total += int(a) + int(b)
    return 1.0 if total == 0 else 2 * common / total


def _present(labels):
    return [r for r in range(RATERS) if (labels[r] != NONE).any()]


def _dice_of_prediction(foreground, labels):
    mask = foreground.mean(axis=(0, 1)) > 0.5
    scores = []
    for r in _present(labels):
        there = labels[r] != NONE
        scores.append(_dice(mask[there], labels[r][there] == 1))
    return np.mean(scores)


def _ged(foreground, labels):
    present = _present(labels)
    shared = (labels[present] != NONE).all(axis=0)
    raters = [labels[r][shared] == 1 for r in present]
    scores = []
    for h in range(HYPOTHESES):
        samples = [foreground[h, s][shared] > 0.5 for s in range(DRAWS)]

        def distance(one, other):
            return np.mean([1 - _dice(a, b) for a, b in product(one, other)])

        scores.append(
            2 * distance(samples, raters) - distance(samples, samples) - distance(raters, raters)
        )
    return np.mean(scores)


def _nll(foreground, labels):
    mean = foreground.mean(axis=(0, 1))
    values = []
    for r, y, x in product(range(RATERS), range(SIDE), range(SIDE)):
        if labels[r, y, x] != NONE:
            values.append(-log(mean[y, x] if labels[r, y, x] == 1 else 1 - mean[y, x]))
    return np.mean(values)


def _samples(split):
    """u of each measure (3, n) and whether the prediction is the rater's, of every label."""
    uncertain, right = [], []
    for foreground, labels in zip(*DATA[split], strict=True):
        maps, mask = _maps(foreground), foreground.mean(axis=(0, 1)) > 0.5
        for r, y, x in product(range(RATERS), range(SIDE), range(SIDE)):
            if labels[r, y, x] != NONE:
                uncertain.append(maps[:, y, x])
                right.append(mask[y, x] == (labels[r, y, x] == 1))
    return np.array(uncertain).T, np.array(right)


def _ace(measure):
    (fit, fit_right), (test, right) = _samples("val"), _samples("id")
    n = fit_right.sum()
    target = np.where(fit_right, (n + 1) / (n + 2), 1 / (len(fit_right) - n + 2))
    # Each of the samples in one of 256 logarithmic bins from 1e-12 to 1e2 stands at their mean.
    bins = np.floor((np.log10(np.maximum(fit[measure], 1e-12)) + 12) / 14 * 256)
    u = np.empty(len(bins))
    for k in set(bins):
        u[bins == k] = fit[measure][bins == k].mean()

    def loss(x):
        z = x[0] * u - x[1]
        return -(target * log_expit(z) + (1 - target) * log_expit(-z)).mean()

    precise = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 20000, "maxfev": 20000}
    best = minimize(loss, [0.0, 0.0], method="Nelder-Mead", options=precise)
    confidence = expit(best.x[0] * test[measure] - best.x[1])
    gaps = []
    for k in range(20):
        here = (confidence > k / 20) & (confidence <= (k + 1) / 20)
        if here.any():
            gaps.append(abs(right[here].mean() - confidence[here].mean()))
    return np.mean(gaps)


def _scores(folder, metric, measure="", aggregation=""):
    rows = pd.read_csv(folder / "scores.csv", keep_default_na=False)
    rows = rows[(rows["variant"] == "corrected") & (rows["split"] == "id")]
    rows = rows[(rows["metric"] == metric) & (rows["measure"] == measure)]
    rows = rows[rows["aggregation"] == aggregation]
    return [float(value) for value in rows["score"]]


@pytest.mark.parametrize(
    ("metric", "aggregation", "by_hand"),
    [
        ("dice", "", _dice_of_prediction),
        ("nll", "", _nll),
        ("ged", "dice", _ged),
    ],
)
def test_scores_of_images(scored, metric, aggregation, by_hand):
    expected = [by_hand(*each) for each in zip(*DATA["id"], strict=True)]
    assert _scores(scored, metric, "", aggregation) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(("measure", "index"), [("TU", 0), ("AU", 1), ("EU", 2)])
def test_ncc_and_calibration(scored, measure, index):
    expected = [_ncc(b, _maps(a)[index]) for a, b in zip(*DATA["id"], strict=True)]
    assert _scores(scored, "ncc", measure) == pytest.approx(expected, abs=1e-5)
    assert _scores(scored, "ace", measure, "pooled") == pytest.approx([_ace(index)], abs=1e-4)


def test_delta_of_the_tasks_that_the_splits_allow(scored):
    rows = pd.read_csv(scored / "deltas.csv", keep_default_na=False)
    found = rows[rows["split"] == "id"].set_index("task")["delta"]
    ncc = [
        np.mean([_ncc(b, _maps(a)[i]) for a, b in zip(*DATA["id"], strict=True)]) for i in (1, 2)
    ]
    ace = [_ace(i) for i in range(3)]
    expected = {
        "ambiguity": atan2(*ncc) / (pi / 4) - 1,
        "calibration": 1 - atan2(ace[0], min(ace[1:])) / (pi / 4),
    }
    for task, value in expected.items():
        assert float(found[task]) == pytest.approx(value, abs=2e-3)
    assert "ood" not in set(rows[rows["delta"] != ""]["task"])
