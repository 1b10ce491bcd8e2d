"""The site is built without a warning, its notebook runs, and its links lead somewhere."""

import os
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import generated
import pytest
import yaml
from pages import DOCS, FENCE, PAGES, ROOT, TEXTS, path_of

import segue

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; building it runs the notebook, which compares its numbers with Segue's."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q"]
    paths = ["-d", folder / "doctrees", DOCS, folder / "html"]
    # Nothing may be asked of another host: a proxy that is not there would say so.
    nowhere = "http://127.0.0.1:9"
    closed = {"http_proxy": nowhere, "https_proxy": nowhere, "no_proxy": ""}
    done = subprocess.run(
        [*command, *paths], capture_output=True, text=True, env={**os.environ, **closed}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


class Page(HTMLParser):
    """Anchors, links and other addresses of a built page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a":
            self.links.append(given.get("href") or "")
        else:
            self.loaded += [given[key] for key in ("src", "href", "data") if given.get(key)]


def test_every_page_is_built_and_the_notebook_has_run(site):
    for page in PAGES:
        assert (site / f"{page.stem}.html").is_file()
    notebook = (site / "notebooks/delta_by_hand.html").read_text(encoding="utf-8")
    assert "Every Δ is the same" in notebook
    assert notebook.count("cell_output") > 6


def test_links_inside_the_site_lead_to_a_page_and_a_place_on_it(site):
    pages = {path: Page(path) for path in site.rglob("*.html")}
    assert len(pages) > len(PAGES)
    for path, page in pages.items():
        for link in page.links:
            target, _, anchor = link.partition("#")
            if re.match(r"\w+:", target):
                continue
            to = (path.parent / target).resolve() if target else path
            assert to.exists(), f"{path.name}: {link}"
            if anchor and to.suffix == ".html":
                assert anchor in pages[to].anchors, f"{path.name}: {link}"


def test_a_page_loads_nothing_from_another_host(site):
    for path in site.rglob("*.html"):
        elsewhere = [url for url in Page(path).loaded if re.match(r"(\w+:)?//", url)]
        assert not elsewhere, f"{path.name}: {elsewhere}"
    for path in site.rglob("*.css"):
        found = re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//[^)\s]+", path.read_text())
        assert not found, f"{path.name}: {found}"


def test_the_reference_has_every_key_command_and_name(site):
    config = (site / "config.html").read_text(encoding="utf-8")
    for name in CONFIG:
        assert f'id="{name.replace("_", "-")}"' in config
    assert "recipes.&lt;name&gt;.collect.share" in config
    command = (site / "cli.html").read_text(encoding="utf-8")
    assert all(f"<h{level}>" in command for level in (1, 2, 3))
    assert {"segue stage train", "segue score"} <= set(generated.parsers())
    assert all(f"{name}<a" in command for name in generated.parsers())
    python = (site / "python.html").read_text(encoding="utf-8")
    assert all(f'id="segue.{name}"' in python for name in segue.__all__)


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    plain = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


@cache
def anchors(path: Path) -> set[str]:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("path", TEXTS, ids=path_of)
def test_links_of_a_file_lead_to_a_file_and_a_heading_of_it(path):
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text):
        target = "".join(target)
        file, _, anchor = target.partition("#")
        if re.match(r"\w+:", file):
            continue
        to = (path.parent / file).resolve() if file else path
        assert to.exists(), target
        if anchor and to.suffix == ".md":
            assert anchor in anchors(to), target
