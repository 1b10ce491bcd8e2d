"""What the masks of one split are like: how many raters marked something, how far they agree."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr

from segue import dims, store

_BLOCK = 64


def of_split(split: xr.Dataset) -> dict[str, Any]:
    """Statistics of the ``labels`` (image, rater, y, x) of one split, as JSON values.

    Returns:
        ``images``; ``patients`` (None where the split has no such coordinate); ``missing``, how
        many readings there are not: an image and a rater who did not see it; ``ignored``, the share
        of the pixels of the readings that have no class; ``share``, that of each class, 0 first, of
        the pixels that have one; ``non_empty``, the share of images of which 0, 1, ... all raters'
        masks are not empty; and ``classes``: under
        ``foreground`` (any class but 0) and each class but 0, ``pair_iou``, the mean over images of
        the mean intersection over union of those two raters' regions that are both not empty, and
        ``area``, the mean of the regions that are not empty, in pixels (None: there is none).
    """
    counts: list[np.ndarray] = []
    ious: dict[str, list[float]] = {}
    areas: dict[str, list[int]] = {}
    pixels, missing = np.zeros(dims.UNLABELLED + 1, np.int64), 0
    for block in store.blocks(split[["labels"]], _BLOCK):
        labels = block["labels"].values
        known = labels != dims.UNLABELLED
        pixels += np.bincount(labels.ravel(), minlength=len(pixels))
        missing += int((~known.any((-2, -1))).sum())
        counts.append(((labels > 0) & known).any((-2, -1)).sum(1))
        regions = {"foreground": (labels > 0) & known}
        highest = int(labels.max(where=known, initial=0))
        regions |= {str(c): labels == c for c in range(1, highest + 1)}
        for name, region in regions.items():
            ious.setdefault(name, []).extend(_pair_ious(region, known))
            area = region.sum((-2, -1))
            areas.setdefault(name, []).extend(area[area > 0].tolist())
    marked = np.bincount(np.concatenate(counts), minlength=split.sizes["rater"] + 1)
    patients = len(np.unique(split["patient"].values)) if "patient" in split.coords else None
    return {
        "images": split.sizes["image"],
        "patients": patients,
        "missing": missing,
        "ignored": _ignored(split, pixels, missing),
        "share": _shares(pixels),
        "non_empty": (marked / split.sizes["image"]).tolist(),
        "classes": {
            name: {"pair_iou": _mean(ious[name]), "area": _mean(areas[name])}
            for name in sorted(areas)
        },
    }


def sentence(
    attributes: Mapping[str, Any], statistics: Mapping[str, Mapping[str, Any]], size: Sequence[int]
) -> str:
    """What a prepared dataset holds, in one line.

    Args:
        attributes: of its store.
        statistics: of each split, see ``of_split``.
        size: (y, x) of the images.
    """
    count = {split: of["images"] for split, of in statistics.items()}
    patients = {split: of["patients"] for split, of in statistics.items() if of["patients"]}
    readings = attributes["raters"] * sum(count.values())
    missing = sum(of["missing"] for of in statistics.values())
    shares = zip(attributes["class_names"], _mean_share(statistics), strict=False)
    parts = [
        f"images {_listed(count)}",
        f"{attributes['raters']} raters",
        f"{attributes['channels']} channels",
        f"{' x '.join(map(str, size))} pixels",
        f"classes {', '.join(f'{name} {100 * share:.2f} %' for name, share in shares)}",
        f"groups {_listed(patients) if patients else 'not given'}",
        f"{missing} of {readings} readings missing",
        f"{100 * max(of['ignored'] for of in statistics.values()):.1f} % of pixels ignored at most",
        f"{len(attributes.get('skipped', []))} skipped",
    ]
    return "; ".join(parts)


def _listed(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _mean_share(statistics: Mapping[str, Mapping[str, Any]]) -> list[float]:
    """Share of each class in all splits together, counted by images."""
    images = np.array([of["images"] for of in statistics.values()])
    most = max(len(of["share"]) for of in statistics.values())
    shares = [[*of["share"], *[0.0] * (most - len(of["share"]))] for of in statistics.values()]
    return (images @ np.array(shares) / images.sum()).tolist()


def _shares(pixels: np.ndarray) -> list[float]:
    """Share of each class of the pixels that have one, from counts by label."""
    counts = np.trim_zeros(pixels[: dims.UNLABELLED], "b")
    return (counts / counts.sum()).tolist() if counts.size else []


def _ignored(split: xr.Dataset, pixels: np.ndarray, missing: int) -> float:
    """Share of pixels without a class in the readings that there are."""
    area = split.sizes["y"] * split.sizes["x"]
    there = split.sizes["image"] * split.sizes["rater"] - missing
    return float((pixels[dims.UNLABELLED] - missing * area) / (there * area)) if there else 0.0


def _pair_ious(region: np.ndarray, known: np.ndarray) -> list[float]:
    """One value an image that has two regions that are not empty, on pixels that both raters label.

    Args:
        region, known: (image, rater, y, x) bool: of the class, and labelled at all.
    """
    flat = region.reshape(*region.shape[:2], -1).astype(np.float32)
    there = known.reshape(flat.shape).astype(np.float32)
    shared, own = flat @ flat.swapaxes(1, 2), flat @ there.swapaxes(1, 2)
    values = []
    for image, size in zip(shared, own, strict=True):
        pairs = [(i, j) for i, j in combinations(np.flatnonzero(np.diag(image)), 2)]
        unions = [size[i, j] + size[j, i] - image[i, j] for i, j in pairs]
        ious = [image[i, j] / u for (i, j), u in zip(pairs, unions, strict=True) if u]
        if ious:
            values.append(float(np.mean(ious)))
    return values


def _mean(values: list) -> float | None:
    return float(np.mean(values)) if values else None
