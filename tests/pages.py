"""The pages of the documentation, and the examples in them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
TEXTS = [*PAGES, *ROOT.glob("*.md"), ROOT / "results/README.md"]

FENCE = re.compile(
    r"^(?:<!-- not run: (?P<why>[^>]+) -->\n)?"
    r"(?P<fence>`{3,})(?P<kind>\S*)\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
PAGE_IS_NOT_RUN = re.compile(r"^<!-- no example here is run: \S.+ -->$", re.MULTILINE)


class Block(NamedTuple):
    """An example: its language, its text, and whether a test is to run it."""

    kind: str
    text: str
    run: bool


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    run = not PAGE_IS_NOT_RUN.search(text)
    return [
        Block(found["kind"], found["text"], run and not found["why"])
        for found in FENCE.finditer(text)
    ]


def path_of(path: Path) -> str:
    """A path of the project, for the name of a test."""
    return str(path.relative_to(ROOT))
