"""One study of three classes, five raters and colour, and of two classes and four raters."""

import numpy as np
import pandas as pd
import pytest
import yaml
from lookalikes import lidc_entries, write_chaksu, write_lidc
from study import ROOT, Study

from segue import store

pytestmark = pytest.mark.workflow

CELLS = 19
DATASETS = ("fundus", "lung")


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
    for name in ("ssn", "prob_unet", "diffusion"):
        config["aleatoric"][name]["training"] = steps
    config |= {
        "study": "other",
        "datasets": {
            "lidc_contours": None,
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
        },
    }
    study = Study(folder / "project", config)
    study.run("--cores", "2")
    return study


def test_the_stores_have_the_classes_raters_and_channels_of_their_data(study):
    for name, expected in (("fundus", (3, 5, 3)), ("lung", (2, 4, 1))):
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
    assert set(DATASETS) <= set(table["dataset"])
