"""How a page is put together: its template, and scripts and data that nothing in them can end."""

import json
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2

from segue.errors import InputError

ASSETS = Path(__file__).parent / "assets"
_SCRIPTS = ("page.js", "tables.js", "images.js")


def framed(data: Any, **content: Any) -> str:
    """The page as text.

    Args:
        data: what its scripts read, as JSON.
        content: what the template shows.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("page.html").render(
        **content,
        json=as_json(data),
        style=(ASSETS / "style.css").read_text(encoding="utf-8"),
        vega=_vega(),
        scripts=[as_script((ASSETS / name).read_text(encoding="utf-8")) for name in _SCRIPTS],
        version=version("segue"),
    )


@cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script, which takes half a second to put together.

    Raises:
        InputError: what brings them is not installed.
    """
    try:
        import vl_convert  # which the light install does not bring
    except ModuleNotFoundError as error:
        raise InputError(f"{error}; a report needs more: pip install 'segue[report]'") from error
    return as_script(vl_convert.javascript_bundle())


def as_script(text: str) -> str:
    """A script as it stands in a page, where no string in it may end it."""
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def as_json(data: Any) -> str:
    """JSON as it stands in a page: no letter of it begins a tag."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
