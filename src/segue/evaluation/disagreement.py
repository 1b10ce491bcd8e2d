"""Where raters disagree. One reading says nothing of it, nor does a pixel without labels."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import entr

from segue.evaluation.metrics.masks import frequencies
from segue.evaluation.readings import labelled, together


class Disagreement(NamedTuple):
    """Of images that can be compared together, at the pixels that two raters or more labelled.

    Attributes:
        images: an index of them.
        pixels: which pixels these are, bool (y, x); two or more.
        variance: of the class index over raters, (image, y, x), or (image, 1, pixel) where not all
            pixels count: as ``at`` makes of other arrays.
        entropy: of the raters' classes, in nats; does not depend on how classes are numbered.
    """

    images: slice | np.ndarray
    pixels: np.ndarray
    variance: np.ndarray
    entropy: np.ndarray


def disagreements(labels: np.ndarray, classes: int) -> Iterator[Disagreement]:
    """Disagreement of all images that have two pixels or more which two raters labelled.

    Args:
        labels: class indices (image, rater, y, x), UNLABELLED where a rater gives none.
        classes: number of classes.
    """
    for images in together(labels):
        here, pixels = labels[images], _counted(labels[images])
        if pixels.sum() > 1:
            yield Disagreement(images, pixels, *_measured(at(here, pixels), classes))


def at(arrays: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Arrays (image, ..., y, x) at some pixels, (image, ..., 1, pixel); as they are, if at all."""
    return arrays if pixels.all() else arrays[:, :, None, pixels]


def _counted(labels: np.ndarray) -> np.ndarray:
    """Pixels that two raters or more labelled, bool (y, x), of images to be scored together."""
    if (there := labelled(labels)).all():
        return np.full(labels.shape[2:], labels.shape[1] > 1)
    (image,) = there  # what lacks a label is alone
    return image.sum(axis=0) > 1


def _measured(labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Variance and entropy of the classes of those who labelled a pixel, (image, y, x)."""
    if (there := labelled(labels)).all():
        variance = labels.var(axis=1)
    else:
        variance = np.ma.array(labels, mask=~there).var(axis=1).data
    return variance, entr(frequencies(labels, classes)).sum(axis=1)
