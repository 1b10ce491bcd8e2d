"""A user's own images and masks: files listed in a CSV, or a Zarr store. See docs/data.md."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from segue.data.corruptions import CORRUPTIONS
from segue.data.partition import by_group, limit
from segue.data.source import Sample, Source
from segue.data.sources.folder import files, table, zarr_store
from segue.data.sources.folder.table import Row
from segue.dims import is_ood
from segue.errors import InputError

PATHS = ("path",)  # options that say where the data are


def open_source(
    *,
    seed: int,
    path: str,
    classes: Sequence[str],
    index: str = "index.csv",
    masks: str | None = None,
    values: Mapping[str, int] | None = None,
    corruptions: bool = False,
    images: Mapping[str, int | None] | None = None,
    title: str | None = None,
    licence: str = "not stated",
) -> Source:
    """Open a folder with a CSV, or a Zarr store; every file is read once and checked.

    Args:
        seed: of the split by group, where the CSV has no column ``split``, and of the limits.
        path: the folder, or the store: a group for each split with ``image (image, channel, y, x)``
            and ``labels (image, rater, y, x)``.
        classes: names, background first.
        index: the CSV in the folder: columns image, split, group, rater_1, rater_2, ...
        masks: pattern of the masks of an image, e.g. ``masks/{stem}_*.png``, in place of the
            columns rater_1, ...
        values: pixel value of the mask files -> class index; by default they are class indices.
        corruptions: whether corrupted copies of ``id`` are added as OOD splits.
        images: so many of a split, drawn by the seed; null, for one split or for all: every one.
        title, licence: of the data, for tables and the data card.

    Raises:
        InputError: naming file and row, if anything is missing or does not fit.
    """
    folder = Path(path)
    if len(classes) < 2:
        raise InputError("folder: classes: expected at least two names, background first")
    attributes = {
        "title": title or folder.name,
        "licence": licence,
        "caption": title or folder.name,
    }
    if zarr_store.is_store(folder):
        if masks or values:
            raise InputError(f"{folder}: a Zarr store takes neither masks nor values")
        splits = zarr_store.index(folder, len(classes))
        read = partial(zarr_store.read, path=folder)
    else:
        mapping = _mapping(values, len(classes))
        rows = table.read(folder, index, masks)
        attributes["sha256"] = _check(rows, len(classes), mapping)
        splits = _split(rows, seed, str(folder / index))
        read = partial(_read, classes=len(classes), values=mapping)
    _check_splits(splits, corruptions, folder)
    first = read(next(iter(splits.values()))[0])
    channels, height, width = first.image.shape
    if height != width:
        raise InputError(f"{folder}: images are {height} x {width}; crop them to squares")
    chosen = limit(splits, images, seed, "folder")
    attributes["counts"] = {split: len(items) for split, items in chosen.items()}
    return Source(
        size=height,
        channels=channels,
        raters=len(first.labels),
        classes=list(classes),
        splits=chosen,
        read=read,
        corrupt=corruptions,
        attributes=attributes,
    )


def _mapping(values: Mapping[str, int] | None, classes: int) -> dict[int, int] | None:
    if values is None:
        return None
    try:
        mapping = {int(value): int(index) for value, index in values.items()}
    except ValueError as error:
        raise InputError(f"folder: values: expected pixel value: class index ({error})") from error
    if not set(mapping.values()) <= set(range(classes)):
        raise InputError(f"folder: values: classes are 0 to {classes - 1}; came {dict(values)}")
    return mapping


def _check(rows: Sequence[Row], classes: int, values: Mapping[int, int] | None) -> str:
    """Read every file; return the sha256 of all of them, in their order.

    Raises:
        InputError: naming the row, if a file is unreadable or differs in size or channels.
    """
    digest = hashlib.sha256()
    expected = None
    for row in tqdm(rows, desc="files", delay=10):
        sample = _read(row, classes, values, digest.update)
        expected = expected or sample.image.shape
        if sample.image.shape != expected:
            raise InputError(
                f"{row.where}: {row.image.name} is (channel, y, x) {sample.image.shape}, the first "
                f"image {expected}; all images must be of one size: crop or resize them"
            )
    return digest.hexdigest()


def _read(
    row: Row, classes: int, values: Mapping[int, int] | None, note=lambda data: None
) -> Sample:
    """Read the files of one row; ``note`` is given the bytes of each."""
    try:
        data = row.image.read_bytes()
        note(data)
        image = files.image(row.image, data)
        labels = []
        for path in row.masks:
            data = path.read_bytes()
            note(data)
            labels.append(files.mask(path, data, classes, values))
    except InputError as error:
        raise InputError(f"{row.where}: {error}") from error
    for path, mask in zip(row.masks, labels, strict=True):
        if mask.shape != image.shape[1:]:
            raise InputError(
                f"{row.where}: {path.name} is (y, x) {mask.shape}, its image {row.image.name} "
                f"{image.shape[1:]}; draw or resize it (nearest neighbour) to the image's size"
            )
    coordinates = {"name": row.name, **({"patient": row.group} if row.group else {})}
    return Sample(image=image, labels=np.stack(labels), coordinates=coordinates)


def _split(rows: Sequence[Row], seed: int, where: str) -> dict[str, list[Row]]:
    """By the column ``split``; without it by group, and without groups image by image."""
    if rows[0].split:
        names = list(dict.fromkeys(row.split for row in rows))
        return {name: [row for row in rows if row.split == name] for name in names}
    groups = [row.group or str(row.image) for row in rows]
    parts = by_group(groups, seed, where)
    return {split: [rows[i] for i in part] for split, part in parts.items()}


def _check_splits(splits: Mapping[str, Sequence], corruptions: bool, folder: Path) -> None:
    names = ", ".join(splits)
    missing = [split for split in ("train", "val", "id") if not splits.get(split)]
    if missing:
        raise InputError(f"{folder}: no image in split {missing[0]!r}; there are: {names}")
    strange = [s for s in splits if s not in ("train", "val", "id") and not is_ood(s)]
    if strange:
        raise InputError(
            f"{folder}: split {strange[0]!r}; expected train, val, id (to test on), ood_<shift>"
        )
    made = [f"ood_{shift}" for shift in CORRUPTIONS] if corruptions else []
    if twice := sorted(set(made) & set(splits)):
        raise InputError(f"{folder}: corruptions makes the split {twice[0]}; rename yours")
    if not corruptions and not any(is_ood(split) for split in splits):
        raise InputError(
            f"{folder}: no out-of-distribution split; name one ood_<shift>, or set "
            "corruptions: true to add corrupted copies of id"
        )
