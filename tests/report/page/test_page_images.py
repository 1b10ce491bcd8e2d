"""The images of a page are those of the stores, and their numbers those of the scores."""

import base64
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from segue import store
from segue.evaluation.entanglement import delta
from segue.evaluation.maps import SHOWN
from segue.report import pictures
from segue.report.page.browser import browser
from segue.report.page.material import read
from segue.report.page.sprites import heat

CELL = "ssn × ensemble"


@pytest.fixture(scope="module")
def shown(study):
    return browser(read(study))["discs"]


def tile(pictured: dict, column: str, row: int, side: int = 12) -> np.ndarray:
    data = BytesIO(base64.b64decode(pictured["sprite"]))
    pixels = np.asarray(Image.open(data).convert("RGB"))
    x = pictured["columns"].index(column) * side
    return pixels[row * side : (row + 1) * side, x : x + side] / 255


@pytest.fixture(scope="module")
def maps(study):
    """Arrays of the cell, by the split."""
    path = study / "maps/discs/ssn-ensemble/rep0/maps.zarr"
    return {split: store.open_split(path, split).load() for split in store.splits(path)}


def test_there_are_images_of_each_split_and_copies_know_their_original(shown):
    entries = shown["entries"]
    assert {entry["split"] for entry in entries} == {"val", "id", "ood_blur", "ood_noise"}
    for entry in entries:
        if entry["split"] == "ood_blur":
            original = entries[entry["original"]]
            assert (original["split"], original["name"]) == ("id", entry["name"])
        else:
            assert entry["original"] is None


def test_a_picture_is_that_of_its_image(maps, shown):
    cell = shown["cells"][CELL]
    for row, entry in enumerate(shown["entries"]):
        content = maps[entry["split"]].isel(image=entry["index"])
        prediction = pictures.blend(content["prediction"].values)
        np.testing.assert_allclose(tile(cell, "prediction", row), prediction, atol=2 / 255)
        eu = heat(content["uncertainty"].sel(measure="EU").values, cell["eu"])
        np.testing.assert_allclose(tile(cell, "EU", row), eu, atol=0.05)


def test_samples_are_those_of_the_images_that_have_some(maps, shown):
    samples = shown["cells"][CELL]["samples"]
    assert len(samples["owners"]) == samples["rows"] > 0
    for place, row in samples["owners"].items():
        entry = shown["entries"][place]
        content = maps[entry["split"]]
        at = content["shown"].values.tolist().index(entry["index"])
        probs = content[SHOWN].isel(shown=at, eu_sample=1, au_sample=2).values
        found = tile(samples, "sample 3, hypothesis 2", row)
        np.testing.assert_allclose(found, pictures.blend(probs), atol=0.02)


def test_one_draw_a_hypothesis_has_one_estimator(shown):
    columns = {name: cell["columns"] for name, cell in shown["cells"].items()}
    assert "EU, jackknife" in columns[CELL]
    assert columns["softmax × ensemble"] == ["prediction", "TU", "AU", "EU"]


def test_values_to_sort_by_are_those_of_the_scores(study, maps, shown):
    table = pd.read_csv(study / "scores/discs/ssn-ensemble/rep0/scores.csv", keep_default_na=False)
    table = table[table["variant"] == "corrected"]
    values = shown["cells"][CELL]["values"]
    for place, entry in enumerate(shown["entries"]):
        here = table[(table["split"] == entry["split"]) & (table["image"] == str(entry["index"]))]
        ncc = here[here["metric"] == "ncc"].set_index(["task", "measure"])["score"].astype(float)
        right, wrong = ncc["ambiguity", "AU"], ncc["ambiguity", "EU"]
        assert values["NCC of AU"][place] == pytest.approx(right, rel=5e-3)
        expected = float(delta(right, wrong, True))
        assert values["Δ of ambiguity"][place] == pytest.approx(expected, rel=5e-3)
        dice = float(here[here["metric"] == "dice"]["score"].iloc[0])
        assert values["Dice"][place] == pytest.approx(dice, rel=5e-3)
        uncertainty = maps[entry["split"]]["uncertainty"].isel(image=entry["index"])
        for measure in ("TU", "AU", "EU"):
            mean = float(uncertainty.sel(measure=measure).mean())
            assert values[measure][place] == pytest.approx(mean, rel=5e-3)


def test_the_truth_is_shown_where_it_is_known(study, shown):
    source = shown["source"]
    assert source["columns"] == ["image", "true p", "true AU"]
    entry = shown["entries"][2]
    data = store.open_split(study / "datasets/discs/dataset.zarr", entry["split"])
    expected = pictures.blend(data["truth"].isel(image=entry["index"]).values)
    np.testing.assert_allclose(tile(source, "true p", 2), expected, atol=2 / 255)
    marked = (data["labels"].isel(image=entry["index"]) > 0).any(["y", "x"]).values
    assert [bool(path) for path in entry["outlines"]] == marked.tolist()
