import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.data.contours.database import Annotation, Outline, Scan
from segue.data.contours.masks import Mask, cut_out
from segue.data.contours.nodules import (
    Nodule,
    all_nodules,
    assign_slots,
    cluster,
    labels,
    nodules,
    window_origin,
)


def annotation(key, row, column, *, z=0.0, side=5):
    """Outline around a square, as one radiologist drew it in one slice."""
    corners = np.array([(0, 0), (0, side - 1), (side - 1, side - 1), (side - 1, 0)])
    return Annotation(key, (3,) * 9, [Outline(True, z, np.add(corners, (row, column)))])


def scan(*annotations, spacing=1.0, thickness=3.0, step=3.0):
    positions = np.arange(0, 60, step)
    return Scan(1, "LIDC-IDRI-0001", spacing, thickness, False, positions, list(annotations))


def groups(of):
    return [[a.id for a in group] for group in cluster(of)]


def mask(row, column, height, width):
    return Mask(row, column, np.ones((height, width), bool))


@pytest.fixture(scope="module")
def everything():
    return all_nodules()


def test_outlines_within_the_slice_thickness_are_one_nodule():
    assert groups(scan(annotation(1, 10, 10), annotation(2, 10, 17))) == [[1, 2]]
    assert groups(scan(annotation(1, 10, 10), annotation(2, 10, 18))) == [[1], [2]]


def test_distance_is_in_mm_not_in_pixels():
    six_pixels_apart = (annotation(1, 10, 10), annotation(2, 10, 20))
    assert groups(scan(*six_pixels_apart, spacing=0.5)) == [[1, 2]]
    assert groups(scan(*six_pixels_apart, spacing=0.6)) == [[1], [2]]


def test_distance_along_z_counts():
    assert groups(scan(annotation(1, 10, 10), annotation(2, 10, 10, z=3))) == [[1, 2]]
    assert groups(scan(annotation(1, 10, 10), annotation(2, 10, 10, z=6))) == [[1], [2]]


def test_the_slice_spacing_counts_where_it_is_larger_than_the_thickness():
    pair = (annotation(1, 10, 10), annotation(2, 10, 10, z=5))
    assert groups(scan(*pair, thickness=1, step=5)) == [[1, 2]]
    assert groups(scan(*pair, thickness=1, step=3)) == [[1], [2]]


def test_outlines_that_touch_through_a_third_are_one_nodule():
    chain = [annotation(key, 10, 10 + 7 * key) for key in (1, 2, 3)]
    assert groups(scan(*chain)) == [[1, 2, 3]]


def test_the_tolerance_shrinks_until_no_group_has_more_than_four():
    left = [annotation(key, 10, 10) for key in (1, 2, 3)]
    right = [annotation(key, 10, 17) for key in (4, 5)]
    assert groups(scan(*left, *right)) == [[1, 2, 3], [4, 5]]
    assert groups(scan(*left, right[0])) == [[1, 2, 3, 4]]


def test_groups_that_no_tolerance_separates_stay_whole():
    assert groups(scan(*(annotation(key, 10, 10) for key in range(6)))) == [[0, 1, 2, 3, 4, 5]]


def test_an_annotation_without_a_mask_is_no_rater():
    point = Annotation(2, (3,) * 9, [Outline(True, 0.0, np.array([[12, 12]]))])
    (found,) = nodules(scan(annotation(1, 10, 10), point))
    assert len(found.masks) == 1
    assert nodules(scan(point)) == []


def test_up_to_four_annotations_have_a_slot_each():
    annotations = [{0: mask(0, 0, 2, 2)}, {1: mask(0, 0, 2, 2)}]
    assert assign_slots(annotations) == annotations


def test_annotations_that_do_not_overlap_share_a_slot_in_larger_groups():
    left = [{0: mask(0, 0, 6 + n, 6)} for n in range(3)]
    right = [{0: mask(0, 20, 5, 5)}, {0: mask(0, 21, 4, 4)}]
    slots = assign_slots([*left, *right])
    assert len(slots) == 4
    whole = [cut_out(s[0], (0, 0), (30, 30)) for s in slots]
    total = sum(int(m[0].pixels.sum()) for m in (*left, *right))
    assert sum(int(w.sum()) for w in whole) == total  # nothing is lost, no slot overlaps itself
    assert sum(bool(w[:, 20:].any()) for w in whole) == 2


def test_the_window_is_centred_on_the_union_of_the_masks():
    masks = [{0: mask(100, 200, 11, 5)}, {0: mask(104, 202, 17, 13)}]  # rows 100-120, cols 200-214
    nodule = Nodule(scan(), 0, np.ones((2, 9)), masks)
    assert window_origin(nodule, 0, 32) == (110 - 16, 207 - 16)


@given(st.integers(0, 505), st.integers(0, 505), st.sampled_from([16, 32, 128, 512]))
def test_the_window_lies_inside_the_slice_and_shows_the_mask(row, column, side):
    nodule = Nodule(scan(), 0, np.ones((1, 9)), [{0: mask(row, column, 7, 7)}])
    origin = window_origin(nodule, 0, side)
    assert 0 <= min(origin) <= max(origin) <= 512 - side
    assert labels(nodule, 0, seed=0, side=side).sum() == 49


def test_a_rater_keeps_the_slot_in_all_slices_of_a_nodule():
    masks = [{k: mask(100, 100, 3 + rater, 3) for k in range(5)} for rater in range(3)]
    nodule = Nodule(scan(), 0, np.ones((3, 9)), masks)
    areas = {tuple(labels(nodule, k, seed=7, side=32).sum((1, 2))) for k in range(5)}
    assert len(areas) == 1
    assert sorted(areas.pop()) == [0, 9, 12, 15]


def test_slots_are_shuffled_anew_for_each_nodule():
    masks = [{0: mask(100, 100, 3, 3)}]
    slots = [
        int(
            labels(Nodule(scan(), n, np.ones((1, 9)), masks), 0, seed=7, side=32)
            .any((1, 2))
            .argmax()
        )
        for n in range(400)
    ]
    # Binomial(400, 1/4): a slot is four standard deviations off in one run of 4000, seeds fixed.
    assert np.abs(np.bincount(slots, minlength=4) - 100).max() < 35


def test_a_rater_who_did_not_outline_a_slice_has_an_empty_mask():
    nodule = Nodule(scan(), 0, np.ones((2, 9)), [{0: mask(9, 9, 3, 3)}, {1: mask(9, 9, 2, 2)}])
    assert nodule.slices == [0, 1]
    assert sorted(labels(nodule, 0, seed=0, side=16).sum((1, 2))) == [0, 0, 0, 9]
    assert sorted(labels(nodule, 1, seed=0, side=16).sum((1, 2))) == [0, 0, 0, 4]


def test_the_file_gives_the_published_number_of_nodules(everything):
    assert len(everything) == 2651
    assert sum(len(nodule.slices) for nodule in everything) == 15739


def test_few_groups_have_more_annotations_than_raters(everything):
    assert sum(len(nodule.ratings) > 4 for nodule in everything) == 14
    assert max(len(nodule.masks) for nodule in everything) == 4


def test_raters_disagree_as_in_the_published_dataset(everything):
    """Known: shares .308, .181, .179, .332 of 1 to 4 masks, and IoU .636 of two raters' masks."""
    marked, ious = [], []
    for nodule in everything:
        for index in nodule.slices:
            here = [m[index] for m in nodule.masks if index in m]
            marked.append(len(here))
            pairs = [_iou(a, b) for n, a in enumerate(here) for b in here[:n]]
            if pairs:
                ious.append(np.mean(pairs))
    shares = np.bincount(marked, minlength=5)[1:] / len(marked)
    np.testing.assert_allclose(shares, (0.308, 0.181, 0.179, 0.332), atol=6e-4)
    assert np.mean(ious) == pytest.approx(0.636, abs=6e-4)


def _iou(first, second):
    part = cut_out(second, (first.row, first.column), first.pixels.shape)
    shared = (part & first.pixels).sum()
    return shared / (first.pixels.sum() + second.pixels.sum() - shared)
