"""The chest around a nodule: a deformable axial template, one random instance for each scan.

Two lungs cut by heart and diaphragm; outside them mediastinum, vertebra, ribs, wall, fat and skin.
The levels follow the positions of LIDC's nodules. Lengths of the template are in pixels of a
512-pixel field of view; everything else is in mm and Hounsfield units (HU).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segue.data.contours.database import SLICE_SIDE, Scan
from segue.data.sources.lidc_contours.fields import SmoothField, Window, blend, sigmoid

_AIR, _LUNG, _SOFT, _FAT, _SKIN = -1000.0, -860.0, 40.0, -95.0, 20.0

_HEIGHTS = (0, 0.35, 0.55, 0.75, 1)
_TEMPLATE = {  # at each height: row and column of the centre, half-axes along y and x
    "right": ((270, 262, 262, 275, 290), (128, 142, 148, 158, 172),
              (158, 172, 165, 140, 60), (100, 112, 106, 92, 45)),
    "left": ((272, 265, 265, 277, 290), (384, 372, 366, 355, 342),
             (158, 172, 165, 140, 60), (100, 112, 104, 92, 45)),
    "heart": ((235, 232, 225, 200, 190), (300, 300, 285, 262, 256),
              (118, 95, 55, 25, 10), (92, 72, 45, 30, 10)),
    "right dome": ((250, 242, 242, 255, 270), (140, 154, 160, 170, 184),
                   (112, 30, 1, 1, 1), (80.6, 21.6, 1, 1, 1)),
    "left dome": ((252, 245, 245, 257, 270), (372, 360, 354, 343, 330),
                  (112, 30, 1, 1, 1), (80.6, 21.6, 1, 1, 1)),
}  # fmt: skip
_LEAST_DOME = 35  # template pixels; below it the diaphragm is out of the slice


class Kernel(NamedTuple):
    """What the kernel that a scanner reconstructs with makes of a slice.

    Attributes:
        blur: standard deviation, in mm.
        noise: standard deviation at 1.25 mm thickness and pixels of 0.68 mm, in HU.
        cutoff: of the noise's spectrum, in 1/mm.
    """

    blur: float
    noise: float
    cutoff: float


_KERNELS = (Kernel(0.40, 62.0, 0.62), Kernel(0.52, 34.0, 0.44), Kernel(0.66, 20.0, 0.32))
"""Of the scanners of all splits but ``ood_kernel``, sharp to soft."""


class Place(NamedTuple):
    """Where an axial plane is: ``height`` 0 (base) to 1 (apex), ``z`` in mm.

    ``shift`` (y, x), in mm, moves the template so that a nodule comes to lie in the lung.
    """

    height: float | np.ndarray
    z: float | np.ndarray
    shift: tuple[float, float] = (0.0, 0.0)


class Tissue(NamedTuple):
    """What the template gives for a window; all (y, x): HU, share of lung, mm outside the lung."""

    hu: np.ndarray
    lung: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True, eq=False)
class Chest:
    """Random traits of one scan's chest and scanner; lengths in mm, densities in HU."""

    unit: float  # mm for each template pixel
    scale: float  # of the lungs' half-axes
    lung_hu: float
    gravity_hu: float
    wall: float
    fat: float
    rib_pitch: float
    rib_length: float
    rib_phase: float
    rib_hu: float
    kernel: Kernel
    noise: float
    emphysema: bool
    contrast: bool
    warp_y: SmoothField
    warp_x: SmoothField
    texture: SmoothField

    @classmethod
    def draw(cls, rng: np.random.Generator, scan: Scan) -> "Chest":
        """Draw the chest of one scan."""
        kernel = _KERNELS[rng.choice(len(_KERNELS), p=[0.25, 0.45, 0.30])]
        # Thin slices and small pixels collect fewer photons.
        noise = kernel.noise * np.sqrt(1.25 / max(scan.thickness, 0.6) * 0.68 / scan.spacing)
        warp = {"terms": 8, "wavelengths": (60, 160), "amplitude": 7}
        return cls(
            unit=scan.spacing,
            scale=rng.uniform(0.80, 0.95),
            lung_hu=rng.normal(_LUNG - 18, 32),
            gravity_hu=rng.uniform(5, 40),
            wall=rng.uniform(18, 34),
            fat=rng.uniform(4, 26),
            rib_pitch=rng.uniform(34, 50),
            rib_length=rng.uniform(16, 32),
            rib_phase=rng.uniform(0, 50),
            rib_hu=rng.uniform(350, 800),
            kernel=kernel,
            noise=noise * rng.uniform(0.7, 1.4),
            emphysema=rng.uniform() < 0.22,
            contrast=scan.contrast,
            warp_y=SmoothField.draw(rng, **warp),
            warp_x=SmoothField.draw(rng, **warp),
            texture=SmoothField.draw(rng, terms=14, wavelengths=(12, 60), amplitude=14),
        )

    def lung_distance(self, y: np.ndarray, x: np.ndarray, place: Place) -> np.ndarray:
        """Approximate signed distance (mm) from the lungs' surface, negative inside, at points.

        ``place`` may hold one height and z a point.
        """
        warp = [f.at(0.3 * np.asarray(place.z), y, x) for f in (self.warp_y, self.warp_x)]
        return self._lungs(y + warp[0], x + warp[1], place)[0]

    def tissue(self, window: Window, place: Place) -> Tissue:
        """Template tissue in a window, without vessels and nodule."""
        y, x = window.y, window.x
        warp = [f.on_grid(0.3 * place.z, y, x) for f in (self.warp_y, self.warp_x)]
        distance, on_right = self._lungs(y[:, None] + warp[0], x[None] + warp[1], place)
        texture = self.texture.on_grid(place.z, y, x)

        lung = self.lung_hu + self.gravity_hu * (y[:, None] / (150 * self.unit)) + texture
        if self.emphysema:
            pattern = self.texture.on_grid(place.z + 300, y + 90, x)
            lung = lung - 55 * sigmoid((pattern - 8) / 4)
        share = sigmoid(-distance / 0.35)
        outside = self._outside(window, place, distance, on_right)
        return Tissue(blend(outside, share, lung), share, distance)

    def _lungs(self, y: np.ndarray, x: np.ndarray, place: Place) -> tuple[np.ndarray, np.ndarray]:
        """Signed distance (mm) from the lungs at warped points; whether the right one is nearer."""
        y, x = y + place.shift[0], x + place.shift[1]
        level = {name: self._level(name, place.height) for name in _TEMPLATE}
        right, left = (
            _ellipse(y, x, level[side], power=2.4, scale=self.scale) for side in ("right", "left")
        )
        distance = np.maximum(np.minimum(right, left), -_ellipse(y, x, level["heart"], power=2.0))
        for name in ("right dome", "left dome"):
            seen = level[name][2] > _LEAST_DOME * self.unit
            if np.any(seen):
                dome = _ellipse(y, x, level[name], power=2.2)
                distance = np.where(seen, np.maximum(distance, -dome), distance)
        return distance, right < left

    def _level(self, name: str, height: float | np.ndarray) -> list[np.ndarray]:
        """Centre y, x and half-axes y, x, in mm, of one of the template's ellipses."""
        row, column, half_y, half_x = (np.interp(height, _HEIGHTS, v) for v in _TEMPLATE[name])
        centre = [(v - SLICE_SIDE / 2) * self.unit for v in (row, column)]
        return [*centre, half_y * self.unit, half_x * self.unit]

    def _outside(
        self, window: Window, place: Place, distance: np.ndarray, on_right: np.ndarray
    ) -> np.ndarray:
        """HU (y, x) of what surrounds the lungs."""
        y, x, z = window.y[:, None], window.x[None], place.z
        texture = self.texture.on_grid(2 * z, 2 * window.y, 2 * window.x)
        centre = [self._level(side, place.height)[1] for side in ("right", "left")]
        lateral = np.where(on_right, centre[0] - x, x - centre[1])
        angle = np.arctan2(y - 8 * self.unit, lateral)  # about the nearer lung, 0 = lateral
        medial = sigmoid((np.abs(angle) - 2) / 0.15)
        wall = self.wall * (1 + 0.25 * np.cos(2 * angle)) + 0.25 * texture

        hu = _SOFT + 10 + 0.7 * texture
        layers = sigmoid((distance - 9) / 1.5) * sigmoid((wall - distance) / 2)
        hu = hu - 60 * layers * sigmoid(texture / 3 - 2) * (1 - medial)
        hu = hu + self._ribs(angle, z, distance) * (1 - medial)
        depth = distance - wall
        hu = blend(hu, sigmoid(depth / 1.2) * (1 - medial), _FAT + 0.6 * texture)
        hu = blend(hu, sigmoid((depth - self.fat) / 0.7) * (1 - medial), _SKIN)
        hu = blend(hu, sigmoid((depth - self.fat - 2.2) / 0.7) * (1 - medial), _AIR)

        mediastinal_fat = sigmoid((texture - 5) / 2.5) * medial
        hu = hu - 120 * mediastinal_fat
        if self.contrast:
            vessels = sigmoid(
                (self.texture.on_grid(z, 1.3 * window.y + 40, 1.3 * window.x) + 2) / 2
            )
            hu = hu + 110 * vessels * (medial - mediastinal_fat * medial)
        radius = np.hypot((y - 88 * self.unit) / 24, x / 21)  # of the vertebra, 1 = its edge
        bone = 140 + 260 * sigmoid((radius - 0.82) / 0.06) + 3 * texture
        return hu + sigmoid((1 - radius) / 0.06) * bone

    def _ribs(self, angle: np.ndarray, z: float, distance: np.ndarray) -> np.ndarray:
        """HU that ribs add: they cross the slice at even steps along the wall, hard at the rim."""
        along = angle * 125 * self.unit + self.rib_phase + 0.55 * z
        along = along % self.rib_pitch - self.rib_pitch / 2
        across = (distance - 5.5) / 3.6
        radius = np.sqrt(across**2 + np.abs(along / (self.rib_length / 2)) ** 3)
        rim = sigmoid((radius - 0.62) / 0.12)
        return sigmoid((1 - radius) / 0.09) * (180 + rim * self.rib_hu)


def _ellipse(
    y: np.ndarray, x: np.ndarray, shape: list[np.ndarray], *, power: float, scale: float = 1.0
) -> np.ndarray:
    """Approximate signed distance (mm) from a super-ellipse, negative inside."""
    centre_y, centre_x, half_y, half_x = shape
    half_y, half_x = scale * half_y, scale * half_x
    rho = np.abs((y - centre_y) / half_y) ** power + np.abs((x - centre_x) / half_x) ** power
    return (rho ** (1 / power) - 1) * np.minimum(half_y, half_x)
