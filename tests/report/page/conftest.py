"""A small study whose results lie in a folder as the workflow leaves them, with known truth."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from handmade import SPLITS, random_split, write_stores

from segue import dims, plugins, seeds, store
from segue.evaluation.maps import write_maps
from segue.evaluation.predictions import settings
from segue.evaluation.score import score
from segue.report.tables import tables

CELLS = (("softmax", "ensemble"), ("ssn", "none"), ("ssn", "ensemble"))
TASKS = ("ood", "ambiguity", "calibration", "segmentation", "leakage")
CARD = (
    "# Data card: discs\n\n<script>alert(1)</script>\n\n| a |\n| --- |\n| b |\n\n![x](discs.png)\n"
)


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> Path:
    """Folder of a finished study: three cells with three replicates each. Not to be written to."""
    folder = tmp_path_factory.mktemp("results") / "toy"
    every = settings(None)["scores"]
    scored = {name: every[name] for name in TASKS}
    cells = [["discs", a, e, r] for a, e in CELLS for r in range(3)]
    images = {split: random_split(split) for split in SPLITS}
    for aleatoric, epistemic in CELLS:
        sizes = {
            "hypotheses": 1 if epistemic == "none" else 2,
            "draws": 1 if aleatoric == "softmax" else 3,
        }
        splits = {
            split: each[["labels", "truth"]].assign(
                random_split(split, aleatoric, epistemic, **sizes)[["probs"]]
            )
            for split, each in images.items()
        }
        _write_cell(folder, aleatoric, epistemic, splits, scored)
    scores = [folder / f"scores/{d}/{a}-{e}/rep{r}/scores.csv" for d, a, e, r in cells]
    asked = {
        "options": {"tasks": {"ambiguity": "", "calibration": "pooled", "ood": "mean"}},
        "cells": cells,
        "not_applicable": [],
        "seed": 0,
        "names": {"captions": {"discs": "known truth"}},
    }
    tables(folder / "tables", scores=[str(path) for path in scores], **asked)
    record = {"settings": asked, "code": "abc", "software": {"segue": "0", "commit": "c0ffee"}}
    (folder / "tables/provenance.json").write_text(json.dumps(record))
    (folder / "cards").mkdir()
    (folder / "cards/discs.md").write_text(CARD)
    benchmark = folder / "benchmarks/train/discs"
    benchmark.mkdir(parents=True)
    (benchmark / "a.tsv").write_text("s\tmax_rss\n2.5\t300\n")
    (benchmark / "b.tsv").write_text("s\tmax_rss\n7.5\t-\n")
    _write_images(folder / "datasets/discs/dataset.zarr", images)
    return folder


def _write_cell(folder: Path, aleatoric: str, epistemic: str, splits, scored) -> None:
    """Maps and scores of the first replicate; the scores of others are the same."""
    place = f"discs/{aleatoric}-{epistemic}"
    work, maps = folder / "work" / place, folder / "maps" / place / "rep0/maps.zarr"
    for each in (work, maps.parent):
        each.mkdir(parents=True)
    stores = write_stores(work, splits)
    summarised = plugins.taken(plugins.SUMMARISE, scored)
    write_maps(maps, **stores, none_roles="strict", shown=2, options=summarised)
    first = folder / "scores" / place / "rep0"
    first.mkdir(parents=True)
    score(
        first / "scores.csv",
        dataset=stores["dataset"],
        maps=str(maps),
        key={
            **{"study": "toy", "dataset": "discs", "replicate": 0},
            **{"aleatoric": aleatoric, "epistemic": epistemic},
        },
        variants=["corrected", "jackknife"],
        options=plugins.taken(plugins.SCORE, scored),
        seed=0,
    )
    for replicate in (1, 2):
        other = shutil.copytree(first, first.with_name(f"rep{replicate}"))
        for path in other.glob("*.csv"):
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
            table.assign(replicate=replicate).to_csv(path, index=False)


def _write_images(path: Path, splits) -> None:
    """The data: images too, of which those of ``ood_blur`` are copies of those of ``id``."""
    with store.publish(path) as out:
        store.describe(out, {"title": "discs"})
        for split, content in splits.items():
            pixels = seeds.rng(0, split).normal(size=(content.sizes["image"], 1, 12, 12))
            arrays = {
                "image": (dims.IMAGE, pixels.astype("float32")),
                "labels": (dims.LABELS, content["labels"].values),
                "truth": (dims.PREDICTION, content["truth"].values),
            }
            for name, (order, values) in arrays.items():
                array = store.create(
                    out, split, name, order, values.shape, str(values.dtype), chunk=2
                )
                array[:] = values
            of = "id" if split == "ood_blur" else split
            names = [f"{of} {i}" for i in np.arange(content.sizes["image"])]
            store.coordinate(out, split, "name", "image", names)
