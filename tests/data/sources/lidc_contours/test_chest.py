import numpy as np
import pytest

from segue import seeds
from segue.data.contours.database import Scan
from segue.data.sources.lidc_contours.chest import Chest, Place
from segue.data.sources.lidc_contours.fields import Window

SPACING = 0.7
MIDDLE = Place(0.5, 150.0)


def chest(seed, contrast=False):
    scan = Scan(1, "LIDC-IDRI-0001", SPACING, 1.25, contrast, np.arange(0, 300, 1.25), [])
    return Chest.draw(seeds.rng(seed), scan)


def mm(row, column):
    return (row - 256) * SPACING, (column - 256) * SPACING


SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_lungs_lie_on_both_sides_of_the_spine(seed):
    points = np.array([mm(265, 146), mm(265, 378), mm(345, 256), mm(10, 10)]).T
    right, left, spine, outside = chest(seed).lung_distance(*points, MIDDLE)
    assert max(right, left) < -10
    assert min(spine, outside) > 0


def test_distances_on_a_window_are_those_at_its_pixels():
    window = Window(200, 100, 48, SPACING)
    tissue = chest(0).tissue(window, MIDDLE)
    y, x = np.meshgrid(window.y, window.x, indexing="ij")
    at_pixels = chest(0).lung_distance(y.ravel(), x.ravel(), MIDDLE)
    np.testing.assert_allclose(tissue.distance.ravel(), at_pixels, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_densities_are_those_of_lung_and_of_soft_tissue_bone_and_air(seed):
    tissue = chest(seed).tissue(Window(0, 0, 512, SPACING), MIDDLE)
    lung = tissue.hu[tissue.distance < -5]
    wall = tissue.hu[(tissue.distance > 2) & (tissue.distance < 15)]
    assert -980 < lung.mean() < -760
    assert -100 < np.median(wall) < 250
    assert tissue.hu.min() > -1150
    assert 300 < tissue.hu.max() < 1200  # cortical bone
    assert tissue.hu[:8, :8].mean() == pytest.approx(-1000, abs=20)  # a corner is outside the body


def test_the_share_of_lung_is_the_side_of_its_surface():
    tissue = chest(1).tissue(Window(150, 60, 128, SPACING), MIDDLE)
    np.testing.assert_array_equal(tissue.lung > 0.5, tissue.distance < 0)
    assert tissue.lung.min() >= 0
    assert tissue.lung.max() <= 1


def test_contrast_agent_brightens_the_mediastinum_and_not_the_lung():
    window = Window(0, 0, 512, SPACING)
    plain, enhanced = (chest(2, c).tissue(window, MIDDLE) for c in (False, True))
    change = enhanced.hu - plain.hu
    assert change.max() > 60
    assert np.abs(change[plain.distance < -5]).max() < 1e-3


def test_moving_the_template_moves_the_lung():
    here = np.array([mm(265, 146)]).T
    moved = MIDDLE._replace(shift=(0.0, -120.0))
    assert chest(3).lung_distance(*here, MIDDLE)[0] < 0
    assert chest(3).lung_distance(*here, moved)[0] > 0


def test_points_at_several_heights_are_measured_each_at_its_own():
    heights = np.array([0.05, 0.4, 0.95])
    y, x = np.full(3, 30.0), np.full(3, -75.0)
    z = 300 * heights
    together = chest(4).lung_distance(y, x, Place(heights, z))
    singly = [
        chest(4).lung_distance(y[i : i + 1], x[i : i + 1], Place(heights[i], z[i]))[0]
        for i in range(3)
    ]
    np.testing.assert_allclose(together, singly)
