"""The rules of who imports whom: the shape of the project, kept by a test."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = {
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts): path
    for path in sorted(ROOT.glob("src/segue/**/*.py"))
}
ORDER = (
    {"datasets"},
    {"preparation"},
    {"networks"},
    {"checkpoint", "aleatoric"},
    {"epistemic"},
    {"training"},
    {"sampling"},
    {"uncertainty"},
    {"metrics"},
    {"tasks"},
    {"entanglement"},
    {"intervals"},
    {"scoring"},
    {"predictions"},
    {"tables"},
    {"figures"},
    {"cli"},
)
"""Parts of the package, earlier ones first. A module in none of them is a leaf."""


def imported(path: Path) -> set[str]:
    """Dotted names of what a file imports anywhere: modules, and perhaps what is in them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


GRAPH = {module: imported(path) & FILES.keys() for module, path in FILES.items()}


def rank(module: str) -> int:
    """Position in ``ORDER``; -1 for a leaf."""
    part = module.split(".")[1]
    return next((i for i, parts in enumerate(ORDER) if part in parts), -1)


def reached(module: str) -> set[str]:
    """All modules that a module needs, itself included."""
    found, pending = set(), [module]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += GRAPH[name]
    return found


@pytest.mark.parametrize("module", [m for m in FILES if rank(m) >= 0])
def test_imports_point_to_earlier_stages_or_leaves(module):
    assert not {name for name in reached(module) if rank(name) > rank(module)}


def test_no_import_goes_in_a_circle():
    TopologicalSorter(GRAPH).prepare()


def test_aleatoric_and_epistemic_meet_in_sampling_only():
    for module in FILES:
        parts = {name.split(".")[1] for name in reached(module) if name.count(".") > 1}
        assert not {"aleatoric", "epistemic"} <= parts, module
        if "aleatoric" in module:
            assert "epistemic" not in parts, module
        if "epistemic" in module:
            assert "aleatoric" not in parts, module
    loads = [m for m, path in FILES.items() if 'load("epistemic"' in path.read_text()]
    assert loads == ["segue.sampling"]


def test_torch_stops_at_the_samples():
    light = [m for m in FILES if rank(m) >= rank("segue.uncertainty")]
    light += [m for m in FILES if rank(m) in (0, 1)]
    code = f"import sys\nfor m in {light}: __import__(m)\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("module", [m for m in FILES if m.startswith("segue.metrics.")])
def test_metrics_know_arrays_only(module):
    assert all(name.startswith("segue.metrics.") for name in GRAPH[module])


@pytest.mark.parametrize("module", [m for m in FILES if m.startswith("segue.tasks.")])
def test_tasks_do_not_know_what_made_their_arrays(module):
    parts = {name.split(".")[1] for name in reached(module)}
    assert not parts & {"aleatoric", "epistemic", "networks", "datasets", "checkpoint"}


def test_only_the_command_reads_the_command_line():
    readers = {m for m, path in FILES.items() if re.search(r"argparse|sys\.argv", path.read_text())}
    assert readers == {"segue.cli"}


def test_the_package_does_not_know_snakemake():
    for module, path in FILES.items():
        assert not any(name.split(".")[0] == "snakemake" for name in imported(path)), module


def test_init_files_are_empty():
    assert not any(p.read_text() for m, p in FILES.items() if m.endswith("__init__"))


def test_the_workflow_imports_nothing_heavy():
    needed = set()
    for path in [ROOT / "Snakefile", *ROOT.glob("workflow/**/*.smk")]:
        for package, names in re.findall(r"^from (segue\S*) import (.+)$", path.read_text(), re.M):
            needed |= {package, *(f"{package}.{name.strip()}" for name in names.split(","))}
    needed &= FILES.keys()
    assert "segue.plugins" in needed
    for module in set().union(*map(reached, needed)):
        assert all(
            n.split(".")[0] in {*sys.stdlib_module_names, "segue"} for n in imported(FILES[module])
        )
