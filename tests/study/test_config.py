"""The config, its schema and presets, and the versions that are written in several places."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
PRESETS = sorted(ROOT.glob("workflow/studies/*.yaml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"pytorch-cpu": "torch", "pytorch-gpu": "torch"}


def merged(base, change):
    """Lay ``change`` over ``base`` as Snakemake does: dicts are merged, all else is replaced."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    return base | {key: merged(base.get(key), value) for key, value in change.items()}


def study(preset: Path | None) -> dict:
    """The config of a study; entries that a preset says are null are taken away."""
    config = merged(CONFIG, yaml.safe_load(preset.read_text()) if preset else {})
    for section in ("datasets", "aleatoric", "epistemic", "recipes"):
        config[section] = {k: v for k, v in config[section].items() if v is not None}
    return config


def described(schema: dict, where: str) -> Iterator[tuple[str, dict]]:
    """Every key that a schema knows, with its own schema."""
    for key, value in schema.get("properties", {}).items():
        yield f"{where}.{key}", value
        yield from described(value, f"{where}.{key}")
    for key in ("additionalProperties", "items"):
        if isinstance(schema.get(key), dict):
            yield from described(schema[key], f"{where}.*")


def pins() -> dict[str, str]:
    lines = (ROOT / "envs/constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_every_key_is_described():
    keys = [*described(SCHEMA, ""), *described(SCHEMA["$defs"]["training"], "training")]
    keys += described(SCHEMA["$defs"]["resources"], "resources")
    bare = [name for name, schema in keys if not schema.keys() & {"description", "$ref"}]
    assert not bare


def test_unknown_keys_are_refused_wherever_keys_are_known():
    open_ended = [
        name
        for name, schema in [("", SCHEMA), *described(SCHEMA, ""), *SCHEMA["$defs"].items()]
        if "properties" in schema and schema.get("additionalProperties") is not False
    ]
    assert not open_ended


@pytest.mark.parametrize("preset", [None, *PRESETS], ids=lambda p: p.stem if p else "quick")
def test_the_studies_are_valid(preset):
    Draft202012Validator(SCHEMA).validate(study(preset))
    assert study(preset)["study"] == (preset.stem if preset else "quick")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.stem)
def test_presets_add_no_method(preset):
    """A name that config.yaml does not have would add to the grid: here, a misspelt one."""
    for section in ("aleatoric", "epistemic", "recipes"):
        assert study(preset)[section].keys() <= CONFIG[section].keys()


def test_pins_satisfy_the_ranges_of_the_project():
    extras = PROJECT["optional-dependencies"].values()
    for text in [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]:
        requirement = Requirement(text)
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
    needed = {Requirement(text).name for text in PROJECT["dependencies"]} - {"snakemake"}
    assert needed == ours.keys()


def test_the_version_is_the_same_everywhere():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == PROJECT["version"]
