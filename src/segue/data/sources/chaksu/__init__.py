"""Chákṣu IMAGE: fundus photographs of three cameras, disc and cup outlined by five experts.

Kumar et al. 2023, figshare 20123135, CC BY 4.0. Classes: 0 background, 1 disc ring, 2 cup. The
models are trained and tested on one camera; the other two are the out-of-distribution split. The
archives are read in place.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from scipy.ndimage import label

from segue.data import pictures
from segue.data.decoding import decoding
from segue.data.partition import checksum, limit
from segue.data.source import Sample, Source
from segue.data.sources.chaksu import archive
from segue.data.sources.chaksu.index import EXPERTS, Item, Skipped, index
from segue.errors import InputError
from segue.seeds import rng

PATHS = ("train", "test")  # options that say where the data are

_LOG = logging.getLogger(__name__)
_PUBLISHED = {
    "train": "3c0fb482d6b711a8db418f98797007163db3e5bcb5abca3d8ffd0c462f9edf37",
    "test": "90e89ad01bfb0c4c238ba22a4a46ab46b5849e2fc9253c7bda09509f6ca259fa",
}
_FOLDS = 5
_DISC_DIAMETER = {"bosch": 225.3, "forus": 325.0, "remidio": 448.1}  # mean of each camera, pixels
_HOME = "remidio"


def open_source(
    *,
    seed: int,
    train: str,
    test: str,
    size: int = 128,
    images: Mapping[str, int | None] | None = None,
) -> Source:
    """Open the two archives.

    Args:
        seed: of the fold and of the limits.
        train, test: the zip archives, or the folders that they were unpacked to.
        size: side of the images, pixels.
        images: so many of a split, drawn by the seed; null, for one split or for all: every one.

    Raises:
        InputError: an archive is missing or holds no such tree, or a member's name leads out of it.
    """
    items: list[tuple[str, Item]] = []
    skipped: list[Skipped] = []
    hashes = {}
    for part, given in (("train", train), ("test", test)):
        path = Path(given)
        found, missing = index(path, part)
        items += [(part, item) for item in found]
        skipped += missing
        if path.is_file():
            hashes[part] = checksum(path, _PUBLISHED[part])
    for entry in skipped[:10]:
        _LOG.warning("chaksu: %s skipped: %s", *entry)
    _LOG.info("chaksu: %d images, %d skipped", len(items), len(skipped))
    splits = limit(_split(items, seed), images, seed, "chaksu")
    cameras = {split: dict(Counter(i.camera for i in part)) for split, part in splits.items()}
    return Source(
        shape=(size, size),
        channels=3,
        raters=EXPERTS,
        classes=["background", "disc ring", "cup"],
        splits=splits,
        read=partial(_read, size=size),
        attributes={
            "title": "Chákṣu IMAGE",
            "licence": "CC BY 4.0",
            "citation": "Kumar et al. 2023, figshare 20123135",
            "caption": "fundus photographs; optic disc and cup by five experts",
            "sha256": hashes,
            "counts": {split: len(part) for split, part in splits.items()},
            "cameras": cameras,
            "skipped": [entry._asdict() for entry in skipped],
        },
    )


def _split(items: Sequence[tuple[str, Item]], seed: int) -> dict[str, list[Item]]:
    """Fold 0 of five of the home camera's training part is ``val``; the rest as its folders say."""
    home = [item for part, item in items if part == "train" and item.camera == _HOME]
    order = rng(seed, "fold").permutation(len(home))
    held_out = set(order[: -(-len(home) // _FOLDS)].tolist())
    return {
        "train": [item for i, item in enumerate(home) if i not in held_out],
        "val": [item for i, item in enumerate(home) if i in held_out],
        "id": [item for part, item in items if part == "test" and item.camera == _HOME],
        "ood_device": [item for _, item in items if item.camera != _HOME],
    }


def _read(item: Item, size: int) -> Sample:
    """Read, crop around the discs, resize.

    Returns:
        image (3, size, size) float32 in [0, 255], labels (5, size, size) of 0, 1, 2.
    """
    picture = _picture(item, item.image)
    pairs = [[_mask(item, member) for member in pair] for pair in item.masks]
    shape = pairs[0][0].shape
    turned = ImageOps.exif_transpose(picture)
    # Programs show the turned image; where its size is not that of the masks, theirs did not.
    picture = turned if turned.size == shape[::-1] else picture
    if picture.size != shape[::-1] or any(m.shape != shape for pair in pairs for m in pair):
        sizes = sorted({m.shape for pair in pairs for m in pair})
        raise InputError(
            f"{item.archive}: {item.image}: image (y, x) {picture.size[::-1]} and masks {sizes} "
            "differ in size; remove the image or its masks"
        )
    labels = [paint(disc, cup) for disc, cup in pairs]
    box = _window(np.any(labels, axis=0), 2 * _DISC_DIAMETER[item.camera])
    if box is None:
        raise InputError(f"{item.archive}: {item.image}: all discs are empty; remove the image")
    side = (size, size)
    image = np.asarray(picture.convert("RGB").crop(box).resize(side, Image.Resampling.BILINEAR))
    crops = [Image.fromarray(x).crop(box).resize(side, Image.Resampling.NEAREST) for x in labels]
    return Sample(
        image=np.moveaxis(image, -1, 0).astype(np.float32),
        labels=np.stack([np.asarray(crop) for crop in crops]),
        coordinates={"name": item.name, "camera": item.camera},
    )


def paint(disc: np.ndarray, cup: np.ndarray) -> np.ndarray:
    """One expert's classes (y, x) uint8 from the outlines (y, x) bool of disc and cup.

    Of each the largest connected part counts (8 neighbours); the disc is made to hold the cup.
    """
    disc, cup = _largest(disc), _largest(cup)
    return np.where(cup, 2, np.where(disc, 1, 0)).astype(np.uint8)


def _largest(mask: np.ndarray) -> np.ndarray:
    box = _bounds(mask)
    out = np.zeros_like(mask)
    if box is not None:
        parts, _ = label(mask[box], structure=np.ones((3, 3)))
        out[box] = parts == np.bincount(parts.ravel())[1:].argmax() + 1
    return out


def _bounds(mask: np.ndarray) -> tuple[slice, slice] | None:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _window(union: np.ndarray, side: float) -> tuple[int, int, int, int] | None:
    """Left, upper, right, lower of the square centred on the mask's bounding box."""
    box = _bounds(union)
    if box is None:
        return None
    upper, left = (round((s.start + s.stop - side) / 2) for s in box)
    return left, upper, left + round(side), upper + round(side)


def _picture(item: Item, member: str) -> Image.Image:
    where = f"{item.archive}: {member}: not a readable image"
    with decoding(where, "download the archive again"):
        picture = Image.open(BytesIO(archive.read(item.archive, member)))
        picture.load()
        return picture


def _mask(item: Item, member: str) -> np.ndarray:
    """(y, x) bool: pixels stored above 0, or of a colour that is not black."""
    try:
        picture = pictures.read(archive.read(item.archive, member))
    except InputError as error:
        raise InputError(f"{item.archive}: {member}: {error}") from error
    pixels = picture.pixels if picture.palette is None else picture.palette[picture.pixels]
    return pixels > 0 if pixels.ndim == 2 else (pixels > 0).any(-1)
