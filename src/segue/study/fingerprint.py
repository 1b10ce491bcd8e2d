"""Fingerprints of code: what a stage computes is its settings, its data and the code it runs.

Snakemake sees neither the functions that a job imports nor those that they call. A fingerprint
given as a parameter of a rule closes that gap: it changes with what runs, and with nothing that is
only said: comments, docstrings, annotations, messages, layout. It is the same under every Python
that Segue runs on. Only the standard library is needed.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PLUMBING = frozenset(
    {
        "segue.blocks",
        "segue.chunks",
        "segue.cli",
        "segue.errors",
        "segue.evaluation.check",
        "segue.evaluation.output",
        "segue.evaluation.structure",
        "segue.evaluation.values",
        "segue.files",
        "segue.lazy",
        "segue.nodes",
        "segue.plugins",
        "segue.progress",
        "segue.store",
        "segue.study",
        "segue.schema",
        "segue.stamp",
        "segue.digests",
        "segue.integrity",
        "segue.results",
    }
)
"""Modules and packages that move and check data or say what runs, but compute no number of it.
They are not followed, so that a better check retrains nothing: what computes goes elsewhere."""

_SAID = ("annotation", "returns", "type_params", "type_comment", "kind", "ctx")
_ROOT = Path(__file__).parent.parent


@cache
def code_id(*modules: str, root: Path = _ROOT) -> str:
    """16 hexadecimal digits for the code of modules and of all package modules they import.

    Not counted, since they change no number: comments, docstrings, annotations, calls of loggers
    and of ``warnings.warn``, the arguments of raised exceptions, messages of ``assert``, the order
    of imports, imports that only these use, options for tests, and ``PLUMBING``.

    Args:
        modules: dotted names. A plug-in is loaded by name, which no import shows: name it here.
        root: folder of the package.

    Raises:
        FileNotFoundError: a name in ``modules`` has no file.
    """
    texts: dict[str, str] = {}
    pending = list(modules)
    while pending:
        name = pending.pop()
        if name not in texts:
            texts[name], imported = _read(name, root)
            pending += imported
    digest = hashlib.sha256()
    for name in sorted(texts):
        digest.update(f"{name}\n{texts[name]}\n".encode())
    return digest.hexdigest()[:16]


@cache
def _read(module: str, root: Path) -> tuple[str, list[str]]:
    """Text of what a module runs, and the package modules to follow from there."""
    file = _file(module, root)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    package = module if file.stem == "__init__" else module.rpartition(".")[0]
    imports = {bound for node in nodes for bound in _imports(node, package)}
    writer = _Writer(nodes)
    text = writer.text(tree)
    only_said = {node.id for node in nodes if isinstance(node, ast.Name)} - writer.names
    counted = sorted((name, origin) for name, origin in imports if name not in only_said)
    # `from a import b` may mean the module a.b, or b in a.
    reached = {name for _, origin in counted for name in (origin, origin.rpartition(".")[0])}
    followed = [name for name in reached if not _plumbing(name) and _file(name, root).exists()]
    return "\n".join([*(f"{name} = {origin}" for name, origin in counted), text]), followed


def _file(module: str, root: Path) -> Path:
    """File of a module; one that does not exist for a name that is no module of the package."""
    package, *parts = module.split(".")
    path = root.parent.joinpath(package, *parts)
    if package != root.name:
        return path / "no module of the package"
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _plumbing(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in PLUMBING)


def _imports(node: ast.AST, package: str) -> Iterator[tuple[str, str]]:
    """Each name that an import binds, and the dotted name of what it is bound to."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0], alias.name
    elif isinstance(node, ast.ImportFrom):
        parents = package.split(".") if node.level else []
        above = parents[: len(parents) - node.level + 1]
        base = ".".join([*above, *filter(None, [node.module])])
        for alias in node.names:
            yield alias.asname or alias.name, f"{base}.{alias.name}"


class _Writer:
    """Writes a syntax tree as text, without what is only said and without imports.

    Attributes:
        names: the names in what was written.
    """

    def __init__(self, nodes: list[ast.AST]) -> None:
        assigned = [n for n in nodes if isinstance(n, ast.Assign) and _makes_logger(n)]
        self.loggers = {n.targets[0].id for n in assigned} | {"logging"}
        self.names: set[str] = set()

    def text(self, node: object) -> str:
        """Type, fields and values, as every Python writes them; empty for what does not count.

        A later Python's trees have more fields, empty where its syntax is not used: those with
        nothing in them are left out.
        """
        if isinstance(node, list):
            return ",".join(filter(None, map(self.text, node)))
        if not isinstance(node, ast.AST):
            return ascii(node)
        if isinstance(node, ast.stmt):
            node = _what_runs(node, self.loggers)
            if node is None:
                return ""
        elif isinstance(node, ast.Name):
            self.names.add(node.id)
        fields = [
            f"{name}={text}"
            for name in node._fields
            if name not in _SAID and (value := getattr(node, name, None)) is not None
            if (text := self.text(value))
        ]
        return f"{type(node).__name__}({';'.join(fields)})"


def _what_runs(node: ast.stmt, loggers: set[str]) -> ast.stmt | None:
    """The statement without what is only said; None where nothing remains."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant()):
            return None
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method))):
            says = name in loggers or (name, method) == ("warnings", "warn")
            return None if says else node
        case ast.Assign([ast.Name("TEST_OPTIONS")]):  # segue.plugins.TEST_OPTIONS
            return None
        case ast.Assign() if _makes_logger(node):
            return None
        case ast.AnnAssign():
            return ast.Assign([node.target], node.value) if node.value else None
        case ast.ClassDef():  # a dataclass takes its fields without a value as arguments
            node.body = [
                ast.Expr(each.target)
                if isinstance(each, ast.AnnAssign) and not each.value
                else each
                for each in node.body
            ]
        case ast.Raise(exc=ast.Call(func=raised)):
            return ast.Raise(raised)
        case ast.Raise():
            return ast.Raise(node.exc)
        case ast.Assert():
            return ast.Assert(node.test)
    return node


def _makes_logger(node: ast.Assign) -> bool:
    match node:
        case ast.Assign([ast.Name()], ast.Call(func=ast.Attribute(attr="getLogger"))):
            return True
    return False
