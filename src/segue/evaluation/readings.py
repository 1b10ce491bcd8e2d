"""Which labels there are: a rater may give none to a pixel, or may not have seen an image."""

from collections.abc import Iterator

import numpy as np

from segue.dims import UNLABELLED


def labelled(labels: np.ndarray) -> np.ndarray:
    """Whether there is a label, of ``labels`` (image, rater, y, x), class indices or UNLABELLED."""
    return labels != UNLABELLED


def together(labels: np.ndarray) -> Iterator[slice | np.ndarray]:
    """Images that can be scored together: all that lack no label, then each other one alone.

    Args:
        labels: class indices (image, rater, y, x), UNLABELLED where a rater gives none.

    Yields:
        An index of the images.
    """
    whole = labelled(labels).all(axis=(1, 2, 3))
    if whole.all():
        yield slice(None)
        return
    if whole.any():
        yield np.flatnonzero(whole)
    yield from np.flatnonzero(~whole)[:, None]
