"""From outlines to nodules: groups of annotations of one nodule, rater slots, labels of a slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from segue import seeds
from segue.data.contours.database import SLICE_SIDE, Annotation, Scan, load
from segue.data.contours.masks import Mask, cut_out, join, overlap, rasterise
from segue.progress import progress

RATERS = 4
_SHRINK = 0.9
_LEAST_TOLERANCE = 0.1  # mm


@dataclass(frozen=True, eq=False)
class Nodule:
    """One nodule of one scan.

    Attributes:
        scan: where it is.
        index: its number in the scan.
        ratings: (annotation, rating) float, the columns of ``RATINGS``.
        masks: for each rater who marked it (1 to 4), in no order that tells who: slice index ->
            non-empty mask.
    """

    scan: Scan
    index: int
    ratings: np.ndarray
    masks: Sequence[Mapping[int, Mask]]

    @cached_property
    def slices(self) -> list[int]:
        """Indices of the slices in which at least one mask is not empty."""
        return sorted(set().union(*self.masks))


@lru_cache(maxsize=1)
def all_nodules() -> list[Nodule]:
    """Every nodule of the file, scan by scan; found once in each process, in some seconds."""
    scans = progress(load().values(), desc="outlines", unit="scan", delay=5)
    return [nodule for scan in scans for nodule in nodules(scan)]


@lru_cache(maxsize=1)
def nodules_of(scan: int) -> dict[int, Nodule]:
    """Nodules of one scan by number, kept for those that are asked for next."""
    return {n.index: n for n in nodules(load()[scan])}


def nodules(scan: Scan) -> list[Nodule]:
    """Nodules of a scan that leave a non-empty mask, numbered in the order of the file."""
    masks = {a.id: rasterise(a.outlines, scan.positions) for a in scan.annotations}
    found = []
    for index, group in enumerate(cluster(scan)):
        raters = assign_slots([masks[a.id] for a in group if masks[a.id]])
        ratings = np.array([a.ratings for a in group], float)
        nodule = Nodule(scan, index, ratings, raters)
        if nodule.slices:
            found.append(nodule)
    return found


def cluster(scan: Scan) -> list[list[Annotation]]:
    """Groups of annotations that describe one nodule.

    Two annotations belong together when their outlines come within a tolerance of each other: the
    larger of slice thickness and slice spacing, in mm, shrunk by a tenth until no group has more
    annotations than there are raters.
    """
    tolerance = max(scan.thickness, scan.slice_spacing)
    distance = _distances(scan, tolerance)
    while True:
        count, group = connected_components(distance <= tolerance, directed=False)
        shrunk = tolerance * _SHRINK
        if np.bincount(group).max() <= RATERS or shrunk < _LEAST_TOLERANCE:
            break
        tolerance = shrunk
    members = np.array(scan.annotations, dtype=object)
    return [list(members[group == number]) for number in range(count)]


def assign_slots(annotations: Sequence[Mapping[int, Mask]]) -> list[dict[int, Mask]]:
    """Masks of at most four raters, from the masks of the annotations in one group.

    A larger group holds neighbouring nodules that no tolerance separates. Its four largest
    annotations found a slot each; every other one joins the slot that it overlaps least, as a
    second part by the same rater.
    """
    if len(annotations) <= RATERS:
        return [dict(a) for a in annotations]
    largest = sorted(annotations, key=lambda a: -sum(m.pixels.sum() for m in a.values()))
    slots = [[a] for a in largest[:RATERS]]
    for annotation in largest[RATERS:]:
        overlaps = [max(overlap(annotation, part) for part in slot) for slot in slots]
        slots[int(np.argmin(overlaps))].append(annotation)
    return [join(slot) for slot in slots]


def window_origin(nodule: Nodule, index: int, side: int) -> tuple[int, int]:
    """First row and column of the square window centred on the union of one slice's masks.

    The window is shifted to lie inside the slice.
    """
    here = [m[index] for m in nodule.masks if index in m]
    first = np.min([(m.row, m.column) for m in here], 0)
    last = np.max([np.add((m.row, m.column), m.pixels.shape) for m in here], 0) - 1
    origin = np.rint((first + last) / 2).astype(int) - side // 2
    row, column = np.clip(origin, 0, SLICE_SIDE - side)
    return int(row), int(column)


def labels(nodule: Nodule, index: int, *, seed: int, side: int) -> np.ndarray:
    """Masks (rater, y, x) uint8 of one slice, in the window centred on their union.

    The file does not say which rater is which, so each nodule's raters are shuffled. A rater who
    did not outline the nodule in this slice has an empty mask.
    """
    origin = window_origin(nodule, index, side)
    out = np.zeros((RATERS, side, side), np.uint8)
    order = seeds.rng(seed, "lidc", nodule.scan.id, nodule.index, "raters").permutation(RATERS)
    for slot, masks in zip(order, nodule.masks, strict=False):
        if index in masks:
            out[slot] = cut_out(masks[index], origin, (side, side))
    return out


def _distances(scan: Scan, limit: float) -> np.ndarray:
    """Least distance (mm) of the outline points of each two annotations; inf beyond ``limit``."""
    points = [
        np.concatenate(
            [
                np.column_stack([o.points * scan.spacing, np.full(len(o.points), o.z)])
                for o in a.outlines
            ]
        )
        for a in scan.annotations
    ]
    trees = [cKDTree(p) for p in points]
    low, high = [p.min(0) for p in points], [p.max(0) for p in points]
    distance = np.full((len(points), len(points)), np.inf)
    np.fill_diagonal(distance, 0)
    for i in range(len(points)):
        for j in range(i + 1, len(points)):
            gap = np.maximum(0, np.maximum(low[i] - high[j], low[j] - high[i]))
            if np.linalg.norm(gap) <= limit:
                distance[i, j] = distance[j, i] = trees[i].query(points[j])[0].min()
    return distance
