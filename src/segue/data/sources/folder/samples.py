"""Rows of the CSV -> samples: every file is surveyed once, then read by what the survey found."""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from segue.data import leaks
from segue.data.source import Sample
from segue.data.sources.folder import files, nifti, resize
from segue.data.sources.folder.legend import Legend, Survey, legend
from segue.data.sources.folder.masks import Raw
from segue.data.sources.folder.table import Row
from segue.dims import UNLABELLED
from segue.errors import InputError
from segue.progress import progress

_log = logging.getLogger(__name__)


class Item(NamedTuple):
    """An image: a row of the CSV, or a slice of the volume that it names."""

    row: Row
    index: int | None = None

    def __str__(self) -> str:
        """Name it in an error message."""
        return str(self.row) if self.index is None else f"{self.row}, slice {self.index}"

    @property
    def where(self) -> str:
        """Its place in the list, for messages."""
        return self.row.where if self.index is None else f"{self.row.where}, slice {self.index}"


class _Raw(NamedTuple):
    """What the files of an item hold; ``masks`` has None for a rater who did not see it."""

    image: np.ndarray
    masks: list[Raw | None]
    turned: bool


@dataclass(frozen=True)
class Reader:
    """How items are read.

    Attributes:
        axes, axis, size: options of the source; see there.
        grey: whether three equal channels are one.
        legend: of the masks; None before the survey.
    """

    axes: str | None
    axis: int | None
    size: tuple[int, int] | None
    grey: bool = False
    legend: Legend | None = None

    def read(self, item: Item) -> Sample:
        """Read the image and masks of an item."""
        raw = self.raw(item)
        image = raw.image[:1] if self.grey else raw.image
        nothing = np.full(image.shape[1:], UNLABELLED, np.uint8)
        labels = np.stack([nothing if m is None else self.legend.apply(m) for m in raw.masks])
        if self.size:
            image, labels = resize.fit(image, labels, self.size)
        row, coordinates = item.row, {"name": item.row.name}
        if row.group or item.index is not None:
            coordinates["patient"] = row.group or row.name
        if item.index is not None:
            coordinates["slice"] = item.index
        return Sample(image=image, labels=labels, coordinates=coordinates)

    def raw(self, item: Item, note: Callable[[bytes], None] | None = None) -> _Raw:
        """Read the files of an item; ``note`` is given the bytes of each, once a row.

        Raises:
            InputError: naming the row, if a file is unreadable or its size is not the image's.
        """
        row = item.row
        try:
            if not nifti.is_nifti(row.image):
                found = self._files(row, note)
            else:
                if note and not item.index:
                    for path in (row.image, *filter(None, row.masks)):
                        note(path.read_bytes())
                found = self._volume(item)
        except (InputError, OSError) as error:
            raise InputError(f"{item.where}: {error}") from error
        for path, mask in zip(row.masks, found.masks, strict=True):
            if mask is not None and mask.codes.shape != found.image.shape[1:]:
                turned = " as its EXIF orientation turns it" if found.turned else ""
                raise InputError(
                    f"{item.where}: {path.name} is (y, x) {mask.codes.shape}, its image "
                    f"{row.image.name} {found.image.shape[1:]}{turned}; draw or resize it (nearest "
                    "neighbour) to the image's size"
                )
        return found

    def _files(self, row: Row, note: Callable[[bytes], None] | None) -> _Raw:
        if strange := [path for path in row.masks if path and nifti.is_nifti(path)]:
            raise InputError(
                f"{strange[0].name} is NIfTI and its image {row.image.name} is not, so that nothing"
                " says how they lie on each other; save both in one format"
            )
        data = {path: path.read_bytes() for path in (row.image, *filter(None, row.masks))}
        for each in data.values() if note else ():
            note(each)
        masks = [files.mask(path, data[path]) if path else None for path in row.masks]
        plane = next((mask.codes.shape for mask in masks if mask), None)
        image, turned = files.image(row.image, data[row.image], plane, self.axes)
        return _Raw(image, masks, turned)

    def _volume(self, item: Item) -> _Raw:
        row, masks = item.row, []
        for path in row.masks:
            if path and not nifti.is_nifti(path):
                raise InputError(
                    f"{row.image.name} is NIfTI and its mask {path.name} is not, so that nothing "
                    "says how they lie on each other; save both in one format"
                )
            if path:
                nifti.check_same_place(row.image, path)
                mask = files.raw_mask(path, nifti.plane(path, self.axis, item.index))
                masks.append(mask)
            else:
                masks.append(None)
        return _Raw(files.slice_of(row.image, self.axis, item.index), masks, False)


def items_of(rows: Sequence[Row], axis: int | None) -> list[Item]:
    """The images of rows: one a row, or of a volume one a slice along ``axis``.

    Raises:
        InputError: naming the row, if a volume is unreadable or ``axis`` is missing.
    """
    items = []
    for row in rows:
        count = None
        if nifti.is_nifti(row.image):
            try:
                count = nifti.slices(row.image, axis)
            except InputError as error:
                raise InputError(f"{row.where}: {error}") from error
        items += [Item(row)] if count is None else [Item(row, index) for index in range(count)]
    return items


class _Images(NamedTuple):
    """What all images are like: by (channels, all equal) and by (y, x), the first of each."""

    channels: dict[tuple[int, bool], Item]
    sizes: dict[tuple[int, int], Item]


def survey(
    items: Sequence[Item],
    reader: Reader,
    names: Sequence[str],
    values: Mapping[int | str, int] | None,
    ignore: int | None,
) -> tuple[Reader, dict[Item, bytes | None], str]:
    """Read every file; find out how they are to be read.

    Args:
        items: all of them.
        reader: with the options.
        names, values, ignore: see ``legend.legend``.

    Returns:
        The reader for them; a digest of each image; the sha256 of all files, in their order.

    Raises:
        InputError: naming the row, if a file is unreadable or does not fit to the others.
    """
    sha256 = hashlib.sha256()
    masks, images, digests, turned = Survey(), _Images({}, {}), {}, 0
    for item in progress(items, desc="files", delay=10):
        raw = reader.raw(item, sha256.update)
        for path, mask in zip(item.row.masks, raw.masks, strict=True):
            if mask is not None:
                masks.add(mask, f"{item.where}: {path}")
        equal = len(raw.image) == 3 and bool((raw.image == raw.image[:1]).all())
        images.channels.setdefault((len(raw.image), equal), item)
        images.sizes.setdefault(raw.image.shape[1:], item)
        digests[item] = leaks.digest(raw.image)
        turned += raw.turned
    if turned:
        _log.info("%d images turned as their EXIF orientation says", turned)
    grey = _grey(images.channels)
    if not reader.size:
        _check_sizes(images.sizes)
    found = legend(masks, names, values, ignore)
    return replace(reader, grey=grey, legend=found), digests, sha256.hexdigest()


def _grey(channels: Mapping[tuple[int, bool], Item]) -> bool:
    """Whether some images are grey and the others have three equal channels."""
    counts = {count for count, _ in channels}
    if len(counts) == 1:
        return False
    if counts == {1, 3} and (3, False) not in channels:
        return True
    by_count = {count: item for (count, _), item in reversed(channels.items())}
    (first, one), (second, other) = list(reversed(by_count.items()))[:2]
    raise InputError(
        f"{other.where}: {other} has {second} channels, {one} ({one.where.rsplit(', ', 1)[-1]}) "
        f"{first}; all images must have the same channels"
    )


def _check_sizes(sizes: Mapping[tuple[int, int], Item]) -> None:
    if len(sizes) > 1:
        (first, one), (second, other) = list(sizes.items())[:2]
        raise InputError(
            f"{other.where}: {other} is (y, x) {second}, the first image, {one}, {first}; crop them"
            " to one size, or scale all to fit into one by the option size, such as size: "
            f"{max(first)}"
        )
