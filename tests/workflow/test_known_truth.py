"""A study of images whose truth is known, along an axis and with remedies, end to end."""

import numpy as np
import pandas as pd
import pytest
from counted import others
from study import Study

from segue import store

pytestmark = pytest.mark.workflow

OPTIONS = {"side": 16, "images": {"train": 12, "val": 4, "id": 8}, "shifts": {"shape": [1.0]}}
AXIS = {
    "quantity": "factor on ambiguity",
    "moves": "AU",
    "direction": 1,
    "points": [{"at": 0, "dataset": "clear"}, {"at": 1, "dataset": "phantom"}],
}
CONFIG = {
    "study": "tiny",
    "replicates": 1,
    "variants": ["corrected", "jackknife"],
    "datasets": {
        **others("datasets", "phantom"),
        "phantom": {"source": "phantom", "options": OPTIONS},
        "clear": {
            "source": "phantom",
            "options": {**OPTIONS, "ambiguity": 0.0},
            "training": {"epochs": 3},
        },
    },
    "network": {"channels": [4, 8], "attention": 1, "heads": 1, "group_channels": 4},
    "aleatoric": {
        **others("aleatoric", "softmax", "ssn"),
        "ssn": {
            "options": {"rank": 2, "loss_samples": 2, "diagonal_epochs": 1},
            "training": {"epochs": 2},
        },
    },
    "epistemic": {
        **others("epistemic", "dropout", "ensemble"),
        "dropout": {"hypotheses": 2},
        "dropout_redraw": {
            "method": "dropout",
            "recipe": "dropout",
            "hypotheses": 2,
            "options": {"redraw": True},
            "sampling": {"noise": "independent", "au_samples": 6},
        },
        "ensemble": {"hypotheses": 2, "members": 2, "recipe": "resampled"},
    },
    "recipes": {
        **others("recipes", "dropout"),
        "resampled": {"dropout": 0, "snapshots": 0, "resample": "patients"},
    },
    "not_applicable": [],
    "training": {"epochs": 2, "batch": 4},
    "sampling": {"au_samples": 4},
    "tables": {"tasks": {"ood": "mean"}},
    "axes": {"ambiguity": AXIS},
    "remedies": {
        "frozen_masks": {"before": "dropout_redraw", "after": "dropout"},
        "jackknife": {"before": "ensemble", "after": "ensemble", "variant": "jackknife"},
    },
    "figures": {"qualitative": {"cells": [], "images": 1}},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("sources") / "project", CONFIG)
    study.run("--cores", "2")
    return study


def table(study, name):
    return pd.read_csv(study.results / f"tables/{name}.csv", keep_default_na=False, na_values=[""])


def test_the_truth_is_in_the_store_and_scored(study):
    split = store.open_split(study.results / "datasets/phantom/dataset.zarr", "id")
    np.testing.assert_allclose(split["truth"].sum("class"), 1, atol=1e-5)
    scores = table(study, "scores")
    for task in ("truth_aleatoric", "truth_epistemic"):
        rows = scores[(scores["task"] == task) & (scores["metric"] == "ncc")]
        assert set(rows["dataset"]) == {"phantom", "clear"}
        assert np.isfinite(rows["score"]).all()
    true = scores[(scores["metric"] == "h_star") & (scores["split"] == "id")]
    means = true.groupby("dataset")["score"].mean()
    assert means["clear"] < 0.5 * means["phantom"]
    intervals = table(study, "intervals")
    assert {"truth_aleatoric", "truth_epistemic"} <= set(
        intervals.loc[intervals["metric"] == "delta", "task"]
    )


def test_a_cell_is_sampled_as_its_method_says(study):
    for method, draws in (("dropout", 4), ("dropout_redraw", 6)):
        path = study.results / f"samples/phantom/ssn-{method}/rep0/samples.zarr"
        assert store.open_split(path, "id")["probs"].sizes["au_sample"] == draws


def test_leakage_axes_and_remedies_have_their_tables(study):
    leakage = table(study, "leakage")
    softmax = leakage["aleatoric"] == "softmax"
    assert leakage.loc[softmax, "leaked"].abs().max() < 1e-5
    noisy = leakage[~softmax & (leakage["eu_plugin"] > 1e-6)]  # less is rounding
    assert len(noisy)
    assert (noisy["eu_jackknife"] < noisy["eu_plugin"]).all()
    swept = table(study, "sweep").query("aleatoric == 'ssn' and over == 'draws'")
    assert set(swept["number"]) == {1, 2, 3, 4, 5, 6}
    axes = table(study, "axes")
    assert axes.groupby("at")["h_star"].first().is_monotonic_increasing
    assert len(axes) == 2 * 2 * 3 * 2  # points, aleatoric, epistemic, estimators
    assert len(table(study, "axes_error")) == 2 * 3 * 2
    remedies = table(study, "mitigation").query("aleatoric == 'ssn' and dataset == 'phantom'")
    jackknife = remedies.set_index("remedy").loc["jackknife"]
    assert jackknife["leaked_before"] > jackknife["leaked_after"] == 0
    assert (jackknife["passes_before"], jackknife["passes_after"]) == (2, 2)


def test_their_figures_are_drawn(study):
    names = {path.stem for path in (study.results / "figures").glob("*.svg")}
    assert {"leakage", "axes"} <= names
