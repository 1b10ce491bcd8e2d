"""Pictures of images, masks and class probabilities, and the choice of images worth showing."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from segue.blocks import blocks
from segue.dims import UNLABELLED
from segue.errors import InputError
from segue.report.style import spare_colour

_CLASSES = ("#0d0d0d", "#f5f5f5", "#e0912f", "#4a9fd8", "#c0504d", "#6aa84f")
_RATERS = ("#ff4d4d", "#39d353", "#4da3ff", "#ffb000", "#d78bff", "#00d5d5", "#fff04d", "#ff8ac4")

LEVELS = 63
"""Steps between black and white: twice as many as are seen, and a smaller file than with 255."""


def choose(split: xr.Dataset, count: int, where: str) -> list[int]:
    """Images from the one whose raters agree most to the one whose raters agree least.

    They are evenly spread over the ranks of the disagreement: the mean, over the pixels that some
    rater marked, of 1 - Σ_c share_c², which is the probability that two raters drawn with
    replacement differ. The smaller half of the marked areas is left out: too little is to be seen.
    In each pixel only the raters count who labelled it.

    Args:
        split: has ``labels`` (image, rater, y, x), class indices of which 0 is background.
        count: how many images; one is the median. Fewer where there are not as many.
        where: named in the error.

    Returns:
        Indices along ``image``, in increasing disagreement.

    Raises:
        InputError: no rater marked anything in any image.
    """
    area, disagreement = (np.concatenate(part) for part in zip(*_measured(split), strict=True))
    if not area.any():
        raise InputError(f"{where}: no rater marked anything, so there is no image to show")
    candidates = np.flatnonzero(area >= max(1, np.median(area[area > 0])))
    candidates = candidates[np.argsort(disagreement[candidates], kind="stable")]
    last = len(candidates) - 1
    ranks = np.linspace(0, last, min(count, last + 1)) if count > 1 else np.array([last / 2])
    return [int(i) for i in candidates[ranks.astype(int)]]


def picture(image: np.ndarray, limits: tuple[float, float] | None = None) -> np.ndarray:
    """Turn an image (channel, y, x) of any unit into RGB (y, x, 3) in [0, 1].

    Three channels are red, green and blue; of any other number the first is shown, in grey.

    Args:
        limits: what becomes black and white; by default the image's 1st and 99th percentile.
    """
    channels = image if len(image) == 3 else image[:1].repeat(3, axis=0)
    low, high = np.percentile(channels, (1, 99)) if limits is None else limits
    scaled = (channels - low) / (high - low) if high > low else np.zeros_like(channels)
    return _rounded(scaled.transpose(1, 2, 0))


def class_colours(count: int) -> np.ndarray:
    """RGB colours (class, 3) in [0, 1]; background is black, the first other class white."""
    spare = [spare_colour(i) for i in range(count - len(_CLASSES))]
    return np.array([*map(to_rgb, _CLASSES[:count]), *spare])


def blend(probs: np.ndarray) -> np.ndarray:
    """Colours of the classes, mixed by their probabilities (class, y, x): RGB (y, x, 3)."""
    return _rounded(np.einsum("cyx,cr->yxr", probs, class_colours(len(probs))))


def outline(ax: Axes, labels: np.ndarray) -> None:
    """Draw the outlines of each rater's classes in the rater's colour.

    Args:
        labels: (rater, y, x) class indices; neither background, 0, nor what is UNLABELLED is
            outlined.
    """
    for rater, mask in enumerate(labels):
        for label in sorted({*np.unique(mask).tolist()} - {0, UNLABELLED}):
            for line in contour_generator(z=(mask == label).astype(float)).lines(0.5):
                ax.plot(*line.T, color=_RATERS[rater % len(_RATERS)], lw=0.9)


def _rounded(colours: np.ndarray) -> np.ndarray:
    return np.round(np.clip(colours, 0, 1) * LEVELS) / LEVELS


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
