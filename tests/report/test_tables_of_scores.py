"""From stores to tables: what the stage score writes is what the stage tables reads."""

import pandas as pd
from handmade import SPLITS, random_split, write_stores

from segue.evaluation.maps import write_maps
from segue.evaluation.score import score
from segue.keys import REPLICATE
from segue.report.tables import tables

OPTIONS = {
    "ood": {"patch": 5},
    "ambiguity": {},
    "calibration": {"ace_bins": 10, "platt_bins": 64},
}
RANKING = {"ood": "mean", "ambiguity": "", "calibration": "pooled"}


def test_scores_of_several_cells_become_tables_with_intervals(tmp_path):
    labels = {name: random_split(name, images=8)["labels"] for name in SPLITS}
    cells, files = [], []
    for aleatoric in ("ssn", "diffusion"):
        for epistemic in ("swag", "ensemble"):
            for replicate in range(3):
                cell = ["d", aleatoric, epistemic, replicate]
                folder = tmp_path / "-".join(map(str, cell))
                folder.mkdir()
                splits = {
                    name: random_split(name, *map(str, cell), images=8).assign(labels=labels[name])
                    for name in SPLITS
                }
                stores = write_stores(folder, splits)
                maps = folder / "maps.zarr"
                write_maps(maps, **stores, none_roles="strict", options={})
                key = dict(zip(REPLICATE, cell, strict=True))
                out = folder / "scores.csv"
                score(
                    out,
                    dataset=stores["dataset"],
                    maps=str(maps),
                    key={"study": "s", **key},
                    variants=["corrected"],
                    options=OPTIONS,
                    seed=0,
                )
                cells.append(cell)
                files.append(str(out))
    arguments = {"options": {"tasks": RANKING}, "cells": cells, "not_applicable": [], "seed": 0}
    tables(tmp_path / "tables", scores=files, **arguments)
    found = pd.read_csv(tmp_path / "tables" / "entanglement.csv")
    assert len(found) == 4
    assert found[["low", "high"]].notna().all(axis=None)
    assert (found["low"] < found["high"]).all()
    assert found["mean_rank"].mean() == 2.5
    tables(tmp_path / "again", scores=files[::-1], **arguments)
    for path in (tmp_path / "tables").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
