"""What the pictures are made of: images, labels, samples, maps and scores of single images."""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import xarray as xr

from segue import dims, store
from segue.errors import InputError
from segue.evaluation.maps import SHOWN
from segue.evaluation.probabilities import probabilities
from segue.evaluation.shown import evenly
from segue.report.score_files import of_images

HYPOTHESES, SAMPLES = 2, 2
"""How many are shown."""

_MOST_PIXELS = 180  # dots along a panel in the PNG: more pixels would not be seen
_SCORES = {
    ("segmentation", "dice", ""): ("prediction", "Dice"),
    ("ambiguity", "ncc", "AU"): ("AU", "NCC"),
    ("ambiguity", "ncc", "EU"): ("EU", "NCC"),
}
"""Panel of each task, metric and measure, and what it is called there."""


class Block(NamedTuple):
    """An image.

    Attributes:
        title: where it is from.
        source: ``image`` (channel, y, x) and ``labels`` (rater, y, x).
        cells: of each cell ``probs`` of its samples, ``prediction`` and ``uncertainty``.
        scores: of each cell what is printed in its panels, by the panel.
    """

    title: str
    source: xr.Dataset
    cells: list[xr.Dataset]
    scores: list[dict[str, str]]


def blocks(
    dataset: Path,
    cells: Sequence[Mapping[str, Any]],
    splits: Sequence[str],
    images: int,
    scores: Sequence[str],
) -> list[Block]:
    """The images to show. Args and errors: ``segue.report.figures.qualitative.compose``'s."""
    found = []
    tables = [of_images(Path(path)) for path in scores]
    for split in _expanded(dataset, splits):
        rows = [_read(Path(cell["maps"]), split, images) for cell in cells]
        chosen = rows[0]["shown"].values.tolist()
        source = _thin(store.open_split(dataset, split)[["image", "labels"]].isel(image=chosen))
        source = source.load()
        for i, image in enumerate(chosen):
            told = [_scores(table, split, image) for table in tables] or [{}] * len(cells)
            of_image = source.isel(image=i), [row.isel(image=i) for row in rows]
            found.append(Block(f"{split}, image {image}", *of_image, told))
    return found


def _expanded(dataset: Path, splits: Sequence[str]) -> list[str]:
    """The splits, with all shifted ones in the place of ``ood``."""
    shifted = [name for name in store.splits(dataset) if dims.is_ood(name)]
    found = [each for name in splits for each in (shifted if name == "ood" else [name])]
    if not found:
        raise InputError(f"{dataset}: no shifted split; name others in figures.qualitative.splits")
    return list(dict.fromkeys(found))


def _scores(table: pd.DataFrame, split: str, image: int) -> dict[str, str]:
    """What is printed in the panels of an image; nothing where it has no score."""
    rows = table[(table["split"] == split) & (table["image"] == str(image))].dropna(subset="score")
    keys = zip(rows["task"], rows["metric"], rows["measure"], strict=True)
    found = {}
    for key, value in zip(keys, rows["score"], strict=True):
        if key in _SCORES:
            panel, label = _SCORES[key]
            found[panel] = f"{label} {value:.2f}"
    return found


def _thin(arrays: xr.Dataset | xr.DataArray) -> xr.Dataset | xr.DataArray:
    step = ceil(max(arrays.sizes["y"], arrays.sizes["x"]) / _MOST_PIXELS)
    return arrays.isel(y=slice(None, None, step), x=slice(None, None, step))


def _read(maps: Path, split: str, images: int) -> xr.Dataset:
    """``probs`` of the samples shown, ``prediction`` and ``uncertainty`` of their images."""
    found = store.open_split(maps, split)
    if SHOWN not in found:
        raise InputError(
            f"{maps}/{split}: no samples of any image to show; no rater marked anything in any, or "
            "samples.keep or samples.shown leaves none"
        )
    found = found.isel(shown=evenly(found.sizes["shown"], images))
    samples = found[SHOWN].isel(eu_sample=slice(HYPOTHESES), au_sample=slice(SAMPLES))
    arrays = found[["uncertainty", "prediction"]].isel(image=found["shown"].values)
    probs = probabilities(_thin(samples.rename(shown="image")).load())
    return _thin(arrays).load().assign(probs=probs.drop_vars("image"), shown=found["shown"])
