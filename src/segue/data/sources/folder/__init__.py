"""A user's own images and masks: files listed in a CSV, or a Zarr store. See docs/data.md."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from segue.data.corruptions import CORRUPTIONS
from segue.data.leaks import Entry
from segue.data.leaks import check as check_leaks
from segue.data.partition import by_group, limit
from segue.data.source import Source
from segue.data.sources.folder import table, zarr_store
from segue.data.sources.folder.legend import values_option
from segue.data.sources.folder.samples import Item, Reader, items_of, survey
from segue.dims import UNLABELLED, is_ood
from segue.errors import InputError

PATHS = ("path",)  # options that say where the data are


def open_source(
    *,
    seed: int,
    path: str,
    classes: Sequence[str],
    index: str = "index.csv",
    masks: str | None = None,
    values: Mapping[str, int | str] | None = None,
    ignore: int | None = None,
    axes: Literal["cyx", "yxc"] | None = None,
    axis: Literal[0, 1, 2] | None = None,
    size: int | tuple[int, int] | None = None,
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
        classes: names, background first; 2 to 255.
        index: the CSV in the folder: columns image, split, group, rater_1, rater_2, ...
        masks: pattern of the masks of an image, e.g. ``masks/{stem}_*.png``, in place of the
            columns rater_1, ...
        values: pixel value of the mask files, or colour as ``#ff0000``, -> class index or name; by
            default they are class indices, or 0 and 255 for two classes.
        ignore: pixel value that stands for no class.
        axes: of NPY images, where their sizes do not tell: ``cyx`` or ``yxc``.
        axis: along which NIfTI volumes are cut into images.
        size: side of the images, or (y, x): all are scaled to fit into it, and what is around them
            has no label; by default all must be of one size.
        corruptions: whether corrupted copies of ``id`` are added as OOD splits.
        images: so many of a split, drawn by the seed; null, for one split or for all: every one.
        title, licence: of the data, for tables and the data card.

    Raises:
        InputError: naming file and row, if anything is missing or does not fit.
    """
    folder = Path(path)
    _check_classes(classes, ignore)
    attributes = {
        "title": title or folder.name,
        "licence": licence,
        "caption": title or folder.name,
    }
    if zarr_store.is_store(folder):
        given = {"masks": masks, "values": values, "axes": axes, "axis": axis, "size": size}
        if wrong := [name for name, value in given.items() if value is not None]:
            raise InputError(f"{folder}: a Zarr store takes no {wrong[0]}; remove this option")
        splits, entries = zarr_store.index(folder, len(classes), ignore)
        read = partial(zarr_store.read, path=folder, ignore=ignore)
    else:
        rows, attributes["rater_names"] = table.read(folder, index, masks)
        items = items_of(rows, axis)
        reader, digests, attributes["sha256"] = survey(
            items,
            Reader(axes, axis, (size, size) if isinstance(size, int) else size),
            classes,
            values_option(values, classes),
            ignore,
        )
        splits = _split(items, seed, str(folder / index))
        entries = [
            Entry(split, item.where, item.row.group, digests[item])
            for split, part in splits.items()
            for item in part
        ]
        read = reader.read
        _check_read(splits.get("train", ()))
    _check_splits(splits, corruptions, folder)
    check_leaks(entries)
    first = read(next(iter(splits.values()))[0])
    chosen = limit(splits, images, seed, "folder")
    attributes["counts"] = {split: len(items) for split, items in chosen.items()}
    return Source(
        shape=first.image.shape[1:],
        channels=first.image.shape[0],
        raters=len(first.labels),
        classes=list(classes),
        splits=chosen,
        read=read,
        corruptions=tuple(CORRUPTIONS) if corruptions else (),
        attributes=attributes,
    )


def _check_classes(classes: Sequence[str], ignore: int | None) -> None:
    if not 2 <= len(classes) <= UNLABELLED:
        raise InputError(
            f"folder: classes: expected 2 to {UNLABELLED} names, background first; came "
            f"{len(classes)}"
        )
    if twice := [name for name in classes if list(classes).count(name) > 1 or not name.strip()]:
        raise InputError(f"folder: classes: {twice[0]!r} is empty or there twice")
    if ignore is not None and 0 <= ignore < len(classes):
        raise InputError(f"folder: ignore: {ignore} is the class {classes[ignore]!r}")


def _split(items: Sequence[Item], seed: int, where: str) -> dict[str, list[Item]]:
    """By the column ``split``; without it by group, and without groups row by row."""
    if items[0].row.split:
        names = list(dict.fromkeys(item.row.split for item in items))
        return {name: [item for item in items if item.row.split == name] for name in names}
    groups = [item.row.group or str(item.row.image) for item in items]
    parts = by_group(groups, seed, where)
    return {split: [items[i] for i in part] for split, part in parts.items()}


def _check_read(train: Sequence[Item]) -> None:
    for item in train:
        if not any(item.row.masks):
            raise InputError(
                f"{item.where}: no rater has seen {item}, so that nothing can be learned from it; "
                "remove it, or move it to another split"
            )


def _check_splits(splits: Mapping[str, Sequence], corruptions: bool, folder: Path) -> None:
    names = ", ".join(splits)
    missing = [split for split in table.SPLITS if not splits.get(split)]
    if missing:
        raise InputError(
            f"{folder}: no image in split {missing[0]!r}; there are: {names}. id are the images to "
            "test on, val those that confidences are fitted on"
        )
    strange = [s for s in splits if s not in table.SPLITS and not is_ood(s)]
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
