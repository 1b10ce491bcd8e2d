import numpy as np
import pytest

from segue import seeds
from segue.data.contours.database import Scan
from segue.data.sources.lidc_contours.chest import Chest, Place
from segue.data.sources.lidc_contours.fields import Window
from segue.data.sources.lidc_contours.tubes import (
    Tubes,
    draw_tubes,
    feeding_vessel,
    grow_spicules,
    grow_vessels,
)

WINDOW = Window(236, 236, 40, 0.5)  # 20 mm about the middle
SLAB = {"z": 0.0, "thickness": 1.0, "blur": 0.5}


def tube(start, end, radius=2.0, end_radius=None):
    radii = (np.array([radius]), np.array([radius if end_radius is None else end_radius]))
    return Tubes(np.array([start], float), np.array([end], float), *radii)


def test_a_tube_across_the_slice_is_a_disc():
    share = draw_tubes(tube((-30, 0, 0), (30, 0, 0)), WINDOW, **SLAB)
    distance = np.hypot(WINDOW.y[:, None], WINDOW.x)
    assert share[distance < 1.2].min() > 0.95
    assert share[distance > 4].max() < 1e-3
    assert 0.5 * 0.5 * share.sum() == pytest.approx(np.pi * 2**2, rel=0.1)


def test_a_tube_in_the_slice_is_a_band_from_end_to_end():
    share = draw_tubes(tube((0, 0, -5), (0, 0, 5)), WINDOW, **SLAB)
    middle = np.abs(WINDOW.y).argmin()
    assert share[middle, np.abs(WINDOW.x) < 4].min() > 0.95
    assert share[middle, np.abs(WINDOW.x) > 9].max() < 1e-3
    assert share[np.abs(WINDOW.y) > 4].max() < 1e-3


def test_a_tube_above_the_slice_is_not_seen():
    assert draw_tubes(tube((3, 0, -5), (3, 0, 5)), WINDOW, **SLAB).max() == 0


def test_a_thin_tube_fills_a_thick_slice_in_part():
    thin = tube((0, 0, -5), (0, 0, 5), radius=0.8)
    in_thin, in_thick = (
        draw_tubes(thin, WINDOW, z=0.0, thickness=t, blur=0.5).max() for t in (1.0, 5.0)
    )
    assert in_thick < 0.5 < in_thin


def test_a_tube_tapers():
    share = draw_tubes(tube((0, 0, -8), (0, 0, 8), radius=3, end_radius=0.5), WINDOW, **SLAB)
    width = (share > 0.5).sum(0)
    assert width[np.abs(WINDOW.x + 7).argmin()] > 2 * width[np.abs(WINDOW.x - 7).argmin()]


def test_where_tubes_cross_the_larger_share_counts():
    one, other = tube((0, 0, -9), (0, 0, 9)), tube((0, -9, 0), (0, 9, 0))
    both = draw_tubes(one.join(other), WINDOW, **SLAB)
    singly = [draw_tubes(t, WINDOW, **SLAB) for t in (one, other)]
    np.testing.assert_array_equal(both, np.maximum(*singly))


def test_a_window_shows_its_part_of_a_larger_one():
    tubes = tube((-2, -7, -6), (2, 8, 5), radius=1.5)
    small = draw_tubes(tubes, Window(246, 241, 16, 0.5), **SLAB)
    np.testing.assert_allclose(small, draw_tubes(tubes, WINDOW, **SLAB)[10:26, 5:21], atol=0.02)


@pytest.fixture(scope="module")
def chest():
    scan = Scan(1, "LIDC-IDRI-0001", 0.7, 1.25, False, np.arange(0, 300, 1.25), [])
    return Chest.draw(seeds.rng(0), scan)


@pytest.fixture(scope="module")
def vessels(chest):
    place = {"centre": np.array([150.0, 6.0, -75.0]), "half": np.array([10.0, 30.0, 30.0])}
    return grow_vessels(seeds.rng(1), chest, lung_height=300.0, **place)


def test_vessels_start_in_the_lung_and_taper(chest, vessels):
    z, y, x = vessels.start[: len(vessels.start) // 8].T
    assert (chest.lung_distance(y, x, Place(z / 300, z)) < 0).mean() > 0.9
    assert (vessels.end_radius < vessels.start_radius).all()
    assert vessels.start_radius.max() < 10


def test_vessels_are_connected_pieces(vessels):
    ends = {tuple(p) for p in np.round(vessels.end, 6)}
    seeded = sum(tuple(p) not in ends for p in np.round(vessels.start, 6))
    assert 0 < seeded < len(vessels.start) / 7


def test_the_feeding_vessel_ends_in_the_nodule(vessels):
    centre = np.array([150.0, 6.0, -75.0])
    branch = feeding_vessel(seeds.rng(2), vessels, centre)
    np.testing.assert_allclose(branch.end[-1], centre, atol=1e-6)
    assert np.linalg.norm(vessels.start - branch.start[0], axis=1).min() < 1e-6
    np.testing.assert_array_equal(branch.start[1:], branch.end[:-1])


def test_the_more_spiculated_a_nodule_is_rated_the_more_spicules_it_has():
    def count(spiculation):
        drawn = [
            grow_spicules(seeds.rng(s), centre=np.zeros(3), radius=5.0, spiculation=spiculation)
            for s in range(30)
        ]
        return sum(len(d.start) for d in drawn)

    assert count(1.0) == 0
    assert 0 < count(3.0) < count(5.0)


def test_spicules_point_outwards_from_the_surface():
    centre = np.array([1.0, 2.0, 3.0])
    spicules = grow_spicules(seeds.rng(0), centre=centre, radius=5.0, spiculation=5.0)
    inner, outer = (np.linalg.norm(p - centre, axis=1) for p in (spicules.start, spicules.end))
    assert (inner < 5).all()
    assert (outer > 5).all()
