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
CONDA_NAMES = {"pytorch-cpu": "torch", "pytorch-gpu": "torch"}


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


@pytest.mark.parametrize(
    "preset", [p for p in PRESETS if p.stem != "remedies"], ids=lambda p: p.stem
)
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
        assert re.fullmatch(r"[\d.]+(post\d+)?", version), f"{name}: {version}"
        assert not name.startswith("nvidia")


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_conda_environments_have_the_pinned_versions(kind):
    packages = yaml.safe_load((ROOT / f"envs/segue-{kind}.yaml").read_text())["dependencies"]
    versions = dict(line.split(" =") for line in packages if " =" in line)
    python = next(line for line in packages if line.startswith("python "))
    assert python == f"python {PROJECT['requires-python']}"
    ours = {CONDA_NAMES.get(name, name): version for name, version in versions.items()}
    assert ours == {name: pins()[name] for name in ours}
    extras = PROJECT["optional-dependencies"]
    needed = [*PROJECT["dependencies"], *extras["report"], *extras["study"]]
    assert {Requirement(text).name for text in needed} - {"snakemake", "segue"} == ours.keys()


def test_the_version_is_the_same_everywhere():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == PROJECT["version"]
