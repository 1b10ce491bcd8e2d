"""What a page says of its study: what it is of, who made it, and what it was told."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from segue.errors import InputError
from segue.report.findings import caution
from segue.report.page.material import Material


def lead(material: Material) -> str:
    """How many cells, datasets and replicates, in a sentence."""
    grid = material.grid
    cells = _count(len({tuple(cell[1:3]) for cell in material.cells}), "cell")
    models = _count(len(grid.aleatoric), "aleatoric model")
    methods = _count(len(grid.epistemic), "epistemic method")
    datasets = ", ".join(map(grid.names.dataset, grid.datasets))
    replicates = _count(material.replicates, "replicate")
    return f"{cells} of {models} and {methods} on {datasets}; {replicates} of each."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def trust(material: Material) -> str:
    """How far to trust the intervals over trainings; empty where there are none."""
    return caution(material.replicates) if material.ranked else ""


def origin(material: Material) -> str:
    """Seed and commit of the study, in a sentence."""
    if not material.record:
        return f"Made from the files in the folder {material.name}; none says what made them."
    commit = material.record.get("software", {}).get("commit")
    seed = material.record.get("settings", {}).get("seed")
    told = "is not on record" if commit is None else f"is {commit}"
    return f"The seed of the study is {seed}. The commit of the code that made the tables {told}."


def settings(material: Material, config: Mapping[str, Any] | None) -> tuple[str, str]:
    """What the study was told, as YAML, and what that is.

    The config that the workflow's own page was made with counts where none is given.
    """
    kept = sorted((material.folder / "settings" / "page").glob("*.json"))
    if config is None and len(kept) == 1:
        config = _config(kept[0])
    if config is not None:
        return "Config of the study", _yaml(config)
    return "Settings of the tables", _yaml(material.record.get("settings", {}))


def _config(path: Path) -> Mapping[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["config"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: expected settings of a page, found: {error}; remove it"
        ) from error


def _yaml(content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None)
