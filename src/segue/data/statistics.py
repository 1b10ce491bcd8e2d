"""What the masks of one split are like: how many raters marked something, how far they agree."""

from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr

from segue import store

_BLOCK = 64


def of_split(split: xr.Dataset) -> dict[str, Any]:
    """Statistics of the ``labels`` (image, rater, y, x) of one split, as JSON values.

    Returns:
        ``images``; ``patients`` (None where the split has no such coordinate); ``non_empty``, the
        share of images of which 0, 1, ... all raters' masks are not empty; and ``classes``: under
        ``foreground`` (any class but 0) and each class but 0, ``pair_iou``, the mean over images of
        the mean intersection over union of those two raters' regions that are both not empty, and
        ``area``, the mean of the regions that are not empty, in pixels (None: there is none).
    """
    counts: list[np.ndarray] = []
    ious: dict[str, list[float]] = {}
    areas: dict[str, list[int]] = {}
    for block in store.blocks(split[["labels"]], _BLOCK):
        labels = block["labels"].values
        counts.append((labels > 0).any((-2, -1)).sum(1))
        regions = {"foreground": labels > 0}
        regions |= {str(c): labels == c for c in range(1, int(labels.max()) + 1)}
        for name, region in regions.items():
            ious.setdefault(name, []).extend(_pair_ious(region))
            area = region.sum((-2, -1))
            areas.setdefault(name, []).extend(area[area > 0].tolist())
    marked = np.bincount(np.concatenate(counts), minlength=split.sizes["rater"] + 1)
    patients = len(np.unique(split["patient"].values)) if "patient" in split.coords else None
    return {
        "images": split.sizes["image"],
        "patients": patients,
        "non_empty": (marked / split.sizes["image"]).tolist(),
        "classes": {
            name: {"pair_iou": _mean(ious[name]), "area": _mean(areas[name])}
            for name in sorted(areas)
        },
    }


def _pair_ious(region: np.ndarray) -> list[float]:
    """One value an image of (image, rater, y, x) bool that has two regions that are not empty."""
    flat = region.reshape(*region.shape[:2], -1).astype(np.float32)
    shared = flat @ flat.swapaxes(1, 2)
    area = np.einsum("irr->ir", shared)
    values = []
    for image, size in zip(shared, area, strict=True):
        pairs = [(i, j) for i, j in combinations(np.flatnonzero(size), 2)]
        if pairs:
            ious = [image[i, j] / (size[i] + size[j] - image[i, j]) for i, j in pairs]
            values.append(float(np.mean(ious)))
    return values


def _mean(values: list) -> float | None:
    return float(np.mean(values)) if values else None
