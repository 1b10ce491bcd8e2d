"""One study of three datasets that differ in all that data can differ in.

Three classes, five raters and colour; two classes and four raters; and a user's own, whose images
are not square, not all seen by every rater, and have pixels without a class.
"""

import numpy as np
import pandas as pd
import pytest
import yaml
from counted import grid, others
from lookalikes import lidc_entries, write_chaksu, write_lidc
from own_images import save, table
from study import ROOT, Study

from segue import store
from segue.evaluation.metrics.ncc import ncc

pytestmark = pytest.mark.workflow

CELLS = len(grid("smoke").cells)
DATASETS = ("fundus", "lung", "own")
OWN = {"train": 12, "val": 4, "id": 6, "ood_site": 4}
UNLABELLED = 255


def _write_own(root):
    """Images of 16 x 24 pixels and three raters; the third saw every other image only."""
    y, x = np.mgrid[:16, :24]
    rng = np.random.default_rng(0)
    rows = []
    for split, count in OWN.items():
        for number in range(count):
            name = f"{split}{number}"
            centre, radius = rng.uniform((5, 7), (11, 17)), rng.uniform(3, 5)
            distance = np.hypot(y - centre[0], x - centre[1])
            noise = 60 if split == "ood_site" else 20
            picture = 90 + 80 * (distance < radius) + rng.normal(0, noise, (16, 24))
            save(root / f"{name}.png", picture.clip(0, 255).astype(np.uint8))
            row = {"image": f"{name}.png", "split": split}
            for rater in range(3):
                mask = (distance < radius + rng.normal(0, 1)).astype(np.uint8)
                mask[:2] = UNLABELLED
                if rater < 2 or number % 2:
                    row[f"rater_{rater + 1}"] = f"masks/{name}_{rater}.png"
                    save(root / row[f"rater_{rater + 1}"], mask)
            rows.append(row)
    table(root, rows, ["image", "split", "rater_1", "rater_2", "rater_3"])
    return root


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The finished study, of both."""
    folder = tmp_path_factory.mktemp("other")
    counts = {"Remidio": 10, "Bosch": 2}, {"Remidio": 4, "Forus": 2, "Bosch": 1}
    # As large as real discs, lest nothing of them, nor of what experts differ in, is left.
    train, test = write_chaksu(folder, *counts, scale=10)
    pickle, metadata = write_lidc(folder, lidc_entries(patients=15))
    config = yaml.safe_load((ROOT / "workflow/studies/smoke.yaml").read_text())
    # So few images make few steps: large ones, lest all networks stay what they were.
    steps = {"epochs": 8, "batch": 4, "learning_rate": 0.01, "ema": 0.9}
    config["training"] = steps
    for entry in config["aleatoric"].values():
        entry["training"] = steps
    config |= {
        "study": "other",
        "datasets": {
            **others("datasets"),
            "fundus": {
                "source": "chaksu",
                "published": "chaksu",
                "options": {"train": str(train), "test": str(test), "size": 32},
            },
            "lung": {
                "source": "lidc",
                "published": "lidc",
                "options": {"path": str(pickle), "metadata_csv": str(metadata), "size": 16},
            },
            "own": {
                "source": "folder",
                "options": {
                    "path": str(_write_own(folder / "own")),
                    "classes": ["background", "lesion"],
                    "ignore": UNLABELLED,
                },
            },
        },
    }
    study = Study(folder / "project", config)
    study.run("--cores", "2")
    return study


def test_the_stores_have_the_classes_raters_and_channels_of_their_data(study):
    for name, expected in (("fundus", (3, 5, 3)), ("lung", (2, 4, 1)), ("own", (2, 3, 1))):
        attributes = store.attributes(study.results / f"datasets/{name}/dataset.zarr")
        found = tuple(attributes[key] for key in ("classes", "raters", "channels"))
        assert found == expected


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_tables_have_every_cell_of_every_dataset(study, dataset):
    for name in ("performance", "entanglement"):
        table = pd.read_csv(study.results / f"tables/{name}.csv", keep_default_na=False)
        rows = table[table["dataset"] == dataset]
        assert len(rows) == CELLS
        assert np.isfinite(rows["mean_rank"].astype(float)).all()


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_dataset_has_its_figure_and_card(study, dataset):
    for stem in (f"figures/qualitative-{dataset}", f"cards/{dataset}"):
        assert (study.results / f"{stem}.png").stat().st_size > 0


def test_tables_compare_each_with_its_published_ranks(study):
    table = pd.read_csv(study.results / "tables/published_comparison.csv")
    assert {"fundus", "lung"} <= set(table["dataset"])


def test_scores_are_of_the_raters_and_pixels_that_there_are(study):
    """NCC and negative log-likelihood of ``id``, again from the stores."""
    cell = "own/softmax-ensemble/rep0"
    labels = store.open_split(study.results / "datasets/own/dataset.zarr", "id")["labels"].values
    maps = store.open_split(study.results / f"maps/{cell}/maps.zarr", "id")
    assert labels.shape == (OWN["id"], 3, 16, 24)
    assert (labels[:, :, :2] == UNLABELLED).all()
    assert (labels[::2, 2] == UNLABELLED).all()
    scores = pd.read_csv(study.results / f"scores/{cell}/scores.csv", keep_default_na=False)
    scores = scores[(scores["split"] == "id") & (scores["variant"] == "corrected")]

    def of(metric, measure=""):
        chosen = (scores["metric"] == metric) & (scores["measure"] == measure)
        rows = scores[chosen & (scores["aggregation"] == "")]
        assert list(rows["image"].astype(int)) == list(range(OWN["id"]))
        return rows["score"].astype(float).to_numpy()

    for number in range(OWN["id"]):
        seen = labels[number, : 2 + number % 2, 2:]
        uncertainty = maps["uncertainty"].values[number, 1, 2:]
        expected = ncc(seen.var(axis=0), uncertainty)
        assert of("ncc", "AU")[number] == pytest.approx(float(expected), abs=1e-6)
        chosen = np.take_along_axis(maps["prediction"].values[number, :, 2:], seen, axis=0)
        assert of("nll")[number] == pytest.approx(-np.log(chosen).mean(), abs=1e-6)
