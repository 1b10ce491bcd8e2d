"""Markdown pages as HTML, one file each that needs no other and asks nothing of any host."""

import base64
from collections.abc import Callable
from pathlib import Path

from markdown_it import MarkdownIt

from segue.errors import InputError
from segue.files import replacing

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem; color: #1a1a1a; background: #fff; }}
p, ul {{ max-width: 50rem; }}
h1 {{ font-size: 1.4rem; }}
h2 {{ font-size: 1.1rem; margin-top: 2rem; }}
table {{ border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .3rem .8rem; border-bottom: 1px solid #ddd; text-align: left; }}
th {{ position: sticky; top: 0; background: #f3f3f3; border-bottom: 2px solid #999; }}
th:empty {{ padding: 0; border: 0; }}
tbody tr:hover {{ background: #f6f9fc; }}
img {{ max-width: 100%; }}
</style>
</head>
<body>
{body}</body>
</html>
"""


def write(out: Path, markdown: str) -> None:
    """Write Markdown to ``out``, and as an HTML page beside it.

    Args:
        out: path of the new page, which ends in ``.md``; images that it names lie beside it.
        markdown: its text; HTML in it is text too.

    Raises:
        InputError: an image that it names is not there.
    """
    page = html(markdown, out.parent)
    with replacing(out) as file:
        file.write(markdown)
    with replacing(out.with_suffix(".html")) as file:
        file.write(page)


def html(markdown: str, folder: Path) -> str:
    """The page; its title is the first heading. Args and errors: ``write``'s."""
    title, body = rendered(markdown, lambda name: embedded(folder / name))
    title = title.translate({ord("&"): "&amp;", ord("<"): "&lt;"})
    return _PAGE.format(title=title, body=body)


def rendered(markdown: str, picture: Callable[[str], str | None]) -> tuple[str, str]:
    """The first heading of Markdown, as it is written, and all of it as HTML.

    Args:
        markdown: perhaps with tables; HTML in it is text, for it may be of anybody's data.
        picture: takes what an image is called by, and gives the URI that it is found at; of None,
            what the image shows is said in words.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    headings = (
        tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"
    )
    for token in (part for each in tokens for part in each.children or ()):
        if token.type == "image":
            if uri := picture(str(token.attrs["src"])):
                token.attrs["src"] = uri
            else:
                token.type = "text"
    return next(headings, ""), parser.renderer.render(tokens, parser.options, {})


def embedded(image: Path) -> str:
    """A PNG image as a data URI.

    Raises:
        InputError: it is not there.
    """
    try:
        content = image.read_bytes()
    except OSError as error:
        raise InputError(f"{image}: no such picture, which a page is to show") from error
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
