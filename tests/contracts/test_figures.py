"""Every figure on disk says what it shows and is drawn from, and takes no more than it is given."""

import inspect

import pytest
from docutils.core import publish_doctree

from segue import plugins
from segue.study import figures

NAMES = plugins.available("figures")
EVERY = pytest.mark.parametrize("name", NAMES)


@EVERY
def test_a_figure_has_a_title_and_a_caption_of_its_own(name):
    assert figures.said(name, "TITLE")
    assert len(figures.said(name, "CAPTION")) > 60
    for other in NAMES:
        assert other == name or figures.said(other, "CAPTION") != figures.said(name, "CAPTION")


@EVERY
def test_a_caption_is_plain_text_to_restructured_text(name):
    tree = publish_doctree(figures.said(name, "CAPTION"), settings_overrides={"halt_level": 2})
    assert [node.tagname for node in tree.children] == ["paragraph"]
    inside = {node.tagname for node in tree.findall() if node.tagname != "#text"}
    assert inside <= {"document", "paragraph", "title_reference"}


@EVERY
def test_a_figure_takes_what_its_kind_is_given(name):
    settings = figures.kind(name)
    module = plugins.load("figures", name)
    assert module.KIND in figures.KINDS
    parameters = inspect.signature(module.draw).parameters
    required = {n for n, p in parameters.items() if p.default is p.empty} - {"out"}
    assert parameters.keys() - {"out"} <= settings.model_fields.keys()
    assert required <= settings.model_fields.keys()


@EVERY
def test_a_figure_needs_tasks_that_there_are(name):
    module = plugins.module("figures", name)
    assert {*plugins.literal(module, "TASKS", ())} <= {*plugins.available("tasks")}
