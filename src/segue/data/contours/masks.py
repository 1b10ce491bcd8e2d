"""Masks of a radiologist's outlines: rasters that know where in the slice they lie."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from segue.data.contours.database import Outline


class Mask(NamedTuple):
    """A mask on its bounding box: first row and column in the slice, ``pixels`` (y, x) bool."""

    row: int
    column: int
    pixels: np.ndarray


def rasterise(outlines: Sequence[Outline], positions: np.ndarray) -> dict[int, Mask]:
    """Masks that one annotation's outlines enclose, by slice index; empty ones are left out.

    LIDC's outlines run on the first pixel outside the nodule, so the pixels of an inclusion are
    those inside it but not on it. Inclusions are joined first; then what lies inside or on an
    exclusion is removed.

    Args:
        outlines: of one annotation.
        positions: (slice,) ascending z of the slices, in mm.
    """
    by_slice: dict[int, list[Outline]] = {}
    for outline in outlines:
        nearest = int(np.abs(positions - outline.z).argmin())
        by_slice.setdefault(nearest, []).append(outline)
    masks = {}
    for index, here in by_slice.items():
        points = np.concatenate([o.points for o in here])
        row, column = (int(v) for v in points.min(0))
        pixels = np.zeros(points.max(0) - points.min(0) + 1, bool)
        for outline in sorted(here, key=lambda o: not o.inclusion):
            inside, on = _fill(outline.points)
            first = outline.points.min(0) - (row, column)
            part = tuple(slice(f, f + n) for f, n in zip(first, inside.shape, strict=True))
            if outline.inclusion:
                pixels[part] |= inside & ~on
            else:
                pixels[part] &= ~(inside | on)
        if pixels.any():
            masks[index] = _trim(Mask(row, column, pixels))
    return masks


def cut_out(mask: Mask, origin: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """The part (y, x) bool of ``mask`` in a window, given by its first row and column."""
    out = np.zeros(shape, bool)
    source, target = [], []
    for start, length, first, extent in zip(
        (mask.row, mask.column), mask.pixels.shape, origin, shape, strict=True
    ):
        low, high = max(start, first), min(start + length, first + extent)
        source.append(slice(low - start, max(low, high) - start))
        target.append(slice(low - first, max(low, high) - first))
    out[tuple(target)] = mask.pixels[tuple(source)]
    return out


def overlap(first: Mapping[int, Mask], second: Mapping[int, Mask]) -> float:
    """Intersection over union of two annotations' masks, over all their slices."""
    shared = 0
    for index in first.keys() & second.keys():
        a, b = first[index], second[index]
        shared += int((a.pixels & cut_out(b, (a.row, a.column), a.pixels.shape)).sum())
    total = sum(int(m.pixels.sum()) for masks in (first, second) for m in masks.values())
    return shared / (total - shared)


def join(parts: Sequence[Mapping[int, Mask]]) -> dict[int, Mask]:
    """Union of several annotations' masks in each slice."""
    joined = {}
    for index in set().union(*parts):
        here = [p[index] for p in parts if index in p]
        first = np.min([(m.row, m.column) for m in here], 0)
        end = np.max([np.add((m.row, m.column), m.pixels.shape) for m in here], 0)
        origin = (int(first[0]), int(first[1]))
        pixels = np.any([cut_out(m, origin, tuple(end - first)) for m in here], axis=0)
        joined[index] = Mask(*origin, pixels)
    return joined


def _trim(mask: Mask) -> Mask:
    """The mask on its tight bounding box."""
    rows, columns = (np.flatnonzero(mask.pixels.any(axis)) for axis in (1, 0))
    part = mask.pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Mask(mask.row + int(rows[0]), mask.column + int(columns[0]), part)


def _fill(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (y, x) inside a closed lattice polygon (even-odd rule), and those that are its points.

    Both arrays cover the bounding box. Every edge toggles, in each row it crosses, all pixels to
    the right of the crossing.
    """
    points = points - points.min(0)
    height, width = points.max(0) + 1
    start, end = points, np.roll(points, -1, axis=0)
    low, high = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    rows_crossed = high - low
    edge = np.repeat(np.arange(len(points)), rows_crossed)
    first = np.cumsum(rows_crossed) - rows_crossed
    row = np.arange(len(edge)) - first[edge] + low[edge]
    rise, run = (end - start)[edge].T
    # Multiplied before it is divided: crossings at whole pixels must come out exact.
    crossing = start[edge, 1] + (row - start[edge, 0]) * run / rise
    toggles = np.zeros((height, width + 1), int)
    np.add.at(toggles, (row, np.ceil(crossing).astype(int)), 1)
    inside = (np.cumsum(toggles, axis=1)[:, :width] % 2).astype(bool)
    on = np.zeros((height, width), bool)
    on[points[:, 0], points[:, 1]] = True
    return inside, on
