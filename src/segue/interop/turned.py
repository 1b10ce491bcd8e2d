"""Whether predictions fit the masks as they lie, or would better if they were turned or mirrored.

Axes in another order, or another sense of one, are the silent error of files without names of axes.
"""

from collections.abc import Callable

import numpy as np

from segue.dims import UNLABELLED

TURNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as they lie": lambda image: image,
    "with rows in the other order": lambda image: image[::-1],
    "with columns in the other order": lambda image: image[:, ::-1],
    "turned by 180 degrees": lambda image: image[::-1, ::-1],
    "with rows and columns exchanged": lambda image: image.T,
    "turned by 90 degrees": lambda image: image.T[::-1],
    "turned by 270 degrees": lambda image: image.T[:, ::-1],
    "mirrored at the other diagonal": lambda image: image[::-1, ::-1].T,
}

_BETTER = 0.1  # by which Dice of another turn has to be higher to be told


class Fit:
    """Dice of foreground probabilities and raters' masks, over images, by how they are turned."""

    def __init__(self) -> None:
        self._common = dict.fromkeys(TURNS, 0.0)
        self._both = 0.0

    def add(self, probs: np.ndarray, labels: np.ndarray) -> None:
        """Count an image.

        Args:
            probs: (eu_sample, au_sample, class, y, x).
            labels: (rater, y, x).
        """
        foreground = 1 - probs[:, :, 0].mean(axis=(0, 1), dtype=np.float64)
        marked = (labels != UNLABELLED) & (labels != 0)
        share = marked.mean(axis=0)
        self._both += foreground.sum() + share.sum()
        for turn, turned in TURNS.items():
            other = turned(foreground)
            if other.shape == share.shape:
                self._common[turn] += 2 * float((other * share).sum())

    def line(self) -> str | None:
        """What is to be said; None where there is no foreground."""
        if not self._both:
            return None
        dice = {turn: common / self._both for turn, common in self._common.items()}
        own, best = dice["as they lie"], max(dice, key=dice.get)
        said = f"predictions fit the masks with a soft Dice of {own:.2f}"
        if dice[best] <= own + _BETTER:
            return said
        return (
            f"WARNING: {said}, but of {dice[best]:.2f} {best}: are axes of the predictions or of "
            "the masks in another order than they were taken for?"
        )
