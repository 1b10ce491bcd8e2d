"""Samples of a few images, and what maps and scores need of them, computed once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr

from segue import dims, store
from segue.errors import InputError
from segue.evaluation.canonical import canonical
from segue.evaluation.estimators import Hypotheses, hypotheses, measures
from segue.evaluation.metrics.entropy import planes
from segue.left_out import COMPLEMENT, SUM, told

NONE_ROLES = ("samples_as_hypotheses", "strict")

LEFT_OUT = "first_class_left_out"
"""Attribute of samples that are read as they are stored, without the first class."""

_ONE = np.float16(1).view(np.uint16)
_AT_ONCE = 2**21  # values of a few images' samples: few enough for the caches


@dataclass(frozen=True)
class Drawn:
    """Samples and labels of a few images, in memory.

    Attributes:
        stored: class probabilities as they are stored, rounded, (image, eu_sample, au_sample,
            class, y, x); where ``complement``, without the first class.
        labels: class indices (image, rater, y, x), UNLABELLED where a rater gives none.
        none_roles: what EU means where there is one hypothesis, see ``segue.evaluation.maps``.
    """

    stored: np.ndarray
    labels: np.ndarray
    none_roles: str
    complement: bool = False

    @property
    def classes(self) -> int:
        """How many there are."""
        return self.stored.shape[3] + self.complement

    @cached_property
    def planes(self) -> np.ndarray:
        """Probabilities as float32 that sum to 1 over classes: (eu_sample, au_sample, plane, image,
        pixel), without the first of two classes (``segue.evaluation.metrics.entropy.planes``)."""
        images, eu, au = self.stored.shape[:3]
        pixels = self.stored.reshape(images, eu, au, self.stored.shape[3], -1)
        count = 1 if self.classes == 2 else self.classes
        found = np.empty((eu, au, count, images, pixels.shape[-1]), "f4")
        for image, hypothesis in np.ndindex(images, eu):
            out, probs = found[hypothesis, :, :, image], pixels[image, hypothesis]
            if self.complement and self.classes == 2:  # the sum is 1 already
                _widen(probs, out)
                continue
            probs = probs.astype(np.float32)
            if self.complement:
                probs = np.concatenate([told(probs, COMPLEMENT, axis=1), probs], axis=1)
            np.divide(planes(probs, axis=1), probs.sum(axis=1, keepdims=True), out=out)
        return found

    @cached_property
    def means(self) -> np.ndarray:
        """Mean of each hypothesis's draws, (eu_sample, plane, image, pixel)."""
        return self.planes.mean(axis=1) if self._swapped else self.hypotheses.means

    @property
    def in_roles(self) -> np.ndarray:
        """``planes`` in which draws count as hypotheses where there is one, if they are to."""
        return self.planes.swapaxes(0, 1) if self._swapped else self.planes

    @property
    def _swapped(self) -> bool:
        return self.none_roles == NONE_ROLES[0] and len(self.planes) == 1

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


def _widen(probs: np.ndarray, out: np.ndarray) -> None:
    """Write probabilities as float32; of halves several times faster than NumPy's cast.

    The bits of a half that is not negative, in their places of a float32, are 2^-112 of it.
    """
    bits = probs.view(f"u{probs.itemsize}")
    if probs.dtype != np.float16 or bits.max() > _ONE:  # NaN is greater
        out[...] = probs
        return
    np.left_shift(bits, np.uint32(13), out=out.view(np.uint32))
    out *= np.float32(2**112)


def as_stored(split: xr.Dataset, path: Path, name: str) -> xr.Dataset:
    """A split, not loaded, with ``probs`` read without the first class, if they are stored so.

    Args:
        split: ``probs`` and ``labels``.
        path: of the store of samples.
        name: of the split.
    """
    found = store.as_stored(path, name, "probs")
    if found is None:
        return split
    found.attrs[LEFT_OUT] = True
    return canonical(xr.Dataset({"probs": found})).assign(labels=split["labels"])


def few(block: xr.Dataset, none_roles: str) -> Iterator[Drawn]:
    """Samples of a block of images, in memory, a few images at a time, in order."""
    probs = block["probs"].transpose(*dims.SAMPLES)
    complement = probs.attrs.get(LEFT_OUT, False)
    size = max(1, _AT_ONCE * probs.sizes["image"] // probs.size)
    for part in store.blocks(block, size):
        yield Drawn(part["probs"].values, part["labels"].values, none_roles, complement)
