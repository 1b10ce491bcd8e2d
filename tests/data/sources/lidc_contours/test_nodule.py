from dataclasses import replace

import numpy as np
import pytest

from segue import seeds
from segue.data.contours.database import RATINGS, Scan
from segue.data.contours.masks import Mask
from segue.data.contours.nodules import Nodule, cut_out
from segue.data.sources.lidc_contours.fields import Window
from segue.data.sources.lidc_contours.nodule import (
    density,
    draw_filling,
    draw_shape,
    mean_ratings,
    occupancy,
)

SCAN = Scan(1, "LIDC-IDRI-0001", 0.7, 1.25, False, np.arange(0, 300, 1.25), [])
WINDOW = Window(230, 230, 40, SCAN.spacing)
SOFT = {"internalStructure": 1, "calcification": 6, "texture": 5, "margin": 5, "subtlety": 5}


def ball(radius, row=250, slice_=100):
    """Masks of a ball of ``radius`` mm, by slice."""
    masks = {}
    side = int(radius / SCAN.spacing) + 1
    y = x = np.arange(-side, side + 1) * SCAN.spacing
    for step in range(-40, 41):
        height = step * SCAN.slice_spacing
        pixels = height**2 + y[:, None] ** 2 + x**2 <= radius**2
        if pixels.any():
            masks[slice_ + step] = Mask(row - side, 250 - side, pixels)
    return masks


def nodule(*masks, **ratings):
    rated = {name: 3 for name in RATINGS} | SOFT | ratings
    table = np.array([[rated[name] for name in RATINGS]] * len(masks), float)
    return Nodule(SCAN, 0, table, masks)


def hidden(of, seed, index=100):
    share, _ = occupancy(of, draw_shape(seeds.rng(seed), of), WINDOW, index)
    return share > 0.5


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_the_hidden_shape_is_near_the_outlines_and_follows_none():
    of = nodule(ball(6.0))
    outlined = cut_out(of.masks[0][100], (WINDOW.row, WINDOW.column), (40, 40))
    found = [iou(hidden(of, seed), outlined) for seed in range(20)]
    assert 0.8 < np.mean(found) < 0.97
    assert max(found) < 1


def test_the_hidden_shape_lies_between_two_outlines():
    of = nodule(ball(4.0), ball(8.0))
    radius = np.mean([np.sqrt(hidden(of, s).sum() / np.pi) * SCAN.spacing for s in range(20)])
    assert radius == pytest.approx(6, abs=0.4)


def test_raters_who_do_not_meet_leave_a_body_between_them():
    of = nodule(ball(3.0, row=246), ball(3.0, row=256))
    shape = draw_shape(seeds.rng(0), of)
    assert shape.distance.min() == pytest.approx(-0.4 * shape.radius, rel=1e-5)


def test_the_shape_knows_neither_how_many_raters_there_were_nor_their_order():
    first, second = ball(4.0), ball(6.0, row=252)
    reference = draw_shape(seeds.rng(0), nodule(first, second))
    for other in (nodule(second, first), nodule(first, second, first, second)):
        shape = draw_shape(seeds.rng(0), other)
        np.testing.assert_allclose(shape.distance, reference.distance, atol=1e-5)
        assert shape.centre == pytest.approx(reference.centre)
        assert (shape.radius, shape.offset, shape.edge) == pytest.approx(
            (reference.radius, reference.offset, reference.edge)
        )


def test_the_radius_is_that_of_a_ball_of_the_same_volume():
    assert draw_shape(seeds.rng(0), nodule(ball(7.0))).radius == pytest.approx(7, rel=0.03)


def test_a_sharp_margin_gives_a_narrower_edge():
    sharp, blurred = (draw_shape(seeds.rng(0), nodule(ball(5.0), margin=m)).edge for m in (5, 1))
    assert 5 * sharp < blurred


def test_outside_the_window_of_the_nodule_nothing_is_filled():
    of = nodule(ball(4.0))
    share, distance = occupancy(
        of, draw_shape(seeds.rng(0), of), Window(0, 0, 40, SCAN.spacing), 100
    )
    assert share.max() == 0
    assert distance.min() > 0


def test_a_shape_known_farther_beyond_the_outlines_is_the_same_and_ends():
    of = nodule(ball(4.0), margin=1)
    near, far = (draw_shape(seeds.rng(0), of, beyond=b) for b in (0.0, 10.0))
    for index in (98, 100, 103):
        a, b = (occupancy(of, shape, WINDOW, index)[0] for shape in (near, far))
        np.testing.assert_allclose(a, b, atol=1e-6)
    above = [
        occupancy(of, shape, WINDOW, 100 + 12 / SCAN.slice_spacing)[0] for shape in (near, far)
    ]
    assert above[0].max() > 0.05  # as at the last height that it knows
    assert above[1].max() < 0.03


def test_a_window_shows_its_part_of_a_larger_one():
    of = nodule(ball(6.0))
    shape = draw_shape(seeds.rng(0), of)
    large = occupancy(of, shape, WINDOW, 100)
    small = occupancy(of, shape, Window(245, 235, 16, SCAN.spacing), 100)
    for a, b in zip(large, small, strict=True):
        np.testing.assert_allclose(a[15:31, 5:21], b, atol=1e-6)


def hu(depth=0.9, **ratings):
    """Mean density at one depth (in radii), over several nodules of the same ratings."""
    of = nodule(ball(6.0), **ratings)
    means = []
    for seed in range(30):
        filling = draw_filling(seeds.rng(seed), of)
        at = np.full((WINDOW.side, WINDOW.side), depth)
        means.append(density(filling, at, WINDOW, z=125.0, contrast=False).mean())
    return np.mean(means)


def test_texture_decides_between_ground_glass_and_solid():
    assert hu(texture=1) == pytest.approx(-590, abs=50)
    assert hu(texture=5) == pytest.approx(25, abs=20)
    assert hu(texture=3, depth=0.1) < -400 < -100 < hu(texture=3, depth=0.9)


def test_the_internal_structure_decides_the_density():
    assert hu(internalStructure=2) == pytest.approx(5)
    assert hu(internalStructure=3) == pytest.approx(-85)
    assert hu(internalStructure=4) < -900


def test_calcifications_are_where_their_pattern_says():
    assert hu(calcification=3) > 200  # solid
    assert hu(calcification=5, depth=0.9) > 200 > 100 > hu(calcification=5, depth=0.05)  # central
    for pattern in (1, 2, 4):
        assert hu(calcification=pattern) > 60


def test_calcium_needs_a_majority_of_raters():
    of = nodule(ball(4.0), ball(4.0))
    column = RATINGS.index("calcification")
    of.ratings[0, column] = 3
    assert draw_filling(seeds.rng(0), of).calcification is None
    of.ratings[1, column] = 3
    assert draw_filling(seeds.rng(0), of).calcification == 3


def test_contrast_agent_brightens_the_solid_part():
    filling = replace(draw_filling(seeds.rng(0), nodule(ball(4.0))), solid=1.0)
    depth = np.zeros((WINDOW.side, WINDOW.side))
    plain, enhanced = (density(filling, depth, WINDOW, z=0.0, contrast=c) for c in (False, True))
    np.testing.assert_allclose(enhanced - plain, 35)


def test_ratings_are_averaged_over_the_annotations():
    of = nodule(ball(4.0), ball(4.0))
    of.ratings[0, RATINGS.index("subtlety")] = 2
    assert mean_ratings(of)["subtlety"] == 3.5
