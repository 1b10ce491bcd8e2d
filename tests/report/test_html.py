"""Markdown pages as HTML."""

from html.parser import HTMLParser

import pandas as pd
import pytest

from segue.errors import InputError
from segue.report.html import html, write

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002"
    "000001e221bc330000000049454e44ae426082"
)


class _Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.cells = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, text):
        if self.found and self.found[-1][0] in ("th", "td") and text.strip():
            self.cells.append(text)


def test_a_table_is_a_table(tmp_path):
    table = pd.DataFrame({"cell": ["ssn × none", "a_b_c"], "rank": ["1.0 [0.5, 2.0]", "–"]})
    page = html("# Ranks\n\nWords.\n\n" + table.to_markdown(index=False), tmp_path)
    assert "<title>Ranks</title>" in page
    tags = _Tags(page)
    assert [tag for tag, _ in tags.found].count("tr") == 3
    assert tags.cells == [*table.columns, *table.to_numpy().ravel()]


def test_html_in_a_name_is_text(tmp_path):
    page = html("# <script>alert(1)</script> & more\n\n<img src=x onerror=y>\n", tmp_path)
    assert not {"script", "img"} & {tag for tag, _ in _Tags(page).found}
    assert "&lt;script&gt;" in page


def test_a_picture_is_in_the_page_which_asks_nothing_of_any_host(tmp_path):
    (tmp_path / "a.png").write_bytes(PIXEL)
    write(tmp_path / "card.md", "# Card\n\n![A picture](a.png)\n")
    page = (tmp_path / "card.html").read_text()
    ((_, image),) = (each for each in _Tags(page).found if each[0] == "img")
    assert image["src"].startswith("data:image/png;base64,iVBOR")
    assert image["alt"] == "A picture"
    assert "http" not in page
    assert (tmp_path / "card.md").read_text().startswith("# Card")


def test_a_picture_that_is_missing_is_named_and_no_page_is_left(tmp_path):
    with pytest.raises(InputError, match=r"b\.png: no such picture"):
        write(tmp_path / "card.md", "![](b.png)\n")
    assert not list(tmp_path.iterdir())
