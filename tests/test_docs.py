"""The documentation: it is built without a warning, its links lead somewhere, its examples run."""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import generated
import pytest
import yaml
from snakemake.cli import get_argument_parser

import segue
from segue import plugins
from segue.study.config import Config, read

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
PAGES = sorted(DOCS.glob("*.md"))
TEXTS = [*PAGES, *ROOT.glob("*.md"), ROOT / "results/README.md"]
ELSEWHERE = {
    "adding.md": "tests/contracts",
    "api.md": "tests/test_api.py",
    "data.md": "tests/data/sources/test_folder.py",
    "figures.md": "tests/report/figures",
    "predictions.md": "tests/evaluation/test_predictions.py",
    "report.md": "tests/report/page",
}
"""Pages whose examples, or what they show, other tests run, with what comes out of them."""

LINKED = ("config.yaml", "Snakefile", "workflow", "profiles", "src", "benchmarks")
"""What of the project is there where examples run."""

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


# --- the site -------------------------------------------------------------------------------------
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


# --- what the reference is made of ----------------------------------------------------------------
def test_every_option_of_a_plug_in_says_what_it_means():
    rows = [line for line in "\n".join(generated.plugin_options()).splitlines() if "|" in line]
    options = [row for row in rows if row.startswith("| `")]
    assert len(options) > 20
    assert not [row for row in options if row.endswith("|  |")]


def test_every_kind_of_plug_in_with_options_is_there():
    assert generated.FUNCTIONS.keys() == generated.TITLES.keys()
    assert generated.FUNCTIONS.keys() == plugins.PACKAGES.keys() - {"figures"}


def test_the_sections_of_the_config_are_all_of_it():
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    shown = "\n".join(generated.sections(text).values()).splitlines()
    head, _, rest = text.partition("\nstudy:")
    assert "every key is described here" in head.lower()
    lines = [line for line in f"study:{rest}".splitlines() if line.strip()]
    assert [line for line in shown if line.strip()] == [
        line for line in lines if not line.startswith("# ---")
    ]


def test_what_a_value_has_to_be_is_said_in_words():
    schema = {"type": "array", "items": {"type": "integer", "minimum": 4}, "minItems": 1}
    assert generated.words(schema, {}) == "list of integers ≥ 4 (at least 1)"
    either = {"anyOf": [{"const": "patients"}, {"type": "null"}]}
    assert generated.words(either, {}) == "`patients` or `null`"
    share = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
    assert generated.words(share, {}) == "number ≥ 0, < 1"


def test_sections_of_the_protocol_that_the_code_cites_are_there():
    text = (DOCS / "protocol.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", text, re.MULTILINE))
    for number, items in re.findall(r"^## (\d+)\.(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL):
        sections |= {f"{number}.{item}" for item in re.findall(r"^(\d+)\. ", items, re.MULTILINE)}
    cited = {
        number: path
        for folder in ("src", "workflow", "tests", "benchmarks", "docs")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".smk", ".yaml", ".md")
        for number in re.findall(r"protocol §(\d+(?:\.\d+)?)", path.read_text(), re.IGNORECASE)
    }
    assert {"6", "8", "9", "10", "10.3"} <= cited.keys()
    assert cited.keys() <= sections, {n: p for n, p in cited.items() if n not in sections}


# --- links of the files as a repository shows them ------------------------------------------------
def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    plain = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


@cache
def anchors(path: Path) -> set[str]:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
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


# --- examples -------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_of_a_page_run_in_their_order(page, tmp_path, monkeypatch):
    found = [block for block in blocks(page) if block.run and block.kind in ("python", "bash")]
    if page.name in ELSEWHERE or not found:
        return
    monkeypatch.chdir(tmp_path)
    for name in LINKED:
        (tmp_path / name).symlink_to(ROOT / name)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    names: dict = {}
    for block in found:
        if block.kind == "python":
            exec(compile(block.text, str(page), "exec"), names)
        else:
            command = ["bash", "-euo", "pipefail", "-c", block.text]
            subprocess.run(command, check=True, env={**os.environ, "PATH": path})


def test_the_tests_of_other_pages_are_there():
    for page, test in ELSEWHERE.items():
        assert (ROOT / test).exists() or not (DOCS / page).exists()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_can_be_read_and_name_what_there_is(path):
    for block in blocks(path):
        if (
            block.kind == "python" and "rule " not in block.text
        ):  # Snakemake's language is no Python
            ast.parse(block.text)
        elif block.kind == "yaml":
            content = yaml.safe_load(block.text)
            if content.keys() <= Config.model_fields.keys():
                read(content, CONFIG)
        elif block.kind in ("bash", ""):
            for command in commands(block.text, prompt=block.kind == ""):
                check_command(command)
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    for text in re.findall(r"`((?:segue|snakemake|python -m benchmarks) [^`]+)`", prose):
        check_command(shlex.split(text))


def commands(text: str, *, prompt: bool) -> Iterator[list[str]]:
    """Commands of a shell block; of one with a prompt, of the lines that have it."""
    for line in text.replace("\\\n", " ").splitlines():
        if prompt and not line.startswith(("$ ", "snakemake ", "segue ", "python ")):
            continue
        words: list[str] = []
        for word in shlex.split(line.removeprefix("$ "), comments=True):
            if word in ("&&", "|", ";"):
                yield words
                words = []
            elif words or not re.match(r"\w+=", word):  # X=… before a command
                words.append(word)
        if words:
            yield words


def check_command(words: list[str]) -> None:
    """Raise AssertionError where a command of ours has an option, or names a file, there is not."""
    program, *rest = words
    match program.removeprefix(".venv/bin/"):
        case "segue":
            known, name = generated.parsers(), "segue"
            while rest and f"{name} {rest[0]}" in known:
                name = f"{name} {rest.pop(0)}"
            any_of = rest and rest[0].startswith("<")  # segue stage <name>
            assert any_of or name != "segue" or not rest or rest[0].startswith("-"), words
            parsers = [p for n, p in known.items() if n == name or (any_of and n.startswith(name))]
            check_options({option for p in parsers for option in p._option_string_actions}, rest)
        case "snakemake":
            check_options(snakemake_options(), rest)
        case "sbatch" if "--wrap" in rest:
            check_command(shlex.split(rest[rest.index("--wrap") + 1]))
        case "python" if rest[:2] == ["-m", "benchmarks"]:
            for option, value in pairwise(rest):
                if option == "--only":
                    assert (ROOT / f"benchmarks/{value}.py").is_file() or value.isupper(), words
        case "python" if rest and rest[0].endswith(".py"):
            assert (ROOT / rest[0]).is_file(), words
    for word in rest:
        if re.match(r"(workflow|profiles|benchmarks|envs)/", word):
            assert (ROOT / word).exists(), words


@cache
def snakemake_options() -> set[str]:
    return set(get_argument_parser()._option_string_actions)


def check_options(known: set[str], words: list[str]) -> None:
    for word in words:
        if word.startswith("-") and not re.fullmatch(r"-?-|-\d.*", word):
            assert word.split("=")[0] in known, f"{words}: {word}"


def test_a_command_that_there_is_not_is_found():
    check_command(shlex.split("segue score STORE --out DIR"))
    check_command(shlex.split("snakemake --cores all --configfile workflow/studies/smoke.yaml"))
    for wrong in (
        "segue scores STORE",
        "segue score STORE --into DIR",
        "snakemake --core-count 3",
        "snakemake --configfile workflow/studies/smok.yaml",
        "python -m benchmarks --only nothing",
    ):
        with pytest.raises(AssertionError):
            check_command(shlex.split(wrong))
