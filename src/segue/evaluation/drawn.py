"""Samples of a few images, and what maps and scores need of them, computed once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from segue import dims, store
from segue.errors import InputError
from segue.evaluation.estimators import Hypotheses, hypotheses, measures
from segue.evaluation.metrics.entropy import planes
from segue.left_out import COMPLEMENT, SUM, told

NONE_ROLES = ("samples_as_hypotheses", "strict")

_AT_ONCE = 2**21  # values of a few images' samples: few enough for the caches


@dataclass(frozen=True)
class Drawn:
    """Samples and labels of a few images, in memory.

    Attributes:
        stored: class probabilities as they are stored, rounded, (image, eu_sample, au_sample,
            class, y, x).
        labels: class indices (image, rater, y, x), UNLABELLED where a rater gives none.
        none_roles: what EU means where there is one hypothesis, see ``segue.evaluation.maps``.
    """

    stored: np.ndarray
    labels: np.ndarray
    none_roles: str

    @cached_property
    def planes(self) -> np.ndarray:
        """Probabilities as float32 that sum to 1 over classes: (eu_sample, au_sample, plane, image,
        pixel), without the first of two classes (``segue.evaluation.metrics.entropy.planes``)."""
        images, eu, au, classes = self.stored.shape[:4]
        pixels = self.stored.reshape(images, eu, au, classes, -1)
        found = np.empty((eu, au, 1 if classes == 2 else classes, images, pixels.shape[-1]), "f4")
        for index in np.ndindex(images, eu):
            probs = pixels[index].astype(np.float32)
            whole = probs.sum(axis=1, keepdims=True)
            np.divide(planes(probs, axis=1), whole, out=found[index[1], :, :, index[0]])
        return found

    @property
    def in_roles(self) -> np.ndarray:
        """``planes`` in which draws count as hypotheses where there is one, if they are to."""
        swapped = self.none_roles == NONE_ROLES[0] and len(self.planes) == 1
        return self.planes.swapaxes(0, 1) if swapped else self.planes

    @cached_property
    def hypotheses(self) -> Hypotheses:
        """What maps need of each hypothesis, in roles."""
        return hypotheses(self.in_roles)

    @cached_property
    def prediction(self) -> np.ndarray:
        """Mean over both sample dimensions, (image, class, y, x), float32; the first class is what
        the others leave, as stores have it (``segue.left_out``)."""
        mean = np.moveaxis(self.hypotheses.means.mean(axis=0), 0, 1)
        rest = mean if mean.shape[1] == 1 else mean[:, 1:]
        whole = np.concatenate([told(rest, COMPLEMENT, axis=1), rest], axis=1)
        return whole.reshape(*whole.shape[:2], *self.stored.shape[-2:])

    def maps(self, estimator: str) -> np.ndarray:
        """TU, AU and EU in nats, (image, measure, y, x), float32."""
        return self.as_maps(measures(self.hypotheses, estimator))

    def as_maps(self, found: np.ndarray) -> np.ndarray:
        """Measures (measure, image, pixel) as maps (image, measure, y, x), float32.

        TU is the sum of AU and EU, as stores have it.
        """
        maps = np.moveaxis(found, 0, 1).astype(np.float32)
        maps[:, :1] = told(maps[:, 1:], SUM, axis=1)
        return maps.reshape(*maps.shape[:2], *self.stored.shape[-2:])


def check_roles(none_roles: str) -> None:
    """Raises InputError where there is no such ``none_roles``."""
    if none_roles not in NONE_ROLES:
        raise InputError(f"none_roles: expected one of {NONE_ROLES}, found {none_roles!r}")


def few(block: xr.Dataset, none_roles: str) -> Iterator[Drawn]:
    """Samples of a block of images, in memory, a few images at a time, in order."""
    probs = block["probs"].transpose(*dims.SAMPLES)
    size = max(1, _AT_ONCE * probs.sizes["image"] // probs.size)
    for part in store.blocks(block, size):
        yield Drawn(part["probs"].values, part["labels"].values, none_roles)
