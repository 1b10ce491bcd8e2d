"""Markdown that stages wrote, on the page: data cards, and what is said above a table."""

import re
from pathlib import Path

from segue.report.html import embedded, rendered

_OWN = re.compile(r"[\w.-]+\.png")


def card(path: Path) -> str:
    """A data card as HTML; its headings are two levels lower.

    Its picture is in it. Any other, which a page would have to ask for, is said in words.
    """

    def own(name: str) -> str | None:
        picture = path.with_name(name) if _OWN.fullmatch(name) else None
        return embedded(picture) if picture and picture.is_file() else None

    _, text = rendered(path.read_text(encoding="utf-8"), own)
    return re.sub(r"(</?h)([1-3])>", lambda found: f"{found[1]}{int(found[2]) + 2}>", text)


def introduction(path: Path) -> tuple[str, str]:
    """Title of a table in Markdown, and what is said above it as HTML; perhaps empty."""
    if not path.is_file():
        return "", ""
    title, _, rest = path.read_text(encoding="utf-8").partition("\n")
    said = re.split(r"^(?:\||## )", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return title.removeprefix("# "), rendered(said, lambda name: None)[1]
