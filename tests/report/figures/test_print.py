"""What a journal wants of a figure: its width, type that can be read, and embedded fonts."""

import re
from importlib import import_module

import pytest
from matplotlib.text import Text

from segue import plugins
from segue.report import style
from segue.report.figures import ged_ncc
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


@EVERY
def test_it_has_the_width_of_print_room_type_and_labels(module, write_tables):
    tables = write_tables(PAIRS, ("lung", "phantom"), replicates=3)
    figure = import_module(plugins.module("figures", module)).compose(tables, LONG)
    figure.draw_without_rendering()
    # As wide as a column or a page, with nothing cut off.
    assert figure.get_figwidth() in (style.COLUMN, style.PAGE)
    box = figure.get_tightbbox()
    assert -0.01 <= box.x0 < box.x1 <= figure.get_figwidth() + 0.01
    assert -0.01 <= box.y0 < box.y1 <= figure.get_figheight() + 0.01
    # Panels have room, and type can be read.
    panels = [ax.get_window_extent() for ax in figure.axes if ax.get_visible()]
    assert min(min(box.width, box.height) for box in panels) / figure.dpi > 0.6
    texts = [t for t in figure.findobj(Text) if t.get_text()]
    assert min(text.get_fontsize() for text in texts) >= style.SMALL >= 5
    # Labels are printed in the place of names.
    printed = " ".join(text.get_text().replace("\n", " ") for text in texts)
    assert "Stochastic" in printed
    assert not re.search(r"\bssn\b", printed)


def test_a_pdf_has_its_fonts_its_width_and_no_date(write_tables, tmp_path, caplog):
    figure = ged_ncc.compose(write_tables())
    caplog.set_level("INFO")
    style.save(figure, tmp_path / "figure")
    assert not caplog.records  # which every job would have in its log
    content = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content
    width = float(re.search(rb"/MediaBox \[ 0 0 ([0-9.]+)", content)[1])
    assert width == pytest.approx(72 * style.COLUMN)


def test_a_name_without_a_label_is_printed_itself():
    names = Names.of({"captions": {"lung": "CT"}, "epistemic": {"swag": "SWAG"}})
    assert names.dataset("lung") == "lung (CT)"
    assert names.cell("ssn", "swag") == "ssn × SWAG"
    assert Names.of(None).dataset("lung") == "lung"
