"""The nodule in the simulated CT: a hidden shape near the raters' outlines, filled by the ratings.

The shape starts from the mean, over the raters who marked the nodule, of the signed distance from
their outlines, in three dimensions. A smooth random field warps it and a random offset grows or
shrinks it, so it follows no rater's outline. How many raters there were is not used.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from segue.data.contours.database import RATINGS
from segue.data.contours.masks import cut_out
from segue.data.contours.nodules import Nodule
from segue.data.sources.lidc_contours.fields import SmoothField, Window, sigmoid

_FLUID, _FAT, _AIR = 2, 3, 4  # ratings of internalStructure; 1 is soft tissue
_POPCORN, _LAMINATED, _SOLID, _NON_CENTRAL, _CENTRAL, _ABSENT = range(1, 7)  # of calcification


@dataclass(frozen=True, eq=False)
class Shape:
    """The hidden shape.

    Attributes:
        distance: (slice, y, x) mean signed distance in mm, negative inside.
        origin: slice, row and column of its first element.
        centre: slice, row and column of the middle of its core (fractional).
        radius: of a sphere of the raters' mean volume, in mm.
        offset: added to the distance, in mm.
        edge: width of the soft edge, in mm.
        warp: fields along z, y, x, in mm.
    """

    distance: np.ndarray
    origin: tuple[int, int, int]
    centre: tuple[float, float, float]
    radius: float
    offset: float
    edge: float
    warp: tuple[SmoothField, SmoothField, SmoothField]


@dataclass(frozen=True, eq=False)
class Filling:
    """What the nodule is made of; densities in HU.

    Attributes:
        ground_glass_hu, solid_hu: of its two components.
        solid: share of the solid component, which lies inside.
        visibility: contrast with what surrounds it, 0 to 1.
        structure: the rating ``internalStructure`` that most raters gave.
        calcification: the pattern that most raters saw; ``None`` unless most saw one.
        calcium_hu: added where calcified.
        core: depth at which a central calcification begins, in radii.
        texture: field of standard deviation 1.
    """

    ground_glass_hu: float
    solid_hu: float
    solid: float
    visibility: float
    structure: int
    calcification: int | None
    calcium_hu: float
    core: float
    texture: SmoothField


def mean_ratings(nodule: Nodule) -> dict[str, float]:
    """Mean of each rating over the annotations."""
    return dict(zip(RATINGS, nodule.ratings.mean(0).tolist(), strict=True))


def draw_shape(rng: np.random.Generator, nodule: Nodule, *, beyond: float = 0.0) -> Shape:
    """Draw the hidden shape of a nodule.

    ``beyond``: how much farther above and below the outlines its distance is known, in mm; it
    changes nothing else.
    """
    scan = nodule.scan
    spacing = (scan.slice_spacing, scan.spacing, scan.spacing)
    edge = np.interp(mean_ratings(nodule)["margin"], (1, 3, 5), (1.5, 0.62, 0.22))
    edge = edge * rng.uniform(0.8, 1.25)
    # Where the pad ends, the soft edge and the warp have faded.
    pad = np.ceil(np.array([2 + beyond, 5 * edge + 1, 5 * edge + 1]) / spacing).astype(int)
    volumes, origin = _volumes(nodule, pad)
    distance = np.mean([_signed_distance(v, spacing) for v in volumes], axis=0)
    mean_volume = np.mean([v.sum() for v in volumes]) * np.prod(spacing)
    radius = max(1.2, (3 * mean_volume / (4 * np.pi)) ** (1 / 3))
    # Raters whose outlines barely meet leave no inside: deepen until there is a body.
    distance = distance - max(0.0, distance.min() + 0.4 * radius)
    core = ndimage.center_of_mass(distance <= distance.min() / 2)
    amplitude = min(0.55, 0.10 * radius + 0.10)
    wavelengths = (4 + radius, 12 + 2 * radius)
    warp = tuple(
        SmoothField.draw(rng, terms=8, wavelengths=wavelengths, amplitude=a * amplitude)
        for a in (0.6, 1, 1)
    )
    return Shape(
        distance=distance.astype(np.float32),
        origin=origin,
        centre=tuple(float(c) + o for c, o in zip(core, origin, strict=True)),
        radius=radius,
        offset=float(np.clip(rng.normal(0, 0.28), -0.6, 0.6)) * min(1, radius / 3),
        edge=edge,
        warp=warp,
    )


def draw_filling(rng: np.random.Generator, nodule: Nodule) -> Filling:
    """Draw what a nodule is made of, by its ratings."""
    mean = mean_ratings(nodule)
    seen = nodule.ratings[:, RATINGS.index("calcification")].astype(int)
    seen, raters = seen[seen != _ABSENT], len(seen)
    structure = nodule.ratings[:, RATINGS.index("internalStructure")].astype(int)
    scale = (1, 2, 3, 4, 5)
    return Filling(
        ground_glass_hu=rng.normal(-590, 60),
        solid_hu=rng.normal(25, 22),
        solid=float(np.interp(mean["texture"], scale, (0, 0.25, 0.5, 0.85, 1))),
        visibility=float(np.interp(mean["subtlety"], scale, (0.58, 0.70, 0.82, 0.92, 1))),
        structure=int(np.bincount(structure).argmax()),
        calcification=int(np.bincount(seen).argmax()) if 2 * len(seen) > raters else None,
        calcium_hu=rng.uniform(180, 850),
        core=rng.uniform(0.25, 0.55),
        texture=SmoothField.draw(rng, terms=12, wavelengths=(1.6, 7), amplitude=1),
    )


def occupancy(nodule: Nodule, shape: Shape, window: Window, index: float) -> tuple:
    """What the nodule fills of slice ``index``, both (y, x).

    Returns:
        Share of each pixel, 0 to 1, averaged over a thick slice; and signed distance from the
        hidden surface in the middle of the slice, in mm, negative inside.
    """
    scan = nodule.scan
    share = np.zeros((window.side, window.side))
    distance = np.full((window.side, window.side), 99.0)
    first = np.subtract(shape.origin[1:], (window.row, window.column))
    begin = np.clip(first, 0, window.side)
    stop = np.clip(first + shape.distance.shape[1:], 0, window.side)
    if (stop <= begin).any():
        return share, distance
    part = tuple(slice(b, s) for b, s in zip(begin, stop, strict=True))
    y, x = window.y[part[0]], window.x[part[1]]
    row, column = (np.arange(p.start, p.stop) - f for p, f in zip(part, first, strict=True))

    thick = scan.thickness > 1.5 * scan.slice_spacing or scan.thickness >= 1.3
    heights = np.array([0.0, -1.0, 1.0] if thick else [0.0]) * scan.thickness / 3
    for number, height in enumerate(heights):
        z = index * scan.slice_spacing + height
        warp_z, warp_y, warp_x = (field.on_grid(z, y, x) for field in shape.warp)
        points = np.stack(
            [
                (z + warp_z) / scan.slice_spacing - shape.origin[0],
                row[:, None] + warp_y / scan.spacing,
                column[None] + warp_x / scan.spacing,
            ]
        )
        here = ndimage.map_coordinates(shape.distance, points, order=1, mode="nearest")
        here = here + shape.offset
        share[part] += sigmoid(-here / shape.edge) / len(heights)
        if number == 0:
            distance[part] = here
    return share, distance


def density(
    filling: Filling, depth: np.ndarray, window: Window, *, z: float, contrast: bool
) -> np.ndarray:
    """HU (y, x) of the nodule's substance.

    Args:
        filling: what it is made of.
        depth: (y, x) below the hidden surface, in radii.
        window: of ``depth``.
        z: height of the slice, in mm.
        contrast: whether a contrast agent was given.
    """
    texture = filling.texture.on_grid(z, window.y, window.x)
    solid = filling.solid
    if 0 < solid < 1:
        solid = sigmoid((depth - (1 - solid)) / 0.12)
    solid_hu = filling.solid_hu + 35 * contrast
    hu = filling.ground_glass_hu + solid * (solid_hu - filling.ground_glass_hu)
    hu = hu + texture * (18 + 45 * (1 - solid))
    if filling.structure == _FLUID:
        hu = np.full_like(hu, 5.0)
    elif filling.structure == _FAT:
        hu = np.full_like(hu, -85.0)
    elif filling.structure == _AIR:
        hu = hu + sigmoid((depth - 0.35) / 0.08) * (-930 - hu)
    if filling.calcification is not None:
        hu = hu + filling.calcium_hu * _calcified(filling, depth, texture, window, z)
    return hu


def _calcified(
    filling: Filling, depth: np.ndarray, texture: np.ndarray, window: Window, z: float
) -> np.ndarray:
    """Share (y, x) of calcium, by the pattern that the raters saw."""
    if filling.calcification == _POPCORN:
        return sigmoid((texture - 0.3) / 0.15)
    if filling.calcification == _LAMINATED:
        return 0.5 + 0.5 * np.cos(14 * depth)
    if filling.calcification == _SOLID:
        return sigmoid((depth - 0.02) / 0.1)
    if filling.calcification == _CENTRAL:
        return sigmoid((depth - filling.core) / 0.08)
    patches = filling.texture.on_grid(z / 2, window.y / 2, window.x / 2)
    return sigmoid((patches - 0.6) / 0.2)


def _volumes(nodule: Nodule, pad: np.ndarray) -> tuple[list[np.ndarray], tuple[int, int, int]]:
    """Each rater's masks as a volume (slice, y, x) bool, and the first slice, row and column."""
    boxes = [
        ((index, m.row, m.column), (index + 1, *np.add((m.row, m.column), m.pixels.shape)))
        for masks in nodule.masks
        for index, m in masks.items()
    ]
    first = np.min([b[0] for b in boxes], axis=0) - pad
    shape = np.max([b[1] for b in boxes], axis=0) + pad - first
    volumes = []
    for masks in nodule.masks:
        volume = np.zeros(shape, bool)
        for index, mask in masks.items():
            volume[index - first[0]] = cut_out(mask, tuple(first[1:]), tuple(shape[1:]))
        volumes.append(volume)
    return volumes, tuple(int(v) for v in first)


def _signed_distance(volume: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Distance (mm) from the surface of ``volume``, negative inside."""
    outside = ndimage.distance_transform_edt(~volume, sampling=spacing)
    return outside - ndimage.distance_transform_edt(volume, sampling=spacing)
