"""Colours, markers and files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from segue.report import style

NAMES = st.lists(st.text("abcdefgh_", min_size=1), unique=True, max_size=40)


def test_the_study_s_names_have_the_colours_of_the_protocol():
    assert style.colours(style.COLOURS) == style.COLOURS
    assert list(style.COLOURS) == ["none", "dropout", "swag_diag", "swag", "ensemble"]
    assert style.markers(style.MARKERS) == style.MARKERS


@given(NAMES)
def test_every_method_has_a_look_of_its_own(names):
    names = [*names, *style.COLOURS, *style.MARKERS]
    for looks in (style.colours(names), style.markers(names)):
        assert set(looks) == set(names)
        assert len(set(looks.values())) == len(looks)


@given(NAMES, st.randoms())
def test_looks_do_not_depend_on_the_order_of_the_names(names, random):
    shuffled = random.sample(names, len(names))
    assert style.colours(names) == style.colours(shuffled)
    assert style.markers(names) == style.markers(shuffled)


def test_a_figure_that_cannot_be_drawn_leaves_no_file(tmp_path):
    figure = Figure()
    figure.suptitle(r"$\nosuchcommand$")
    with pytest.raises(ValueError, match="nosuchcommand"):
        style.save(figure, tmp_path / "figures" / "broken")
    assert list((tmp_path / "figures").iterdir()) == []


@pytest.mark.parametrize("name", ["a.b", "a.b.svg", "a.b.pdf"])
def test_a_path_with_an_ending_is_as_good_as_one_without(name, tmp_path):
    style.save(Figure(figsize=(1, 1)), tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.b.pdf", "a.b.png", "a.b.svg"]
