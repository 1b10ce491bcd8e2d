"""What `pip install segue` brings, without the extra `study`, is enough to check and to score."""

import subprocess
import tomllib
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest
from handmade import SPLITS, random_split
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HEAVY = ("torch", "snakemake", "pylidc", "skimage")
MODULES = [
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
    for path in ROOT.glob("src/segue/**/*.py")
    if path.relative_to(ROOT / "src/segue").parts[0] != "models"
]


def closure(lines: list[str]) -> set[str]:
    """Names of the distributions that these requirements bring, each with its own."""
    found: set[tuple[str, str]] = set()  # a distribution, and an extra of it or ""
    pending = [Requirement(line) for line in lines]
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) in found:
                continue
            found.add((name, extra))
            for line in distribution(name).requires or []:
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    pending.append(needed)
    return {name for name, _ in found}


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """Run Python in an environment that has segue and what it requires, linked from this one."""
    folder = tmp_path_factory.mktemp("light")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for installed in map(distribution, closure(PROJECT["dependencies"])):
        for file in installed.files:
            if ".." not in file.parts:  # a command
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                (site / file).symlink_to(installed.locate_file(file))
    (site / "segue.pth").write_text(f"{ROOT / 'src'}\n")

    def run(*arguments: str) -> str:
        command = [folder / "bin" / "python", "-I", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_every_module_but_the_models_does_with_it(light):
    assert "segue.evaluation.score" in MODULES
    light(
        "-c",
        f"import importlib, importlib.util\n"
        f"for name in {HEAVY}: assert importlib.util.find_spec(name) is None, name\n"
        f"for name in {MODULES}: importlib.import_module(name)",
    )


def test_a_store_is_checked_and_scored(light, tmp_path):
    store = tmp_path / "mine.zarr"
    for name in SPLITS:
        split = random_split(name)[["labels", "probs"]]
        split.to_zarr(store, group=name, zarr_format=3, consolidated=False)
    assert "Nothing is wrong" in light("-m", "segue.cli", "check", str(store))
    light("-m", "segue.cli", "score", str(store), "--out", str(tmp_path / "out"))
    assert (tmp_path / "out" / "deltas.csv").read_text().count("\n") > 1
    assert (tmp_path / "out" / "summary.png").stat().st_size > 1000
