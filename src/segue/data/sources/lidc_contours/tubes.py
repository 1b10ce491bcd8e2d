"""Tapered tubes in the simulated CT: vessels around a nodule and spicules on it."""

from typing import NamedTuple

import numpy as np

from segue.data.contours.database import SLICE_SIDE
from segue.data.sources.lidc_contours.chest import Chest, Place
from segue.data.sources.lidc_contours.fields import Window, sigmoid, unit

_DENSITY = 0.70  # vessel seeds each cm³
_STEPS, _FORK = 7, 2  # pieces of a vessel, and the piece after which it may fork
_REACH = 16.0  # mm; vessels seeded this far outside a window may run into it
_LEAST_VISIBLE = 0.10


class Tubes(NamedTuple):
    """Straight pieces: ``start``, ``end`` (tube, 3) z, y, x in mm, and the radius there in mm."""

    start: np.ndarray
    end: np.ndarray
    start_radius: np.ndarray
    end_radius: np.ndarray

    def join(self, other: "Tubes") -> "Tubes":
        """Both sets of tubes."""
        return Tubes(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))


def grow_vessels(
    rng: np.random.Generator,
    chest: Chest,
    *,
    centre: np.ndarray,
    half: np.ndarray,
    lung_height: float,
) -> Tubes:
    """Draw curved vessels that fork once, in a box around a nodule.

    They run away from the hilum, thinner the farther from it and the nearer to the pleura.

    Args:
        centre, half: (3,) z, y, x of the box's centre and half its sides, in mm. Vessels are
            seeded ``_REACH`` beyond it in the plane, so that it is evenly filled.
        lung_height: z of the topmost slice, in mm.
    """
    half = np.add(half, (0.75 * _REACH, _REACH, _REACH))
    volume = np.prod(2 * half) / 1000
    count = int(np.clip(volume * _DENSITY * rng.uniform(0.7, 1.3), 20, 900))
    point = centre + rng.uniform(-1, 1, (count, 3)) * half
    height = np.clip(point[:, 0] / lung_height, 0, 1)
    depth = -chest.lung_distance(point[:, 1], point[:, 2], Place(height, point[:, 0]))
    point, depth = point[depth > 3], depth[depth > 3]

    side = np.sign(centre[2]) or 1.0
    hilum = np.array([0.52 * lung_height, 6 * chest.unit, side * 46 * chest.unit])
    from_hilum = point - hilum
    distance = np.linalg.norm(from_hilum * (0.7, 1, 1), axis=1)
    direction = unit(unit(from_hilum) + rng.normal(0, 0.5, point.shape) * (1.25, 1, 1))
    radius = np.clip(3.4 * np.exp(-distance / 26) + 1.15 * np.exp(-distance / 95), 0.35, 4)
    radius = radius * rng.lognormal(-0.10, 0.40, len(point))
    radius = np.minimum(radius, 0.32 + 0.07 * depth)

    pieces = []
    for step in range(_STEPS):
        length = rng.uniform(2.6, 5.2, len(point)) * np.sqrt(np.clip(radius, 0.7, 2))
        direction = unit(direction + rng.normal(0, 0.17, direction.shape))
        end, end_radius = point + direction * length[:, None], radius * np.exp(-length / 26)
        pieces.append(Tubes(point, end, radius, end_radius))
        point, radius = end, end_radius
        if step == _FORK:
            forks = rng.uniform(size=len(point)) < 0.6
            branch = direction[forks] + 0.75 * unit(rng.normal(size=(forks.sum(), 3)))
            branch_radius = radius[forks] * rng.uniform(0.6, 0.9, forks.sum())
            point = np.concatenate([point, point[forks]])
            direction = np.concatenate([direction, unit(branch)])
            radius = np.concatenate([radius, branch_radius])
    return Tubes(*(np.concatenate(part) for part in zip(*pieces, strict=True)))


def feeding_vessel(rng: np.random.Generator, vessels: Tubes, centre: np.ndarray) -> Tubes:
    """Draw a curved branch from the nearest vessel into a nodule at ``centre`` (z, y, x in mm)."""
    away = np.linalg.norm(vessels.start - centre, axis=1)
    origin = vessels.start[np.argmin(away + 4 * (vessels.start_radius < 0.5))]
    length = np.linalg.norm(centre - origin)
    along = np.linspace(0, 1, 7)[:, None]
    bend = rng.normal(0, 0.08, (7, 3)) * length * np.sin(np.pi * along)
    path = origin + along * (centre - origin) + bend
    radius = np.full(6, rng.uniform(0.45, 0.95))
    return Tubes(path[:-1], path[1:], radius, radius)


def grow_spicules(
    rng: np.random.Generator, *, centre: np.ndarray, radius: float, spiculation: float
) -> Tubes:
    """Draw the spicules of a nodule: the more, and the longer, the higher its rating (1 to 5).

    Args:
        centre: (3,) z, y, x of the nodule, in mm.
        radius: of a sphere of its volume, in mm.
        spiculation: the raters' mean rating.
    """
    count = int(max(0, spiculation - 1.4) * rng.uniform(1.5, 3.6))
    direction = unit(rng.normal(size=(count, 3)) * (0.5, 1, 1))
    length = radius * rng.uniform(0.5, 1, count) + rng.uniform(1.5, 6, count) * spiculation / 5
    width = rng.uniform(0.25, 0.55, count)
    start = centre + 0.4 * radius * direction
    end = centre + (radius + length)[:, None] * direction
    return Tubes(start, end, width, 0.3 * width)


def draw_tubes(
    tubes: Tubes, window: Window, *, z: float, thickness: float, blur: float
) -> np.ndarray:
    """Share (y, x), 0 to 1, of each pixel that tubes fill in a slice.

    Args:
        tubes: to draw; where they cross, the larger share counts.
        window: to draw in.
        z, thickness: middle and thickness of the slice, in mm. A tube that runs in the slice's
            plane fills only a part of a thick slice.
        blur: of the scanner, in mm; what it would hide is left out.
    """
    out = np.zeros((window.side, window.side))
    start, end = tubes.start, tubes.end
    radius = np.maximum(tubes.start_radius, tubes.end_radius)

    # Clip each tube to the slab that the slice sees: from, to = shares of its length.
    rise = end[:, 0] - start[:, 0]
    rise = np.where(np.abs(rise) < 1e-6, 1e-6, rise)
    reach = thickness / 2 + radius
    crossings = np.stack([(z - reach - start[:, 0]) / rise, (z + reach - start[:, 0]) / rise])
    low, high = np.clip(crossings.min(0), 0, 1), np.clip(crossings.max(0), 0, 1)
    first = start + low[:, None] * (end - start)
    piece = (high - low)[:, None] * (end - start)

    in_plane = np.linalg.norm(piece[:, 1:], axis=1) / (np.linalg.norm(piece, axis=1) + 1e-6)
    share = 1 - in_plane * (1 - np.minimum(1, 1.6 * radius / thickness))
    visible = (high > low) & (share * np.minimum(1, radius / (1.3 * blur)) >= _LEAST_VISIBLE)

    corners = np.stack([first, first + piece])[..., 1:] / window.spacing + SLICE_SIDE / 2
    margin = ((radius + 1) / window.spacing)[:, None]
    origin = (window.row, window.column)
    begin = np.clip(np.floor(corners.min(0) - margin) - origin, 0, window.side).astype(int)
    stop = np.clip(np.ceil(corners.max(0) + margin) - origin + 1, 0, window.side).astype(int)
    visible &= (stop > begin).all(1)

    for i in np.flatnonzero(visible):
        part = tuple(slice(b, s) for b, s in zip(begin[i], stop[i], strict=True))
        y = (window.y[part[0]] - first[i, 1])[:, None]
        x = (window.x[part[1]] - first[i, 2])[None]
        _, dy, dx = piece[i]
        along = np.clip((y * dy + x * dx) / max(dy * dy + dx * dx, 1e-9), 0, 1)
        distance = np.hypot(y - along * dy, x - along * dx)
        along = low[i] + along * (high[i] - low[i])
        width = tubes.start_radius[i] + along * (tubes.end_radius[i] - tubes.start_radius[i])
        np.maximum(out[part], share[i] * sigmoid((width - distance) / 0.25), out=out[part])
    return out
