"""Pages whose content is the code's: config keys, options of plug-ins, the command, Python names.

A page's line ``<!-- generated: NAME -->`` is replaced by Markdown when the site is built.
"""

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config_keys import config_keys
from numpy.typing import ArrayLike
from plugin_options import plugin_options
from sphinx.application import Sphinx
from sphinx.util.typing import stringify_annotation

import segue
from segue import arguments

_LINE = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
_WIDTH = "100"  # columns of the command's help


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", _fill)
    app.connect("env-get-outdated", lambda *_: list(_pages(app)))
    app.connect("autodoc-process-signature", _short)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _pages(app: Sphinx) -> Iterator[str]:
    """Pages to make anew although their own file has not changed."""
    for name in app.env.found_docs:
        if _LINE.search(Path(app.env.doc2path(name)).read_text(encoding="utf-8")):
            yield name


def _short(app, what, name, object_, options, signature, returns) -> tuple[str | None, str | None]:
    """A signature with NumPy's name in the place of all that an array may be made of."""
    for mode in ("smart", "fully-qualified-except-typing"):
        if signature:
            signature = signature.replace(stringify_annotation(ArrayLike, mode), "ArrayLike")
    return signature, returns


def _fill(app: Sphinx, page: str, source: list[str]) -> None:
    content = {
        "config": config_keys,
        "options": plugin_options,
        "command": commands,
        "public": public_names,
    }
    source[0] = _LINE.sub(lambda found: "\n".join(content[found[1]]()), source[0])


def public_names() -> Iterator[str]:
    """What ``import segue`` gives."""
    yield "```{eval-rst}"
    for name in segue.__all__:
        one = isinstance(getattr(segue, name), type)
        yield f".. auto{'class' if one else 'function'}:: segue.{name}"
        yield "   :members:\n" if one else ""
    yield "```"


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command by its name, such as ``segue score``."""
    found, pending = {}, [("segue", arguments.parser())]
    while pending:
        name, parser = pending.pop(0)
        found[name] = parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                inner = [(f"{name} {each}", below) for each, below in action.choices.items()]
                pending = inner + pending
    return found


def commands() -> Iterator[str]:
    """What ``--help`` of each command says."""
    os.environ["COLUMNS"] = _WIDTH
    for command, parser in parsers().items():
        level = "##" if command.count(" ") < 2 else "###"
        yield f"{level} {command}\n\n```text\n{parser.format_help().rstrip()}\n```\n"
