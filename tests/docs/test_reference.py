"""What the reference is made of: the schema, the plug-ins, and the sections of the protocol."""

import re

import config_keys
import plugin_options
from pages import DOCS, ROOT

from segue import plugins


def test_every_option_of_a_plug_in_says_what_it_means():
    rows = [line for line in "\n".join(plugin_options.plugin_options()).splitlines() if "|" in line]
    options = [row for row in rows if row.startswith("| `")]
    assert len(options) > 20
    assert not [row for row in options if row.endswith("|  |")]


def test_every_kind_of_plug_in_with_options_is_there():
    assert plugin_options.FUNCTIONS.keys() == plugin_options.TITLES.keys()
    assert plugin_options.FUNCTIONS.keys() == plugins.PACKAGES.keys() - {"figures"}


def test_the_sections_of_the_config_are_all_of_it():
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    shown = "\n".join(config_keys.sections(text).values()).splitlines()
    head, _, rest = text.partition("\nstudy:")
    assert "every key is described here" in head.lower()
    lines = [line for line in f"study:{rest}".splitlines() if line.strip()]
    assert [line for line in shown if line.strip()] == [
        line for line in lines if not line.startswith("# ---")
    ]


def test_what_a_value_has_to_be_is_said_in_words():
    schema = {"type": "array", "items": {"type": "integer", "minimum": 4}, "minItems": 1}
    assert config_keys.words(schema, {}) == "list of integers ≥ 4 (at least 1)"
    either = {"anyOf": [{"const": "patients"}, {"type": "null"}]}
    assert config_keys.words(either, {}) == "`patients` or `null`"
    share = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
    assert config_keys.words(share, {}) == "number ≥ 0, < 1"


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
