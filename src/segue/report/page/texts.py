"""Markdown that stages wrote, on the page: data cards, and what is said above a table."""

import base64
import re
from pathlib import Path

from segue.report.page.libraries import library

_IMAGE = re.compile(r'<img src="([^"]*)" alt="([^"]*)"[^>]*>')
_OWN = re.compile(r"[\w.-]+\.png")


def html(text: str) -> str:
    """Markdown with tables as HTML. HTML in it is shown as text: it may be of anybody's data."""
    markdown = library("markdown_it").MarkdownIt("commonmark", {"html": False})
    return markdown.enable("table").render(text)


def card(path: Path) -> str:
    """A data card as HTML; its headings are two levels lower.

    Its picture is in it. Any other, which a page would have to ask for, is said in words.
    """

    def embedded(found: re.Match) -> str:
        if not _OWN.fullmatch(found[1]) or not path.with_name(found[1]).is_file():
            return found[2]
        data = base64.b64encode(path.with_name(found[1]).read_bytes()).decode()
        return f'<img src="data:image/png;base64,{data}" alt="{found[2]}">'

    text = _IMAGE.sub(embedded, html(path.read_text(encoding="utf-8")))
    return re.sub(r"(</?h)([1-3])>", lambda found: f"{found[1]}{int(found[2]) + 2}>", text)


def introduction(path: Path) -> tuple[str, str]:
    """Title of a table in Markdown, and what is said above it as HTML; perhaps empty."""
    if not path.is_file():
        return "", ""
    title, _, rest = path.read_text(encoding="utf-8").partition("\n")
    said = re.split(r"^(?:\||## )", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return title.removeprefix("# "), html(said)
