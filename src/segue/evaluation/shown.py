"""Images worth showing: those whose samples stay when all others are removed."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from segue.blocks import blocks
from segue.dims import UNLABELLED


def choose(split: xr.Dataset, count: int) -> list[int]:
    """Images from the one whose raters agree most to the one whose raters agree least.

    They are evenly spread over the ranks of the disagreement: the mean, over the pixels that some
    rater marked, of 1 - Σ_c share_c², which is the probability that two raters drawn with
    replacement differ. The smaller half of the marked areas is left out: too little is to be seen.
    In each pixel only the raters count who labelled it.

    Args:
        split: has ``labels`` (image, rater, y, x), class indices of which 0 is background.
        count: how many images; one is the median. Fewer where there are not as many.

    Returns:
        Indices along ``image``, in increasing disagreement; none where no rater marked anything.
    """
    area, disagreement = (np.concatenate(part) for part in zip(*_measured(split), strict=True))
    if not count or not area.any():
        return []
    candidates = np.flatnonzero(area >= max(1, np.median(area[area > 0])))
    candidates = candidates[np.argsort(disagreement[candidates], kind="stable")]
    return candidates[evenly(len(candidates), count)].tolist()


def evenly(number: int, count: int) -> list[int]:
    """``count`` of ``number`` places, or all, from the first to the last; one is in the middle."""
    last = number - 1
    ranks = np.linspace(0, last, min(count, number)) if count > 1 else np.array([last / 2])
    return ranks.astype(int).tolist()


def _measured(split: xr.Dataset) -> Sequence[tuple[np.ndarray, np.ndarray]]:
    """Marked area in pixels and disagreement in [0, 1) of each image, block by block."""
    measured = []
    for block in blocks(split, "labels"):
        labels = block["labels"]
        labelled = labels != UNLABELLED
        marked = ((labels > 0) & labelled).any("rater")
        raters = labelled.sum("rater").clip(1)
        classes = range(int(labels.where(labelled, 0).max()) + 1)
        same = sum(((labels == label).sum("rater") / raters) ** 2 for label in classes)
        area = marked.sum(["y", "x"])
        differ = (1 - same).where(marked, 0).sum(["y", "x"]) / area.clip(1)
        measured.append((area.values, differ.values))
    return measured
