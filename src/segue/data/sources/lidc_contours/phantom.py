"""Simulated CT around real outlines: chest, vessels, nodule and scanner put together.

A picture is a pure function of the seed, the scan, the nodule and the slice. It knows of the
raters only what ``nodule.py`` says.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from segue import seeds
from segue.data.contours.database import SLICE_SIDE
from segue.data.contours.nodules import Nodule, window_origin
from segue.data.sources.lidc_contours.chest import Chest, Place, Tissue
from segue.data.sources.lidc_contours.fields import Window, blend, sigmoid
from segue.data.sources.lidc_contours.nodule import (
    Filling,
    Shape,
    density,
    draw_filling,
    draw_shape,
    mean_ratings,
    occupancy,
)
from segue.data.sources.lidc_contours.tubes import (
    Tubes,
    draw_tubes,
    feeding_vessel,
    grow_spicules,
    grow_vessels,
)


@dataclass(frozen=True, eq=False)
class Phantom:
    """One nodule, set up to be rendered slice by slice.

    Attributes:
        seed: of the whole dataset.
        side: of the windows, in pixels.
        shift: (y, x) of the chest, in mm, that brings the nodule into or onto the lung.
    """

    nodule: Nodule
    seed: int
    side: int
    chest: Chest
    shape: Shape
    filling: Filling
    vessels: Tubes
    spicules: Tubes
    shift: tuple[float, float]


def set_up(nodule: Nodule, *, seed: int, side: int) -> Phantom:
    """Draw all that the slices of a nodule share, for windows of ``side`` pixels."""
    scan = nodule.scan
    key = ("lidc_contours", scan.id, nodule.index)
    chest = Chest.draw(seeds.rng(seed, "lidc_contours", scan.id, "chest"), scan)
    shape = draw_shape(seeds.rng(seed, *key, "shape"), nodule)
    filling = draw_filling(seeds.rng(seed, *key, "filling"), nodule)
    ratings = mean_ratings(nodule)

    slice_, row, column = shape.centre
    plane = (np.array([row, column]) - SLICE_SIDE / 2) * scan.spacing
    centre = np.array([slice_ * scan.slice_spacing, *plane])
    shift = _find_lung(seeds.rng(seed, *key, "place"), chest, nodule, shape, centre)

    rng = seeds.rng(seed, *key, "vessels")
    half = np.array([shape.distance.shape[0] * scan.slice_spacing, *2 * [side * scan.spacing]]) / 2
    top = max(2, len(scan.positions)) * scan.slice_spacing
    vessels = grow_vessels(rng, chest, centre=centre, half=half, lung_height=top)
    fed = rng.uniform() < np.interp(ratings["subtlety"], (1, 5), (0.80, 0.35))
    if fed and len(vessels.start):
        vessels = vessels.join(feeding_vessel(rng, vessels, centre))
    spicules = grow_spicules(
        seeds.rng(seed, *key, "spicules"),
        centre=centre,
        radius=shape.radius,
        spiculation=ratings["spiculation"],
    )
    return Phantom(nodule, seed, side, chest, shape, filling, vessels, spicules, shift)


def render(phantom: Phantom, index: int) -> np.ndarray:
    """HU (y, x) of slice ``index`` in the window centred on the union of its masks."""
    window = window_of(phantom, index)
    hu, distance = anatomy(phantom, window, index)
    hu = ndimage.gaussian_filter(hu, phantom.chest.kernel.blur / window.spacing)
    return hu + noise(phantom, window, distance, noise_rng(phantom, index))


def window_of(phantom: Phantom, index: int) -> Window:
    """The window of slice ``index``, centred on the union of its masks."""
    nodule, side = phantom.nodule, phantom.side
    return Window(*window_origin(nodule, index, side), side, nodule.scan.spacing)


def anatomy(phantom: Phantom, window: Window, index: float) -> tuple[np.ndarray, np.ndarray]:
    """What is in a slice, before a scanner blurs it and adds noise.

    Args:
        phantom: the nodule and what surrounds it.
        window: to show.
        index: of the slice; a fraction is a height between two slices.

    Returns:
        HU and distance from the lung in mm, both (y, x).
    """
    chest, scan = phantom.chest, phantom.nodule.scan
    place = _place(phantom.nodule, index, phantom.shift)
    tissue = chest.tissue(window, place)
    slab = {"z": place.z, "thickness": scan.thickness, "blur": chest.kernel.blur}

    vessels = draw_tubes(phantom.vessels, window, **slab)
    inside = tissue.lung * sigmoid(-(tissue.distance + 1.5) / 1.5)
    hu = blend(tissue.hu, vessels * inside, 45 + 110 * scan.contrast)
    spicules = 0.55 * draw_tubes(phantom.spicules, window, **slab) * sigmoid(1 - tissue.distance)
    hu = hu - spicules * np.minimum(hu, 0) * tissue.lung
    return _insert(phantom, hu, tissue, window, index), tissue.distance


def noise_rng(phantom: Phantom, index: int, *shift: str) -> np.random.Generator:
    """Generator of the noise of slice ``index``; every ``shift`` has noise of its own."""
    nodule = phantom.nodule
    key = ("lidc_contours", nodule.scan.id, nodule.index, index, "noise", *shift)
    return seeds.rng(phantom.seed, *key)


def noise(
    phantom: Phantom, window: Window, distance: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Noise (y, x) of the phantom's scanner, in HU, at ``distance`` (y, x) mm from the lung."""
    hu = phantom.chest.noise * _band_pass(rng, window, phantom.chest.kernel.cutoff)
    # Dense tissue lets fewer photons through.
    return hu * (1 + 0.8 * sigmoid((distance - 4) / 4))


def _insert(
    phantom: Phantom, hu: np.ndarray, tissue: Tissue, window: Window, index: float
) -> np.ndarray:
    """``hu`` (y, x) with the nodule in it."""
    nodule, filling = phantom.nodule, phantom.filling
    share, distance = occupancy(nodule, phantom.shape, window, index)
    depth = np.clip(-distance / phantom.shape.radius, -1, 1.5)
    z = index * nodule.scan.slice_spacing
    target = density(filling, depth, window, z=z, contrast=nodule.scan.contrast)
    visibility = filling.visibility if filling.calcification is None else 1.0
    # In denser surroundings a nodule shows less, and outside the lung not at all.
    weight = np.where(target > hu, visibility, 0.6 * tissue.lung)
    return blend(hu, share * weight, target)


def _find_lung(
    rng: np.random.Generator, chest: Chest, nodule: Nodule, shape: Shape, centre: np.ndarray
) -> tuple[float, float]:
    """Shift (y, x), in mm, of the chest that brings the nodule's centre to a random depth in it.

    Descends along the gradient of the distance from the lung.
    """
    depth = shape.radius * rng.uniform(0.35, 1.3) + rng.uniform(0, 6) * (rng.uniform() < 0.8)
    shift = np.zeros(2)
    probes = np.array([[0, 0], [1, 0], [0, 1]])
    for _ in range(25):
        y, x = (centre[1:] + shift + probes).T
        place = _place(nodule, shape.centre[0], (0.0, 0.0))
        here, below, beside = chest.lung_distance(y, x, place)
        if here <= -depth:
            break
        gradient = np.array([below - here, beside - here])
        shift = shift - (here + depth) * gradient / (np.hypot(*gradient) + 1e-6)
    return float(shift[0]), float(shift[1])


def _place(nodule: Nodule, index: float, shift: tuple[float, float]) -> Place:
    """Where slice ``index`` lies in the chest."""
    height = np.clip(index / max(1, len(nodule.scan.positions) - 1), 0, 1)
    return Place(float(height), index * nodule.scan.slice_spacing, shift)


def _band_pass(rng: np.random.Generator, window: Window, cutoff: float) -> np.ndarray:
    """Noise (y, x) of variance 1 with the band-pass spectrum that the scanner's kernel leaves."""
    frequency = np.fft.fftfreq(window.side, window.spacing)  # in 1/mm
    radial = np.hypot(frequency[:, None], frequency)
    gain = radial**0.8 * np.exp(-((radial / cutoff) ** 2))
    white = rng.normal(size=gain.shape)
    return np.fft.ifft2(np.fft.fft2(white) * gain).real / np.sqrt((gain**2).mean())
