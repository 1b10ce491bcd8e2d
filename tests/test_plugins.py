"""What a plug-in is given is checked against its file, which is not imported for it."""

import subprocess
import sys

import pytest

from segue import plugins
from segue.errors import InputError

SSN = {"rank": 10, "loss_samples": 10, "diagonal_epochs": 5}
FOLDER = {"path": "data", "classes": ["background", "lesion"]}
PLUGIN = """
import no_such_module

SIZES = {"side": 3}
COMPUTED = 2 * SIZE


def open_source(*, seed: int, kind: Literal["a", "b"], of: unknown.Type = 3, untyped=None):
    pass


class Model:
    def sample(self, image: Tensor, *, steps: int): ...
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A plug-in ``mine`` among the sources, whose file cannot be imported."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "mine.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(plugins.PACKAGES, "sources", "shelf")


def check(kind, name, function, given):
    plugins.check_options(kind, name, function, given, "here.options")


def message(kind, name, function, given):
    with pytest.raises(InputError) as refused:
        check(kind, name, function, given)
    return str(refused.value)


@pytest.mark.parametrize(
    ("kind", "name", "function", "given"),
    [
        ("aleatoric", "ssn", "Model.__init__", SSN),
        ("aleatoric", "softmax", "Model.__init__", {}),
        ("aleatoric", "diffusion", "Model.sample", {"steps": 5}),
        ("epistemic", "swag", "hypotheses", {"low_rank": False, "scale": 1}),
        ("sources", "folder", "open_source", FOLDER),
        ("sources", "folder", "open_source", FOLDER | {"images": {"train": 3, "id": None}}),
        ("sources", "lidc", "open_source", {"path": "a", "shift_masks": [1, 1]}),
        ("tasks", "ood", "score", {"patch": 10}),
    ],
)
def test_options_that_fit_are_taken(kind, name, function, given):
    check(kind, name, function, given)


@pytest.mark.parametrize(
    ("kind", "name", "function", "given", "expected"),
    [
        (
            "aleatoric",
            "ssn",
            "Model.__init__",
            SSN | {"rank": "x"},
            "here.options.rank: expected an integer, found 'x'",
        ),
        (
            "epistemic",
            "swag",
            "hypotheses",
            {"low_rank": "no", "scale": 1.0},
            "here.options.low_rank: expected true or false, found 'no'",
        ),
        (
            "sources",
            "folder",
            "open_source",
            FOLDER | {"corruptions": "no"},
            "here.options.corruptions: expected true or false, found 'no'",
        ),
        (
            "sources",
            "folder",
            "open_source",
            FOLDER | {"classes": "background, lesion"},
            "here.options.classes: expected a list, found 'background, lesion'",
        ),
        (
            "sources",
            "lidc",
            "open_source",
            {"path": "a", "images": {"train": "all"}},
            "here.options.images.train: expected an integer, found 'all'",
        ),
        ("sources", "lidc", "open_source", {"size": 64}, "here.options: missing key path"),
        ("tasks", "ambiguity", "score", {"a": 1}, "here.options: unknown key a; there are: none"),
    ],
)
def test_a_value_of_another_type_and_a_missing_key_are_refused(
    kind, name, function, given, expected
):
    assert message(kind, name, function, given) == expected


def test_an_unknown_key_is_refused_with_those_there_are_and_the_nearest():
    assert message("aleatoric", "ssn", "Model.__init__", SSN | {"rang": 3}) == (
        "here.options: unknown key rang; there are: rank, loss_samples, diagonal_epochs; "
        "did you mean rank?"
    )


def test_keys_that_are_no_text_are_unknown():
    found = message("aleatoric", "ssn", "Model.__init__", SSN | {True: 3, "x": 1})
    assert found.startswith("here.options: unknown key True, x; there are: rank")


def test_the_seed_is_that_of_the_study(plugin):
    assert message("sources", "mine", "open_source", {"kind": "a", "seed": 3}) == (
        "here.options: unknown key seed; there are: kind, of, untyped"
    )


def test_types_are_read_without_an_import(plugin):
    check("sources", "mine", "open_source", {"kind": "b"})
    assert message("sources", "mine", "open_source", {"kind": "c"}) == (
        "here.options.kind: expected 'a' or 'b', found 'c'"
    )
    check("sources", "mine", "Model.sample", {"steps": 3})


def test_an_option_without_a_type_may_be_anything(plugin):
    check("sources", "mine", "open_source", {"kind": "a", "untyped": object()})


def test_a_type_that_only_the_plug_in_knows_is_refused(plugin):
    found = message("sources", "mine", "open_source", {"kind": "a", "of": 3})
    assert found.startswith("shelf.mine: of: cannot make sense of the type unknown.Type")


def test_a_function_that_is_not_there_is_named(plugin):
    assert message("sources", "mine", "hypotheses", {}) == (
        "shelf.mine: expected a function hypotheses, found none"
    )


def test_a_config_is_checked_without_torch():
    program = """
import sys
from segue import plugins
for name in plugins.available("aleatoric"):
    plugins.options(plugins.module("aleatoric", name), "Model.__init__")
plugins.check_options("epistemic", "swag", "hypotheses", {"low_rank": True, "scale": 1}, "here")
assert not {"torch", "numpy", "zarr"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", program], check=True)
