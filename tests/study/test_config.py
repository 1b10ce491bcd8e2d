"""The config and its presets, and the versions that are written in several places."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from segue.study.study import Study

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
PRESETS = sorted(ROOT.glob("workflow/studies/*.yaml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "snakemake-minimal": "snakemake",
}
MORE = ("remedies", "more")
"""Presets whose subject is methods that config.yaml does not have."""


def change(preset: Path | None) -> dict:
    """What a preset says; nothing for config.yaml itself."""
    return yaml.safe_load(preset.read_text()) if preset else {}


def pins() -> dict[str, str]:
    lines = (ROOT / "envs/constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("preset", [None, *PRESETS], ids=lambda p: p.stem if p else "quick")
def test_the_studies_are_valid(preset):
    config = Study.parse(change(preset), CONFIG).config
    assert config.study == (preset.stem if preset else "quick")


@pytest.mark.parametrize("preset", [p for p in PRESETS if p.stem not in MORE], ids=lambda p: p.stem)
def test_presets_add_no_method(preset):
    """A name that config.yaml does not have would add to the grid: here, a misspelt one."""
    for section in ("aleatoric", "epistemic", "recipes"):
        assert change(preset).get(section, {}).keys() <= CONFIG[section].keys()


def test_pins_satisfy_the_ranges_of_the_project():
    extras = PROJECT["optional-dependencies"].values()
    for text in [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]:
        requirement = Requirement(text)
        if requirement.name != PROJECT["name"]:
            assert pins()[requirement.name] in requirement.specifier, text


def test_pins_are_exact_and_of_no_machine():
    for name, version in pins().items():
        assert re.fullmatch(r"[\d.]+((b|post)\d+)?", version), f"{name}: {version}"
        assert not name.startswith("nvidia")


def in_conda(file: str) -> dict[str, str]:
    """Versions of a conda environment's packages, by the names that they have on PyPI."""
    content = yaml.safe_load((ROOT / file).read_text())["dependencies"]
    packages = [line for line in content if isinstance(line, str)]
    assert f"python {PROJECT['requires-python']}" in packages
    versions = dict(line.split(" =") for line in packages if " =" in line)
    return {CONDA_NAMES.get(name, name): version for name, version in versions.items()}


def needed(*extras: str) -> set[str]:
    """Names of what the project needs, and its extras."""
    lines = [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    names = {Requirement(text).name for text in [*PROJECT["dependencies"], *lines]}
    return names - {PROJECT["name"]}


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("envs/segue-cpu.yaml", needed("report", "study") - {"snakemake"}),
        ("envs/segue-gpu.yaml", needed("report", "study") - {"snakemake"}),
        ("environment.yml", needed("report", "study", "data")),
    ],
)
def test_conda_environments_have_the_pinned_versions(file, names):
    found = in_conda(file)
    assert found.keys() == names
    assert found == {name: pins()[name] for name in found}


def test_the_image_copies_what_a_study_needs():
    """There is no engine to build it with everywhere: at least it names what there is."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]}
    assert all((ROOT / name).exists() for name in copied)
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in sent if line.startswith("!")}
    assert copied >= {"pyproject.toml", "src", "Snakefile", "config.yaml", "profiles", "workflow"}
    (base,) = re.findall(r"^FROM python:(\S+)-slim$", "\n".join(lines), re.MULTILINE)
    assert f"Programming Language :: Python :: {base}" in PROJECT["classifiers"]


def test_the_version_is_the_same_everywhere():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == PROJECT["version"]
