"""Fingerprints of code: what a stage computes is its settings, its data and the code it runs.

Snakemake sees neither the functions that a job imports nor those that they call. A fingerprint
given as a parameter of a rule closes that gap: it changes with the code, and not with comments,
docstrings, layout or the time of a checkout.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path


@cache
def code_id(*modules: str, root: Path = Path(__file__).parent.parent) -> str:
    """16 hexadecimal digits for the code of modules and of all package modules they import.

    Args:
        modules: dotted names. A plug-in is loaded by name, which no import shows: name it here.
        root: folder of the package.

    Raises:
        FileNotFoundError: a name in ``modules`` has no file.
    """
    sources: dict[str, str] = {}
    pending = list(modules)
    while pending:
        name = pending.pop()
        if name not in sources:
            tree = ast.parse(_file(name, root).read_text())
            pending += [n for n in _imported(tree, name) if _file(n, root).exists()]
            sources[name] = ast.unparse(_without_docstrings(tree))
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(f"{name}\n{sources[name]}\n".encode())
    return digest.hexdigest()[:16]


def _file(module: str, root: Path) -> Path:
    """File of a module; one that does not exist for a name that is no module of the package."""
    package, *parts = module.split(".")
    path = root.parent.joinpath(package, *parts)
    if package != root.name:
        return path / "no module of the package"
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _imported(tree: ast.Module, module: str) -> Iterator[str]:
    """Dotted names that may be modules: ``from a import b`` may mean a.b or b in a."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")[: -node.level]
                base = ".".join([*parents, *base.split(".")]).rstrip(".")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """Remove each statement that is only a string: docstrings, of attributes too."""
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [s for s in body if not _is_string(s)] or [ast.Pass()]
    return tree


def _is_string(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
