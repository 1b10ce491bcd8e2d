"""The grid of a study, counted from its config files: a method more there breaks no test."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from segue.study.config import overlay

ROOT = Path(__file__).parent.parent
SECTIONS = ("datasets", "aleatoric", "epistemic")


@dataclass(frozen=True)
class Grid:
    """What a study has of each dataset and replicate.

    Attributes:
        datasets, aleatoric, epistemic: names, in the order of the config.
        cells: as ``<aleatoric>-<epistemic>``.
        missing: those that are left out of the grid.
        trainings: (aleatoric, recipe, member) of each.
    """

    datasets: list[str]
    aleatoric: list[str]
    epistemic: list[str]
    cells: list[str]
    missing: list[str]
    trainings: set[tuple[str, str, int]]

    def of(self, *methods: str) -> list[str]:
        """The cells that have any of these methods, aleatoric or epistemic."""
        return [cell for cell in self.cells if set(cell.split("-")) & set(methods)]


def others(section: str, *kept: str) -> dict[str, None]:
    """What takes all entries of a section of config.yaml away but for these."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    return {name: None for name in config[section] if name not in kept}


def grid(study: str = "", **change: dict) -> Grid:
    """The grid of config.yaml, of a study that is laid over it, or of one changed further."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    if study:
        over = yaml.safe_load((ROOT / f"workflow/studies/{study}.yaml").read_text())
        config = overlay(config, over)
    config = overlay(config, change)
    there = {s: {k: v for k, v in config[s].items() if v is not None} for s in SECTIONS}
    pairs = [(a, e) for a in there["aleatoric"] for e in there["epistemic"]]
    missing = [f"{a}-{e}" for a, e in pairs if f"{a}-{e}" in config["not_applicable"]]
    kept = [(a, e) for a, e in pairs if f"{a}-{e}" not in missing]
    methods = there["epistemic"]
    return Grid(
        *(list(there[section]) for section in SECTIONS),
        [f"{a}-{e}" for a, e in kept],
        missing,
        {
            (a, methods[e]["recipe"], member)
            for a, e in kept
            for member in range(methods[e].get("members", 1))
        },
    )
