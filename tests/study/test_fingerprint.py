"""A fingerprint changes with the code that runs, and with nothing else."""

from pathlib import Path

import pytest

from segue.study.fingerprint import code_id

FILES = {
    "stage.py": (
        '"""Doc."""\nfrom shop import tools\n\n\n'
        'def run(x):\n    """Doc."""\n    return tools.add(x)\n'
    ),
    "tools.py": "from shop.deep.leaf import ONE\n\n\ndef add(x):\n    # why\n    return x + ONE\n",
    "deep/__init__.py": "",
    "deep/leaf.py": "ONE = 1\n",
    "other.py": "import shop.tools\n",
    "plugin.py": "LEVEL = 3\n",
    "__init__.py": "",
}


@pytest.fixture
def fingerprint(tmp_path):
    """Fingerprint of a package with some of its files replaced."""
    count = 0

    def make(*modules: str, **replaced: str) -> str:
        nonlocal count
        count += 1
        root = tmp_path / str(count) / "shop"
        for name, text in FILES.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(replaced.get(Path(name).stem, text))
        return code_id(*modules, root=root)

    return make


def test_it_is_the_same_in_every_checkout(fingerprint):
    assert fingerprint("shop.stage") == fingerprint("shop.stage")


@pytest.mark.parametrize(
    "same",
    [
        {"tools": FILES["tools.py"].replace("# why", "# because")},
        {"tools": FILES["tools.py"].replace("    # why\n", "")},
        {"tools": FILES["tools.py"].replace("x + ONE", "(x   + ONE)")},
        {"stage": FILES["stage.py"].replace('"""Doc."""', '"""Other words."""')},
        {"stage": FILES["stage.py"].replace('    """Doc."""\n', "")},
        {"leaf": 'ONE = 1\n"""The number."""\n'},
    ],
    ids=["comment", "no comment", "layout", "docstrings", "no docstring", "attribute's docstring"],
)
def test_words_and_layout_do_not_change_it(fingerprint, same):
    assert fingerprint("shop.stage", **same) == fingerprint("shop.stage")


@pytest.mark.parametrize(
    "changed",
    [
        {"stage": FILES["stage.py"].replace("tools.add(x)", "tools.add(2 * x)")},
        {"tools": FILES["tools.py"].replace("x + ONE", "x - ONE")},
        {"leaf": "ONE = 2\n"},
        {"leaf": "ONE = '1'\n"},
    ],
    ids=["the module", "a module it imports", "one imported by that", "a value's type"],
)
def test_code_that_runs_changes_it(fingerprint, changed):
    assert fingerprint("shop.stage", **changed) != fingerprint("shop.stage")


@pytest.mark.parametrize(
    "line",
    [
        "from shop.deep import leaf",
        "import shop.deep.leaf as x",
        "from .deep import leaf",
        "from .deep.leaf import ONE",
        "def late():\n    from shop.deep import leaf",
    ],
)
def test_every_way_to_import_is_followed(fingerprint, line):
    importing = {"other": line + "\n"}
    before = fingerprint("shop.other", **importing)
    assert fingerprint("shop.other", **importing, leaf="ONE = 2\n") != before


def test_modules_that_are_not_imported_do_not_change_it(fingerprint):
    assert fingerprint("shop.stage", plugin="LEVEL = 4\n") == fingerprint("shop.stage")


def test_a_plug_in_that_is_named_changes_it(fingerprint):
    before = fingerprint("shop.stage", "shop.plugin")
    assert fingerprint("shop.stage", "shop.plugin", plugin="LEVEL = 4\n") != before


def test_modules_may_import_each_other(fingerprint):
    assert fingerprint("shop.stage", leaf="import shop.stage\nONE = 1\n")


def test_a_module_that_does_not_exist_is_an_error(fingerprint):
    with pytest.raises(FileNotFoundError, match="missing"):
        fingerprint("shop.missing")


def test_one_aleatoric_model_is_not_in_the_fingerprint_of_another():
    first = code_id("segue.models.train", "segue.models.aleatoric.ssn")
    assert first != code_id("segue.models.train", "segue.models.aleatoric.softmax")
    assert first == code_id("segue.models.aleatoric.ssn", "segue.models.train")
