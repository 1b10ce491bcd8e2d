"""The rules of who imports whom: the shape of the project, kept by a test."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from segue import plugins
from segue.study.stages import STAGES

ROOT = Path(__file__).parent.parent
FILES = {
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts): path
    for path in sorted(ROOT.glob("src/segue/**/*.py"))
}
LEAVES = {
    *(
        "blocks",
        "chunks",
        "digests",
        "dims",
        "errors",
        "files",
        "integrity",
        "keys",
        "plugins",
        "progress",
        "schema",
    ),
    *("lazy", "left_out", "nodes", "results", "rounding", "seeds", "shards", "stamp", "store"),
}
WINGS = ("data", "models", "evaluation")
PLUGINS = ("segue.data.sources.", "segue.report.figures.")  # which may be packages


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


def part(module: str) -> str:
    """The part of the package that a module is in: a folder, or a leaf's own name."""
    return module.split(".")[1]


def reached(module: str) -> set[str]:
    """All modules that a module needs, itself included."""
    found, pending = set(), [module]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += GRAPH[name]
    return found


@pytest.mark.parametrize("module", [m for m in FILES if part(m) in WINGS])
def test_the_wings_never_import_each_other(module):
    assert {part(name) for name in reached(module)} <= {part(module), *LEAVES, "__init__"}


@pytest.mark.parametrize("module", [m for m in FILES if part(m) in LEAVES])
def test_leaves_import_leaves_only(module):
    assert {part(name) for name in reached(module)} <= LEAVES | {"__init__"}


def test_nothing_but_the_command_imports_study():
    for module in FILES:
        if part(module) not in ("study", "cli"):
            assert "study" not in {part(name) for name in reached(module)}, module


def test_the_report_reads_what_was_evaluated_and_knows_no_model():
    for module in FILES:
        if part(module) == "report":
            assert not {part(name) for name in reached(module)} & {"models", "study", "cli"}


def test_what_goes_to_and_fro_knows_neither_study_nor_report():
    for module in FILES:
        if part(module) == "interop":
            assert not {part(name) for name in reached(module)} & {"report", "study", "cli"}


def test_no_import_goes_in_a_circle():
    TopologicalSorter(GRAPH).prepare()


def test_aleatoric_and_epistemic_meet_in_sampling_only():
    for module in FILES:
        parts = {name.split(".")[2] for name in reached(module) if name.count(".") > 2}
        assert not {"aleatoric", "epistemic"} <= parts, module
    loads = [m for m, path in FILES.items() if 'load("epistemic"' in path.read_text()]
    assert loads == ["segue.models.sample"]


def test_torch_lives_in_models_only():
    for module, path in FILES.items():
        if part(module) != "models":
            assert not any(name.split(".")[0] == "torch" for name in imported(path)), module
    light = [m for m in FILES if part(m) != "models"]
    code = f"import sys\nfor m in {light}: __import__(m)\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("module", [m for m in FILES if m.startswith("segue.evaluation.metrics.")])
def test_metrics_know_arrays_only(module):
    assert all(name.startswith("segue.evaluation.metrics.") for name in GRAPH[module])


def test_only_the_command_reads_the_command_line():
    readers = {m for m, path in FILES.items() if re.search(r"argparse|sys\.argv", path.read_text())}
    assert readers == {"segue.cli", "segue.arguments"}


def test_the_package_does_not_know_snakemake():
    for module, path in FILES.items():
        assert not any(name.split(".")[0] == "snakemake" for name in imported(path)), module


def test_init_files_are_empty_but_for_plug_ins():
    for module, path in FILES.items():
        if module.endswith("__init__") and not module.startswith(PLUGINS):
            assert module == "segue.__init__" or not path.read_text(), module


def test_the_workflow_imports_nothing_heavy():
    needed = set()
    for path in [ROOT / "Snakefile", *ROOT.glob("workflow/**/*.smk")]:
        for package, names in re.findall(r"^from (segue\S*) import (.+)$", path.read_text(), re.M):
            needed |= {package, *(f"{package}.{name.strip()}" for name in names.split(","))}
    needed &= FILES.keys()
    assert "segue.study.study" in needed
    light = {*sys.stdlib_module_names, "segue", "pydantic", "yaml"}
    for module in set().union(*map(reached, needed)):
        assert {name.split(".")[0] for name in imported(FILES[module])} <= light, module


def test_no_stage_imports_scipy_stats_before_it_tests_ranks():
    modules = {f"segue.report.figures.{name}" for name in plugins.available("figures")}
    modules |= {stage.module for stage in STAGES.values() if "<" not in stage.module}
    code = f"import sys\nfor m in {modules}: __import__(m)\nassert 'scipy.stats' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
