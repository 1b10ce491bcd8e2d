"""The raters' masks that belong to predictions, in pictures, arrays or NIfTI files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segue.data import pictures
from segue.data.sources.folder import files as mask_files
from segue.data.sources.folder.legend import Legend, Survey, legend
from segue.data.sources.folder.masks import Raw
from segue.dims import UNLABELLED
from segue.errors import InputError
from segue.interop import arrays
from segue.interop.axes import PLANE, Volume, volume
from segue.interop.cases import Case
from segue.interop.patterns import Files

SUFFIXES = (*pictures.SUFFIXES, *arrays.SUFFIXES)

_SAME_PLACE = 1e-3  # mm, by which affines of files of one image may differ


@dataclass(frozen=True)
class Reading:
    """Masks of the images of one case.

    Attributes:
        case: whose they are.
        masks: of each rater a volume, the path of a picture, or None where there is no file.
    """

    case: Case
    masks: list[Volume | Path | None]

    def raw(self, index: int) -> list[tuple[Path, Raw] | None]:
        """What the files hold of an image, of each rater; None where there is nothing."""
        found: list[tuple[Path, Raw] | None] = []
        for mask in self.masks:
            if mask is None:
                found.append(None)
            elif isinstance(mask, Path):
                found.append((mask, mask_files.mask(mask, mask.read_bytes())))
            else:
                path = mask.stored.path
                plane = mask.plane(self.case.cut, index, "r")
                planes = plane if "r" in mask.letters else plane[None]
                found += [(path, mask_files.raw_mask(path, each)) for each in planes]
        for path, raw in filter(None, found):
            _check_sizes(path, raw.codes.shape, self.case.sizes[1:], self.case)
        return found

    def labels(self, index: int, classes: Legend) -> np.ndarray:
        """Class indices (rater, y, x) uint8 of an image, ``UNLABELLED`` where there is none."""
        nothing = np.full(self.case.sizes[1:], UNLABELLED, np.uint8)
        return np.stack(
            [nothing if raw is None else classes.apply(raw[1]) for raw in self.raw(index)]
        )


def open_reading(files: Files, case: Case) -> Reading:
    """Open the masks of a case; no more than headers are read.

    Raises:
        InputError: there are none, or they do not have the sizes of the predictions, or their
            place in space.
    """
    found = files.images.get(case.name)
    if found is None:
        raise InputError(
            f"{files.pattern}: no mask of {case.name!r}, whose predictions are in "
            f"{case.first.stored.path}; name files of masks and of predictions alike"
        )
    masks: list[Volume | Path | None] = []
    for rater in files.values.get("rater", [None]):
        path = found.get(() if rater is None else (rater,))
        if path is None or path.suffix.lower() in pictures.SUFFIXES:
            if path and case.sizes[0] > 1:
                raise InputError(
                    f"{path}: one picture, and {case.sizes[0]} images in {case.first.stored.path}, "
                    f"by its axes {case.first.letters}; correct --slices or --axes, or save masks "
                    "of volumes as NIfTI or NPY"
                )
            masks.append(path)
            continue
        several = case.cut == "i" or case.sizes[0] > 1
        mask = volume(arrays.stored(path), "r", case.cut if several else None)
        _check_place(mask, case)
        masks.append(mask)
    return Reading(case, masks)


def survey(
    readings: Iterable[Reading],
    classes: int,
    values: Mapping[int | str, int] | None,
    ignore: int | None,
) -> Legend:
    """Read all masks, and find out which of their values is which class.

    Args:
        readings: of all cases.
        classes: how many there are.
        values, ignore: see ``segue.data.sources.folder.legend.legend``.

    Raises:
        InputError: a value that is no class, or may be one class or another.
    """
    found = Survey()
    for reading in readings:
        for index in range(reading.case.sizes[0]):
            for path, raw in filter(None, reading.raw(index)):
                found.add(raw, str(path))
    return legend(found, [str(each) for each in range(classes)], values, ignore)


def _check_place(mask: Volume, case: Case) -> None:
    """See that a mask's voxels are those of the predictions, as far as headers say it."""
    path, letters = mask.stored.path, "iyx" if case.cut == "i" else PLANE
    found, expected = (tuple(of.size(each) for each in letters) for of in (mask, case.first))
    _check_sizes(path, found, expected, case)
    affine = mask.stored.affine
    if affine is None or case.affine is None:
        return
    if not np.allclose(affine, case.affine, rtol=0, atol=_SAME_PLACE):
        raise InputError(
            f"{path}: its affine is not that of the predictions {case.first.stored.path}, so that "
            "their voxels lie at different places; resample the mask (nearest neighbour) to their "
            "grid"
        )


def _check_sizes(path: Path, found: tuple[int, ...], expected: tuple[int, ...], case: Case) -> None:
    if found == expected:
        return
    remedy = "bring both to one grid (masks by the nearest neighbour)"
    if sorted(found) == sorted(expected):
        remedy = "the same sizes in another order: correct the axes of one of them, see --axes"
    raise InputError(
        f"{path}: expected the sizes {expected} (..., y, x) as the predictions "
        f"{case.first.stored.path} have, found {found}; {remedy}"
    )
