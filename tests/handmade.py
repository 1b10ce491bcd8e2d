"""Small splits and stores of random or given labels and probabilities."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.stats import norm

from segue import dims, plugins, seeds, store
from segue.evaluation.decomposition import decompose
from segue.evaluation.drawn import few
from segue.evaluation.maps import SAMPLE_DIMS
from segue.evaluation.task import Score
from segue.evaluation.variants import Variant

SPLITS = ("val", "id", "ood_blur", "ood_noise")


def split_of(labels: np.ndarray, probs: np.ndarray, truth: np.ndarray | None = None) -> xr.Dataset:
    """A split: labels, probs, and the maps and prediction that follow.

    ``truth`` is the distribution of the labels, where it is known.
    """
    samples = xr.DataArray(np.asarray(probs), dims=dims.SAMPLES)
    known = {} if truth is None else {"truth": (dims.PREDICTION, np.asarray(truth, np.float32))}
    return xr.Dataset(
        {
            **known,
            "labels": xr.DataArray(np.asarray(labels, np.uint8), dims=dims.LABELS),
            "probs": samples,
            "uncertainty": decompose(samples.astype("float32")).transpose(*dims.UNCERTAINTY),
            "prediction": samples.astype("float32").mean(("eu_sample", "au_sample")),
        },
        attrs={
            "none_roles": "samples_as_hypotheses",
            **{dim: samples.sizes[dim] for dim in SAMPLE_DIMS},
        },
    )


def random_split(
    *labels: str,
    images: int = 6,
    side: int = 12,
    classes: int = 2,
    raters: int = 3,
    hypotheses: int = 2,
    draws: int = 3,
) -> xr.Dataset:
    """A split of blobs with noisy raters and noisy samples; ``labels`` seed it."""
    rng = seeds.rng(0, *labels)
    centre, radius = rng.uniform(0.3, 0.7, (images, 2, 1, 1)), rng.uniform(0.1, 0.3, (images, 1, 1))
    y, x = np.mgrid[:side, :side] / side
    inside = 10 * (radius - np.hypot(y - centre[:, 0], x - centre[:, 1]))
    levels = np.arange(classes)[:, None, None]
    noisy = inside[:, None] + rng.normal(0, 0.7, (images, raters, 1, 1))
    drawn = np.clip(np.ceil(noisy), 0, classes - 1)
    noise = rng.normal(0, 1, (images, hypotheses, 1, 1, 1, 1))
    noise = noise + rng.normal(0, 1, (images, hypotheses, draws, 1, 1, 1))
    logits = (inside[:, None, None, None] + noise) * levels - levels * (levels - 1) / 2
    probs = np.exp(logits - logits.max(axis=3, keepdims=True))
    # A class is drawn where the noisy level, Gaussian with sd .7, lies between two whole numbers.
    above = norm.sf((np.arange(classes - 1)[:, None, None] - inside[:, None]) / 0.7)
    ends = np.ones((images, 1, side, side)), np.zeros((images, 1, side, side))
    truth = -np.diff(np.concatenate([ends[0], above, ends[1]], axis=1), axis=1)
    samples = (probs / probs.sum(axis=3, keepdims=True)).astype(np.float16)
    return split_of(drawn, samples, truth)


def write_stores(folder: Path, splits: Mapping[str, xr.Dataset], chunk: int = 4) -> dict[str, str]:
    """Write dataset.zarr and samples.zarr; return their paths by the name that ``score`` gives.

    The dataset knows the truth where the splits do.
    """
    for name, orders in (
        ("dataset", {"labels": dims.LABELS, "truth": dims.PREDICTION}),
        ("samples", {"probs": dims.SAMPLES}),
    ):
        with store.publish(folder / f"{name}.zarr") as path:
            store.describe(path, {"title": "made by hand"})
            for split, content in splits.items():
                for variable in orders.keys() & content.keys():
                    values = content[variable].values
                    array = store.create(
                        path,
                        split,
                        variable,
                        orders[variable],
                        values.shape,
                        str(values.dtype),
                        chunk=chunk,
                    )
                    array[:] = values
                patients = [f"patient {i}" for i in range(content.sizes["image"])]
                store.coordinate(path, split, "patient", "image", patients)
    return {"dataset": str(folder / "dataset.zarr"), "samples": str(folder / "samples.zarr")}


def scores_of(
    task: str, splits: Mapping[str, xr.Dataset], variants: Sequence[Variant], **options
) -> Iterator[Score]:
    """Scores of a task of splits with samples, of which it is given what it summarised."""
    module, summarised = plugins.load("tasks", task), {}
    for function in (plugins.SUMMARISE, plugins.SCORE):
        summarised[function] = plugins.taken(function, {task: options}).get(task, {})
    given = {}
    for name, split in splits.items():
        found = split.drop_vars("probs")
        if hasattr(module, plugins.SUMMARISE):
            parts = [
                xr.Dataset(module.summarise(name, drawn, **summarised[plugins.SUMMARISE]))
                for drawn in few(split[["probs", "labels"]], split.attrs["none_roles"])
            ]
            found = found.assign(xr.concat(parts, dim="image"))
        given[name] = found.assign_attrs({dim: split.sizes[dim] for dim in SAMPLE_DIMS})
    return module.score(given, variants, **summarised[plugins.SCORE])


def by_key(scores: Iterable[Score]) -> dict[tuple[str, ...], np.ndarray | float]:
    """Values by (variant, metric, split, measure, aggregation); no two scores may share a key."""
    found: dict[tuple[str, ...], np.ndarray | float] = {}
    for score in scores:
        key = (score.variant, score.metric, score.split, score.measure, score.aggregation)
        assert key not in found
        found[key] = score.values
    return found
