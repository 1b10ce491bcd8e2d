"""A fingerprint changes with the code that runs, and with nothing else."""

import ast
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from segue.study import fingerprint as module
from segue.study.fingerprint import PLUMBING, code_id

ROOT = Path(module.__file__).parent.parent
FILES = {
    ".".join(("segue", *path.relative_to(ROOT).with_suffix("").parts)): path
    for path in sorted(ROOT.rglob("*.py"))
    if path.stem != "__init__"
}
STAGE = '''"""Doc."""
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Point:
    """Doc."""

    x: float
    y: float = 0.0


def run(points: Sequence[Point], *, scale: float = 1) -> float:
    """Doc."""
    # why
    total: float = 0
    for p in points:
        if p.x < 0:
            raise ValueError(f"negative: {p}")
        total += math.hypot(p.x, p.y) * scale
        _log.info("%s of %s", p, math.pi)
    assert total >= 0, "a sum of lengths"
    return total
'''


@pytest.fixture
def write(tmp_path):
    """Write a package ``shop``, or another, from text by dotted name; returns its folder."""
    count = 0

    def make(files: dict[str, str], package: str = "shop") -> Path:
        nonlocal count
        count += 1
        root = tmp_path / str(count) / package
        for name, text in files.items():
            path = root / f"{name.replace('.', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return root

    return make


@pytest.fixture
def stage(write):
    """Fingerprint of a package of one module."""
    return lambda text: code_id("shop.stage", root=write({"stage": text}))


def edited(old: str, new: str) -> str:
    assert STAGE.count(old) == 1
    return STAGE.replace(old, new)


def test_it_is_sixteen_digits_and_the_same_in_every_checkout(stage):
    assert stage(STAGE) == stage(STAGE)
    assert len(stage(STAGE)) == 16
    int(stage(STAGE), 16)


@pytest.mark.parametrize(
    "same",
    {
        "another comment": edited("# why", "# because"),
        "no comment": edited("    # why\n", ""),
        "layout": edited("math.hypot(p.x, p.y) * scale", "(math.hypot(\n p.x, p.y)\n * (scale))"),
        "another docstring": STAGE.replace("Doc.", "Other words."),
        "no docstrings": STAGE.replace('    """Doc."""\n', ""),
        "docstring of an attribute": edited("y: float = 0.0", 'y: float = 0.0\n    """Doc."""'),
        "a statement that does nothing": edited("    # why", "    pass"),
        "annotation of an argument": edited("scale: float", "scale: int"),
        "no annotation of an argument": edited("points: Sequence[Point]", "points").replace(
            "from collections.abc import Sequence\n", ""
        ),
        "annotation of what is returned": edited(" -> float", ""),
        "annotation of a field": edited("x: float\n", "x: int\n"),
        "annotation of a variable": edited("total: float = 0", "total = 0"),
        "annotation alone": edited("    # why", "    p: Point"),
        "message of an exception": edited('f"negative: {p}"', '"is negative", p.x'),
        "exception without a message": edited('ValueError(f"negative: {p}")', "ValueError"),
        "cause of an exception": edited('{p}")', '{p}") from None'),
        "message of an assert": edited(', "a sum of lengths"', ""),
        "another log message": edited('"%s of %s", p, math.pi', '"%s", p'),
        "another level": edited("_log.info", "_log.warning"),
        "no log message": edited('        _log.info("%s of %s", p, math.pi)\n', ""),
        "a log message without a logger": edited("_log.info", "logging.info"),
        "another name of the logger": STAGE.replace("_log", "_LOG"),
        "no logging at all": edited('        _log.info("%s of %s", p, math.pi)\n', "")
        .replace("_log = logging.getLogger(__name__)\n", "")
        .replace("import logging\n", ""),
        "a warning": edited("    # why", "    warnings.warn('far')").replace(
            "import math", "import math\nimport warnings"
        ),
        "order of imports": edited(
            "import logging\nimport math\n", "import math\nimport logging\n"
        ),
        "imports on one line": edited("import logging\nimport math\n", "import math, logging\n"),
        "options for tests": STAGE + '\nTEST_OPTIONS = {"scale": 2}\n',
        "place of an import": edited("import math\n", "").replace("# why", "import math"),
        "import for annotations": edited(
            "collections.abc import Sequence", "typing import List"
        ).replace("Sequence[Point]", "List[Point]"),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_what_is_only_said_does_not_change_it(stage, same):
    assert stage(same[1]) == stage(STAGE)


@pytest.mark.parametrize(
    "changed",
    {
        "a constant": edited("p.x < 0", "p.x < 1"),
        "a constant's type": edited("total: float = 0", "total: float = 0.0"),
        "an operator": edited("* scale", "/ scale"),
        "a comparison": edited("p.x < 0", "p.x <= 0"),
        "a call": edited("math.hypot(p.x, p.y)", "abs(p.x - p.y)"),
        "a name": edited("def run", "def go"),
        "the order of arguments": edited("(p.x, p.y)", "(p.y, p.x)"),
        "the order of statements": edited(
            "    x: float\n    y: float = 0.0", "    y = 0.0\n    x: float"
        ),
        "a default": edited("scale: float = 1", "scale: float = 2"),
        "no default": edited("scale: float = 1", "scale: float"),
        "kind of an argument": edited("*, scale", "scale"),
        "a decorator": edited("@dataclass(frozen=True)\n", ""),
        "an argument of a decorator": edited("frozen=True", "frozen=False"),
        "a field": edited("    x: float\n", ""),
        "name of a field": edited("    x: float\n", "    z: float\n"),
        "default of a field": edited("y: float = 0.0", "y: float = 1.0"),
        "type of an exception": edited("raise ValueError", "raise TypeError"),
        "a condition of an exception": edited("if p.x < 0", "if p.y < 0"),
        "no exception": edited('raise ValueError(f"negative: {p}")', "pass"),
        "what is asserted": edited("assert total >= 0", "assert total > 0"),
        "what is returned": edited("return total", "return -total"),
        "nothing returned": edited("return total", "return"),
        "where an imported name comes from": edited("import math", "import cmath as math"),
        "the kind of a statement": edited("        if p.x", "        while p.x"),
        "depth of a statement": edited("    assert", "        assert"),
        "a call that is no log message": edited("_log.info", "points.append"),
        "a value that a log call returns": edited("return total", "return _log.info(total)"),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_code_that_runs_changes_it(stage, changed):
    ast.parse(changed[1])
    assert stage(changed[1]) != stage(STAGE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = True"),
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = '1'"),
        ("x = '1'", "x = b'1'"),
        ("x = 'é'", "x = 'è'"),
        ("x = {**a}", "x = {None: a}"),
        ("x = f'{a}'", "x = f'{a!r}'"),
        ("x = f'{a:.1f}'", "x = f'{a:.2f}'"),
        ("x = a[1:]", "x = a[:1]"),
        ("def f(a, /): return a", "def f(a): return a"),
        ("def f(*, a=1, b): return a", "def f(*, a, b=1): return a"),
        ("async def f(): g()", "def f(): g()"),
        ("try:\n    a()\nfinally:\n    b()", "a()\nb()"),
        ("if a:\n    b()\nc()", "if a:\n    b()\n    c()"),
        ("a, b = c", "a = b = c"),
        ("a[0]: int = 1", "a[1]: int = 1"),
    ],
)
def test_code_that_differs_in_little_differs(stage, one, other):
    assert stage(one) != stage(other)


SHOP = {
    "stage": "from shop import tools\n\n\ndef run(x):\n    return tools.add(x)\n",
    "tools": "from shop.deep.leaf import ONE\n\n\ndef add(x):\n    return x + ONE\n",
    "deep.__init__": "",
    "deep.leaf": "ONE = 1\n",
    "plugin": "LEVEL = 3\n",
    "__init__": "",
}
CHANGED = SHOP | {"deep.leaf": "ONE = 2\n"}


def test_modules_that_are_imported_count_however_deep(write):
    assert code_id("shop.stage", root=write(SHOP)) != code_id("shop.stage", root=write(CHANGED))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("other", "from shop.deep import leaf\nx = leaf.ONE"),
        ("other", "import shop.deep.leaf as a\nx = a.ONE"),
        ("other", "import shop.deep.leaf\nx = shop.deep.leaf.ONE"),
        ("other", "from .deep import leaf\nx = leaf.ONE"),
        ("other", "from .deep.leaf import ONE\nx = ONE"),
        ("other", "def late():\n    from shop.deep import leaf\n    return leaf.ONE"),
        ("other", "from shop.deep.leaf import *"),
        ("other", "from shop.deep.leaf import ONE  # for others to import from here"),
        ("deep.other", "from .leaf import ONE\nx = ONE"),
        ("deep.other", "from . import leaf\nx = leaf.ONE"),
        ("deep.other", "from ..deep.leaf import ONE\nx = ONE"),
        ("deep.__init__", "from .leaf import ONE\nx = ONE"),
    ],
)
def test_every_way_to_import_is_followed(write, name, text):
    names = f"shop.{name}".removesuffix(".__init__")
    before, after = (write(files | {name: text}) for files in (SHOP, CHANGED))
    assert code_id(names, root=before) != code_id(names, root=after)


@pytest.mark.parametrize(
    "text",
    [
        "from shop.deep.leaf import ONE\n\n\ndef f(x: ONE):\n    return x\n",
        "from shop.deep.leaf import ONE\n\n\ndef f(x):\n    raise ValueError(ONE)\n",
    ],
    ids=["annotation", "message"],
)
def test_a_module_that_only_words_need_is_not_followed(write, text):
    before, after = (write(files | {"stage": text}) for files in (SHOP, CHANGED))
    assert code_id("shop.stage", root=before) == code_id("shop.stage", root=after)


def test_a_plug_in_counts_where_it_is_named(write):
    before, after = write(SHOP), write(SHOP | {"plugin": "LEVEL = 4\n"})
    assert code_id("shop.stage", root=before) == code_id("shop.stage", root=after)
    names = ("shop.stage", "shop.plugin")
    assert code_id(*names, root=before) != code_id(*names, root=after)


def test_modules_may_import_each_other(write):
    assert code_id("shop.stage", root=write(SHOP | {"deep.leaf": "import shop.stage\nONE = 1\n"}))


def test_a_module_that_does_not_exist_is_an_error(write):
    with pytest.raises(FileNotFoundError, match="missing"):
        code_id("shop.missing", root=write(SHOP))


@pytest.mark.parametrize("name", sorted(PLUMBING))
def test_plumbing_is_there_and_is_not_followed(write, name):
    path = ROOT.parent.joinpath(*name.split("."))
    assert path.is_dir() or path.with_suffix(".py").is_file()
    plumbing = name.removeprefix("segue.")
    for inside in (plumbing, f"{plumbing}.part"):
        files = {
            "stage": f"from segue import {plumbing.split('.')[0]} as a\nimport segue.{inside}\na"
        }
        before = write(files | {inside: "x = 1"}, "segue")
        after = write(files | {inside: "x = 2"}, "segue")
        assert code_id("segue.stage", root=before) == code_id("segue.stage", root=after)
    assert code_id(f"segue.{inside}", root=before) != code_id(f"segue.{inside}", root=after)


def test_one_aleatoric_model_is_not_in_the_fingerprint_of_another():
    first = code_id("segue.models.train", "segue.models.aleatoric.ssn")
    assert first != code_id("segue.models.train", "segue.models.aleatoric.softmax")
    assert first == code_id("segue.models.aleatoric.ssn", "segue.models.train")


@pytest.mark.parametrize("name", FILES)
def test_no_module_of_the_package_is_known_by_its_words_or_layout(write, name):
    text = FILES[name].read_text()
    tree = ast.parse(text)
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    versions = [text, f"# A comment.\n{text}", ast.unparse(ast.parse(text)), ast.unparse(tree)]
    ids = {code_id("segue.stage", root=write({"stage": version}, "segue")) for version in versions}
    assert len(ids) == 1


@cache
def interpreter(version: str) -> str | None:
    """Path of a Python of that version, on the PATH or of pyenv, that runs."""
    installed = sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python"))
    for path in filter(None, [shutil.which(f"python{version}"), *map(str, installed)]):
        ask = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(ask, capture_output=True, text=True).stdout.strip() == version:
            return path
    return None


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_it_is_the_same_under_every_python(version):
    other = interpreter(version)
    if other is None:
        pytest.skip(f"no Python {version} on this machine")
    program = (
        "import json, sys\nfrom segue.study.fingerprint import code_id\n"
        "json.dump([code_id(name) for name in json.load(sys.stdin)], sys.stdout)"
    )
    found = subprocess.run(
        [other, "-S", "-c", program],  # -S: without the packages that it may have
        input=json.dumps(list(FILES)),
        env={"PYTHONPATH": str(ROOT.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(found.stdout) == [code_id(name) for name in FILES]
