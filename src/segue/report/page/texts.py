"""Markdown that stages wrote, on the page: data cards, and what is said above a table."""

import base64
import re
from pathlib import Path

from segue.report.page.libraries import library

_IMAGE = re.compile(r'src="([\w.-]+\.png)"')


def html(text: str) -> str:
    """Markdown with tables as HTML. HTML in it is shown as text: it may be of anybody's data."""
    markdown = library("markdown_it").MarkdownIt("commonmark", {"html": False})
    return markdown.enable("table").render(text)


def card(path: Path) -> str:
    """A data card as HTML, with its picture in it; its headings are two levels lower."""

    def embedded(found: re.Match) -> str:
        picture = path.with_name(found[1])
        if not picture.is_file():
            return found[0]
        data = base64.b64encode(picture.read_bytes()).decode()
        return f'src="data:image/png;base64,{data}" loading="lazy"'

    text = _IMAGE.sub(embedded, html(path.read_text(encoding="utf-8")))
    return re.sub(r"(</?h)([1-3])>", lambda found: f"{found[1]}{int(found[2]) + 2}>", text)


def introduction(path: Path) -> tuple[str, str]:
    """Title of a table in Markdown, and what is said above it as HTML; perhaps empty."""
    if not path.is_file():
        return "", ""
    title, _, rest = path.read_text(encoding="utf-8").partition("\n")
    said = re.split(r"^(?:\||## )", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return title.removeprefix("# "), html(said)
