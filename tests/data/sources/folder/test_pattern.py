"""Masks found by a pattern are those of their image, or nobody's."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.data.sources.folder.pattern import assign
from segue.errors import InputError


def _files(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def _assign(root, masks, *images, files):
    _files(root, *images, *files)
    listed = [(f"index.csv, line {i + 2}", root / image) for i, image in enumerate(images)]
    found, raters = assign(root, masks, listed)
    names = [
        [mask and mask.relative_to(root).as_posix() for mask in each]
        if not Path(masks).is_absolute()
        else [mask and mask.name for mask in each]
        for each in found
    ]
    return names, raters


def test_raters_are_what_the_star_stands_for(tmp_path):
    names, raters = _assign(
        tmp_path, "m/{stem}_*.png", "1.png", "10.png",
        files=["m/1_r10.png", "m/1_r2.png", "m/10_r2.png", "m/10_r10.png", "m/10_r1.jpg"],
    )  # fmt: skip
    assert raters == ["r2", "r10"]
    assert names == [["m/1_r2.png", "m/1_r10.png"], ["m/10_r2.png", "m/10_r10.png"]]


def test_a_rater_without_a_file_did_not_see_the_image(tmp_path):
    files = ["m/1_a.png", "m/1_b.png", "m/2_b.png"]
    names, _ = _assign(tmp_path, "m/{stem}_*.png", "1.png", "2.png", files=files)
    assert names == [["m/1_a.png", "m/1_b.png"], [None, "m/2_b.png"]]


def test_a_name_that_begins_like_another_does_not_get_its_masks(tmp_path):
    files = [f"m/{image}_{rater}.png" for image in ("p1", "p1_left", "p10") for rater in "ab"]
    images = ["p1.png", "p1_left.png", "p10.png"]
    names, raters = _assign(tmp_path, "m/{stem}_*.png", *images, files=files)
    assert raters == ["a", "b"]
    assert names == [[f"m/{Path(i).stem}_{r}.png" for r in "ab"] for i in images]


def test_masks_of_an_image_that_is_not_listed_are_not_taken_for_those_of_another(tmp_path):
    files = [f"m/{image}_{rater}.png" for image in ("p1", "p1_left", "p2") for rater in "ab"]
    with pytest.raises(InputError, match=r"is p1_left_a\.png the mask of p1\.png by.*'left_a'"):
        _assign(tmp_path, "m/{stem}_*.png", "p1.png", "p2.png", files=files)
    files = [f"n/{rater}-{image}.png" for image in ("p1", "old-p1", "p2") for rater in "ab"]
    with pytest.raises(InputError, match=r"the mask of p1\.png by the rater 'a-old'"):
        _assign(tmp_path, "n/*-{stem}.png", "p1.png", "p2.png", files=files)


@pytest.mark.parametrize(
    ("masks", "images", "files", "expected"),
    [
        ("m/*/{stem}.png", ["1.png", "2.png"], ["m/b/1.png", "m/a/1.png", "m/a/2.png", "m/b/2.png"],
         [["m/a/1.png", "m/b/1.png"], ["m/a/2.png", "m/b/2.png"]]),
        ("{folder}/seg*.png", ["c1/image.png", "c2/image.png"],
         ["c1/seg0.png", "c1/seg1.png", "c2/seg0.png", "c2/seg1.png"],
         [["c1/seg0.png", "c1/seg1.png"], ["c2/seg0.png", "c2/seg1.png"]]),
        ("{folder}/m/{stem}_*.png", ["a/1.png", "b/1.png"],
         ["a/m/1_x.png", "b/m/1_x.png"], [["a/m/1_x.png"], ["b/m/1_x.png"]]),
        ("{folder}/{stem}_*.png", ["1.png", "2.png"], ["1_x.png", "2_x.png"],
         [["1_x.png"], ["2_x.png"]]),
        ("{stem}/{stem}-?.png", ["1.png", "2.png"], ["1/1-a.png", "2/2-a.png"],
         [["1/1-a.png"], ["2/2-a.png"]]),
        ("m/{stem}.png", ["x[1].png", "x1.png"], ["m/x[1].png", "m/x1.png"],
         [["m/x[1].png"], ["m/x1.png"]]),
    ],
)  # fmt: skip
def test_patterns_of_all_kinds(tmp_path, masks, images, files, expected):
    assert _assign(tmp_path, masks, *images, files=files)[0] == expected


def test_an_absolute_pattern(tmp_path):
    masks = f"{tmp_path}/m/{{stem}}_*.png"
    names, _ = _assign(tmp_path, masks, "1.png", "2.png", files=["m/1_a.png", "m/2_a.png"])
    assert names == [["1_a.png"], ["2_a.png"]]


@pytest.mark.parametrize(
    ("masks", "images", "files", "message"),
    [
        ("m/*.png", ["1.png"], ["m/1.png"], r"expected \{stem\}.*found neither in 'm/\*\.png'"),
        ("{parent}/s.png", ["1.png"], ["s.png"], r"found \{parent\} in"),
        ("m/{stem}_*.png", ["a/1.png", "b/1.png"], ["m/1_a.png"],
         r"line 3: 1_a\.png may be the mask of 1\.png and of 1\.png \(line 2\).*\{folder\}"),
        ("{folder}/*.png", ["c/1.png", "c/2.png"], ["c/seg.png"], "may be the mask of"),
        ("m/{stem}_*.png", ["1.png", "2.png"], ["m/1_a.png"],
         r"line 3: no mask of 2\.png: nothing matches m/2_\*\.png"),
        ("m/{stem}*.png", ["1.png", "2.png"], ["m/10_a.png", "m/1_a.png", "m/2_a.png"],
         r"is 10_a\.png the mask of 1\.png by the rater '0_a'"),
        ("m/{stem}_*.png", ["1.png", "2.png"], ["m/1_x7.png", "m/1_y3.png", "m/2_z1.png"],
         "another in every file, as in"),
        ("m/*/{stem}_*.png", ["1.png", "2.png"],
         ["m/a/1_b_c.png", "m/a_b/1_c.png", "m/a_b/2_c.png"], "both the mask of 'a_b_c'"),
    ],
)  # fmt: skip
def test_what_may_be_of_several_images_is_refused(tmp_path, masks, images, files, message):
    with pytest.raises(InputError, match=message):
        _assign(tmp_path, masks, *images, files=files)


@given(
    stems=st.lists(st.text("ab_1", min_size=1, max_size=4), min_size=2, max_size=5, unique=True),
    absent=st.integers(0, 4),
)
def test_no_image_ever_gets_a_mask_that_was_made_for_another(tmp_path_factory, stems, absent):
    """Whether it is listed or not; refusing is allowed, a wrong mask is not."""
    root = tmp_path_factory.mktemp("x")
    files = {f"m/{stem}_{rater}.png": stem for stem in stems for rater in ("x", "y")}
    if len(files) < 2 * len(stems):  # p_x's mask by y is p's by x_y: one file for both
        return
    listed = [stem for i, stem in enumerate(stems) if i != absent]
    try:
        names, _ = _assign(root, "m/{stem}_*.png", *(f"{s}.png" for s in listed), files=files)
    except InputError:
        return
    for stem, masks in zip(listed, names, strict=True):
        assert [files[mask] for mask in masks if mask] == [stem, stem]
