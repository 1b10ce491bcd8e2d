"""Images of several sizes, made of one size by a margin, for a store has one size of image."""

import numpy as np

from segue.dims import UNLABELLED
from segue.errors import InputError

Size = tuple[int, int]
"""Rows and columns."""


class Margin:
    """What makes images of one size of those that come.

    Args:
        size: of all images; None: that of the first, and no other is taken.
    """

    def __init__(self, size: Size | None) -> None:
        self._size = size and (size[0], size[1])
        self._first: tuple[Size, str] | None = None

    def check(self, size: Size, where: str) -> None:
        """See that an image has the size of those before it, or fits into the given one.

        Raises:
            InputError: it does not; names ``where`` it is.
        """
        self._first = self._first or (size, where)
        first, before = self._first
        largest = tuple(map(max, size, self._size or first))
        remedy = (
            f"say --size {largest[0]} {largest[1]}, or larger, to put a margin around smaller "
            "images, which is certain background and has no labels; or crop them"
        )
        if self._size and largest != self._size:
            raise InputError(f"{where}: images of {size} (y, x) do not fit into --size; {remedy}")
        if not self._size and size != first:
            raise InputError(
                f"{where}: images of {size} (y, x), those of {before} are {first}, and a store has "
                f"one size: {remedy}"
            )

    def around(self, probs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """An image in the middle of the given size.

        Args:
            probs: (eu_sample, au_sample, class, y, x).
            labels: (rater, y, x).

        Returns:
            Both with a margin: class 0 with probability 1, ``UNLABELLED``.
        """
        if not self._size or labels.shape[1:] == self._size:
            return probs, labels
        sides = [
            ((most - side) // 2, -(-(most - side) // 2))
            for side, most in zip(labels.shape[1:], self._size, strict=True)
        ]
        wide = np.pad(probs, [(0, 0)] * 3 + sides)
        outside = np.pad(np.zeros(labels.shape[1:], bool), sides, constant_values=True)
        wide[:, :, 0, outside] = 1
        return wide, np.pad(labels, [(0, 0), *sides], constant_values=UNLABELLED)
