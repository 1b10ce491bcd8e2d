"""What every dataset module returns: which samples there are, and how to read one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sample:
    """One image with its raters' masks.

    Attributes:
        image: (channel, y, x) float, in the source's own units; normalised later.
        labels: (rater, y, x) uint8 class indices, ``dims.UNLABELLED`` where a rater gives none.
        coordinates: values for this image's coordinates (patient, slice, ...): numbers or strings.
        truth: (class, y, x) float32, the raters' true distribution p*(y | x); of a source that
            knows it.
    """

    image: np.ndarray
    labels: np.ndarray
    coordinates: Mapping[str, Any]
    truth: np.ndarray | None = None


@dataclass(frozen=True)
class Source:
    """A dataset that is ready to be read, returned by ``open_source`` of each dataset module.

    Every item is known to be complete: what can be wrong with the files is found when the source is
    opened, before anything is written.

    Attributes:
        shape: (y, x) of the images, in pixels.
        channels, raters: per image.
        classes: names of the classes, background first.
        splits: the items of each split (``train``, ``val``, ``id`` and perhaps ``ood_<shift>``), in
            order. An item is small and picklable: workers receive it.
        read: item -> Sample; picklable, and a pure function of the item.
        corruptions: of ``id`` that are to be added as OOD splits, names of
            ``segue.data.corruptions.CORRUPTIONS``.
        truth: whether every sample has its truth.
        normalised: whether images come on one scale that suits a network and is to be kept; else
            each is normalised to mean 0 and standard deviation 1.
        attributes: for the store, JSON values: title, licence, citation, caption, sha256, counts.
    """

    shape: tuple[int, int]
    channels: int
    raters: int
    classes: Sequence[str]
    splits: Mapping[str, Sequence[Any]]
    read: Callable[[Any], Sample]
    corruptions: Sequence[str] = ()
    truth: bool = False
    normalised: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)
