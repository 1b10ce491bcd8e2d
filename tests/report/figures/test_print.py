"""What a journal wants of a figure: its width, type that can be read, and embedded fonts."""

import re
from importlib import import_module

import pytest

from segue import plugins
from segue.report import style
from segue.report.names import Names

FIGURES = [
    name
    for name in plugins.available("figures")
    if plugins.literal(plugins.module("figures", name), "KIND", "") == "tables"
]
PAIRS = [
    (aleatoric, epistemic)
    for aleatoric in ("softmax", "ssn", "prob_unet", "diffusion")
    for epistemic in ("none", "dropout", "swag_diag", "swag", "ensemble")
    if (aleatoric, epistemic) != ("softmax", "none")
]
LONG = Names(
    captions={"lung": "a caption that goes on and on, as captions do, for more than one line"},
    datasets={"lung": "Lung nodules"},
    aleatoric={"ssn": "Stochastic segmentation network"},
    epistemic={"none": "A single setting of the weights, no hypotheses"},
)
EVERY = pytest.mark.parametrize("module", FIGURES)


@pytest.fixture
def drawn(module, write_tables):
    def draw(names=LONG, datasets=("lung", "phantom")):
        tables = write_tables(PAIRS, datasets, replicates=3)
        figure = import_module(plugins.module("figures", module)).compose(tables, names)
        figure.draw_without_rendering()
        return figure

    return draw


@EVERY
def test_it_is_as_wide_as_a_column_or_a_page_and_nothing_is_cut_off(drawn):
    figure = drawn()
    assert figure.get_figwidth() in (style.COLUMN, style.PAGE)
    box = figure.get_tightbbox()
    assert -0.01 <= box.x0 < box.x1 <= figure.get_figwidth() + 0.01
    assert -0.01 <= box.y0 < box.y1 <= figure.get_figheight() + 0.01


@EVERY
def test_its_type_can_be_read(drawn):
    texts = [text for text in drawn().findobj(lambda a: hasattr(a, "get_fontsize"))]
    assert min(text.get_fontsize() for text in texts if text.get_text()) >= style.SMALL >= 5


@EVERY
def test_panels_keep_room_for_what_they_show(drawn):
    sizes = [ax.get_window_extent() for ax in drawn().axes if ax.get_visible()]
    assert min(min(box.width, box.height) for box in sizes) / drawn().dpi > 0.6


@EVERY
def test_labels_are_printed_in_the_place_of_names(drawn):
    figure = drawn()
    texts = [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_fontsize"))]
    printed = "\n".join(texts).replace("\n", " ")
    assert "Stochastic" in printed
    assert not re.search(r"\bssn\b", printed)


@pytest.mark.parametrize("module", ["ged_ncc", "au_eu_map"])
def test_its_pdf_has_its_fonts_its_width_and_no_date(drawn, module, tmp_path):
    figure = drawn()
    style.save(figure, tmp_path / "figure")
    content = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content
    width = float(re.search(rb"/MediaBox \[ 0 0 ([0-9.]+)", content)[1])
    assert width == pytest.approx(72 * figure.get_figwidth())


def test_a_name_without_a_label_is_printed_itself():
    names = Names.of({"captions": {"lung": "CT"}, "epistemic": {"swag": "SWAG"}})
    assert names.dataset("lung") == "lung (CT)"
    assert names.cell("ssn", "swag") == "ssn × SWAG"
    assert Names.of(None).dataset("lung") == "lung"
