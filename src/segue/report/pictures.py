"""Pictures of images, masks and class probabilities."""

from collections.abc import Iterator

import numpy as np
from contourpy import contour_generator
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from segue.dims import UNLABELLED
from segue.report.style import spare_colour

_CLASSES = ("#0d0d0d", "#f5f5f5", "#e0912f", "#4a9fd8", "#c0504d", "#6aa84f")
_RATERS = ("#ff4d4d", "#39d353", "#4da3ff", "#ffb000", "#d78bff", "#00d5d5", "#fff04d", "#ff8ac4")

LEVELS = 63
"""Steps between black and white: twice as many as are seen, and a smaller file than with 255."""


HEAT = colormaps["magma"].resampled(LEVELS + 1)
"""Colours of uncertainty, from none, black, to the most."""


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
        labels: (rater, y, x), see ``contours``.
    """
    for rater, mask in enumerate(labels):
        for line in contours(mask):
            ax.plot(*line.T, color=_RATERS[rater % len(_RATERS)], lw=0.9)


def contours(mask: np.ndarray, margin: int = 0) -> Iterator[np.ndarray]:
    """Outlines of the regions of a mask, each (point, 2), x and y in pixels.

    Args:
        mask: (y, x) class indices; neither background, 0, nor what is UNLABELLED is outlined.
        margin: pixels of background around it, which close what reaches its edge.
    """
    for label in sorted({*np.unique(mask).tolist()} - {0, UNLABELLED}):
        inside = np.pad((mask == label).astype(float), margin)
        yield from (line - margin for line in contour_generator(z=inside).lines(0.5))


def raters_by_colour(raters: int) -> dict[str, list[int]]:
    """The colours of ``outline``, and the raters of each, counted from 1."""
    found: dict[str, list[int]] = {}
    for rater in range(raters):
        found.setdefault(_RATERS[rater % len(_RATERS)], []).append(rater + 1)
    return found


def _rounded(colours: np.ndarray) -> np.ndarray:
    return np.round(np.clip(colours, 0, 1) * LEVELS) / LEVELS
