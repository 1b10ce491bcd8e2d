"""Which slices are in which split, and which shifts there are."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from segue.data.contours.nodules import Nodule, all_nodules
from segue.data.corruptions import CORRUPTIONS
from segue.data.partition import by_group, limit
from segue.data.sources.lidc_contours.nodule import mean_ratings
from segue.data.sources.lidc_contours.scanners import SCANNERS
from segue.errors import InputError

KIND = "kind"
"""The shift that is made of other nodules."""

_SHIFTS = (*CORRUPTIONS, *SCANNERS, KIND)
_PART_SOLID = 3  # of the rating texture, 1 (non-solid: ground glass) to 5 (solid)


class Item(NamedTuple):
    """One sample: a slice of a nodule of a scan, as the scan's own or another scanner shows it.

    ``scanner`` is a key of ``SCANNERS``, or empty for the scan's own.
    """

    scan: int
    nodule: int
    slice: int
    scanner: str = ""


def splits(
    seed: int, images: Mapping[str, int | None], shifts: Sequence[str]
) -> dict[str, list[Item]]:
    """Items of each split but the corruptions, which are made of the pictures of ``id``.

    Args:
        seed: of the split by patient and the choice of slices.
        images: how many slices of a split; all of one that is not named or ``None``. ``ood_kind``,
            not named, has as many as ``id``, or all if there are fewer.
        shifts: names; see ``check_shifts``.

    Raises:
        InputError: ``images`` names no split, or asks for more slices than there are.
    """
    found = [(nodule, index) for nodule in all_nodules() for index in nodule.slices]
    patients = [nodule.scan.patient for nodule, _ in found]
    parts = by_group(patients, seed, "lidc_contours")
    if KIND in shifts:
        parts = _apart(parts, patients, {i for i, (n, _) in enumerate(found) if _ground_glass(n)})
        there = len(parts["id"]) if images.get("id") is None else images["id"]
        images = {f"ood_{KIND}": min(there, len(parts[f"ood_{KIND}"])), **images}
    items = [Item(nodule.scan.id, nodule.index, index) for nodule, index in found]
    whole = {split: [items[i] for i in part] for split, part in parts.items()}
    kept = limit(whole, images, seed, "lidc_contours")
    for scanner in SCANNERS:
        if scanner in shifts:
            kept[f"ood_{scanner}"] = [item._replace(scanner=scanner) for item in kept["id"]]
    return kept


def check_shifts(shifts: Sequence[str]) -> None:
    """Raise InputError unless there are shifts, all of them known and none there twice."""
    known = ", ".join(_SHIFTS)
    if unknown := [shift for shift in shifts if shift not in _SHIFTS]:
        raise InputError(f"lidc_contours: shifts: no shift {unknown[0]!r}; there are: {known}")
    if not shifts:
        raise InputError(f"lidc_contours: shifts: found none; name one or more of {known}")
    if twice := [shift for shift in shifts if list(shifts).count(shift) > 1]:
        raise InputError(f"lidc_contours: shifts: {twice[0]!r} is there twice; take one out")


def _ground_glass(nodule: Nodule) -> bool:
    """Whether its raters, in the mean, saw more of ground glass than of a solid part."""
    return mean_ratings(nodule)["texture"] < _PART_SOLID


def _apart(
    parts: Mapping[str, Sequence[int]], patients: Sequence[str], kind: set[int]
) -> dict[str, list[int]]:
    """The splits without the samples of a ``kind``, which get a split of their own.

    Their patients are not in train and val either; their other nodules stay in ``id``, if there.
    """
    theirs = {patients[i] for i in kind}
    left = {
        split: [i for i in part if i not in kind and (split == "id" or patients[i] not in theirs)]
        for split, part in parts.items()
    }
    return {**left, f"ood_{KIND}": sorted(kind)}
