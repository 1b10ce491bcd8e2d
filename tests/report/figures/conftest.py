"""Small studies to draw: tables, derived as the stage tables does, and the stores of a dataset."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segue import dims, plugins, seeds, store
from segue.evaluation.entanglement import Ranked, deltas
from segue.evaluation.maps import SHOWN
from segue.evaluation.shown import choose
from segue.keys import REPLICATE
from segue.report.ranks import ranks, summary

AGGREGATIONS = {"ood": "border", "ambiguity": "", "calibration": "pooled"}
PAIRS = (("softmax", "ensemble"), ("ssn", "none"), ("ssn", "ensemble"))


@pytest.fixture
def write_tables(tmp_path) -> Callable[..., Path]:
    """Write the tables that figures read, of random scores; return their folder."""

    def write(
        pairs: Sequence[tuple[str, str]] = PAIRS,
        datasets: Sequence[str] = ("lung",),
        replicates: int = 2,
    ) -> Path:
        tasks = {
            name: Ranked(plugins.load("tasks", name).TASK, aggregation)
            for name, aggregation in AGGREGATIONS.items()
        }
        random = seeds.rng(0, "scores")
        cells = [(d, a, e, r) for d in datasets for a, e in pairs for r in range(replicates)]
        rows = []
        for cell in cells:
            for split in ("val", "id", "ood_blur", "ood_noise"):
                for name, (task, aggregation) in tasks.items():
                    if name == "ood" and not dims.is_ood(split):
                        continue
                    for measure in dims.MEASURES:
                        key = (name, task.metric, split, measure, aggregation)
                        rows.append((*cell, *key, random.uniform(0.1, 0.9)))
                for overlap in ("dice", "iou"):
                    key = ("segmentation", "ged", split, "", overlap)
                    rows.append((*cell, *key, random.uniform(0.1, 0.9)))
                for measure in dims.MEASURES:
                    key = ("calibration", "ece", split, measure, "pooled")
                    rows.append((*cell, *key, random.uniform(0.1, 0.9)))
        columns = [*REPLICATE, "task", "metric", "split"]
        means = pd.DataFrame(rows, columns=[*columns, "measure", "aggregation", "score"])
        folder = tmp_path / "tables"
        folder.mkdir(exist_ok=True)
        found = deltas(means, tasks)
        ranking = ranks(found, tasks)
        mean_ranks = summary(ranking, ["table", "task"])
        mean_ranks = mean_ranks.assign(low=mean_ranks["low"] - 0.5, high=mean_ranks["high"] + 0.5)
        ends = {"low": means["score"] - 0.05, "high": means["score"] + 0.1}
        intervals = means.rename(columns={"score": "value"}).assign(**ends)
        named = {"deltas": found, "ranks": ranking, "mean_ranks": mean_ranks}
        named |= {"intervals": intervals, "sweep": _sweep(cells), "axes": _axes(cells)}
        for name, table in named.items():
            table.to_csv(folder / f"{name}.csv", index=False)
        return folder

    return write


def _sweep(cells: Sequence[tuple[str, str, str, int]]) -> pd.DataFrame:
    """Cells of softmax have one draw, others up to ten."""
    names = ["dataset", "aleatoric", "epistemic", "estimator", "over", "number"]
    names += ["tu", "au", "eu", "correlation", "ncc_au", "ncc_eu"]
    rows = [
        (*cell, estimator, over, number, 0.3, 0.2, 0.1 / (number or 10), 0.5, 0.8, 0.3)
        for cell in dict.fromkeys(cell[:3] for cell in cells)
        for estimator in ("plugin", "jackknife")
        for over, number in (("all", 0), *(("draws", n) for n in (1, 2, 10)))
        if number < 2 or cell[1] != "softmax"
    ]
    return pd.DataFrame(rows, columns=names)


def _axes(cells: Sequence[tuple[str, str, str, int]]) -> pd.DataFrame:
    """Four axes of three points each."""
    names = ["axis", "quantity", "at", "epistemic", "aleatoric", "estimator"]
    names += ["tu", "au", "eu", "h_star", "kl"]
    what = "of all images that a model was trained on"
    rows = [
        (axis, f"{axis} {what}", at, e, a, "jackknife", 0.3, 0.2 + at, 0.01 * at, 0.25, 0.02)
        for axis in ("ambiguity", "shift", "training_images", "raters")
        for at in (0, 0.5, 2)
        for a, e in dict.fromkeys(cell[1:3] for cell in cells)
    ]
    return pd.DataFrame(rows, columns=names)


@pytest.fixture
def write_stores(tmp_path) -> Callable[..., tuple[Path, list[dict[str, str]]]]:
    """Write dataset.zarr and the stores of some cells; return what the figure is drawn from."""

    def write(
        sizes: dict[tuple[str, str], tuple[int, int]],
        *,
        images: int = 5,
        shape: tuple[int, int] = (12, 16),
        channels: int = 1,
        classes: int = 2,
        splits: Sequence[str] = ("id",),
    ) -> tuple[Path, list[dict[str, str]]]:
        random = seeds.rng(0, "stores")
        dataset = tmp_path / "dataset.zarr"
        labels = np.zeros((images, 3, *shape), "uint8")
        for image, rater in np.ndindex(images, 3):
            labels[image, rater, 3 : 6 + (image + rater) % 5, 4:10] = 1 + rater % (classes - 1)
        pixels = random.normal(size=(images, channels, *shape)).astype("float32")
        with store.publish(dataset) as path:
            caption = {"title": "Lungs", "caption": "real masks, simulated CT"}
            names = [f"tissue {i}" for i in range(classes)]
            store.describe(path, caption | {"class_names": names})
            for split in splits:
                _fill(path, split, "image", dims.IMAGE, pixels)
                _fill(path, split, "labels", dims.LABELS, labels)
        cells = []
        for (aleatoric, epistemic), (hypotheses, draws) in sizes.items():
            maps = tmp_path / f"{aleatoric}-{epistemic}.zarr"
            probs = random.dirichlet(np.ones(classes), (images, hypotheses, draws, *shape))
            probs = np.moveaxis(probs, -1, 3).astype("float16")
            uncertainty = random.uniform(0, np.log(classes), (images, 3, *shape)).astype("float32")
            chosen = choose(store.open_split(dataset, "id"), images)
            with store.publish(maps) as path:
                prediction = probs.mean((1, 2), dtype="float32")
                for split in splits:
                    _fill(path, split, "uncertainty", dims.UNCERTAINTY, uncertainty)
                    store.coordinate(path, split, "measure", "measure", list(dims.MEASURES))
                    _fill(path, split, "prediction", dims.PREDICTION, prediction)
                    _fill(path, split, SHOWN, ("shown", *dims.SAMPLES[1:]), probs[chosen])
                    store.coordinate(path, split, "shown", "shown", chosen)
            cells.append({"aleatoric": aleatoric, "epistemic": epistemic, "maps": str(maps)})
        return dataset, cells

    return write


def _fill(path: Path, split: str, name: str, names: tuple[str, ...], values: np.ndarray) -> None:
    array = store.create(path, split, name, names, values.shape, values.dtype.name, chunk=2)
    array[:] = values
