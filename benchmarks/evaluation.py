"""Maps and scores of a store of samples, each stage in a process of its own, as a study runs them.

What `scores`, `memory` and `scaling` read off: a store of each number of images is measured once.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from benchmarks import processes
from benchmarks.rows import ROOT, Given
from segue import plugins
from segue.study.config import Config
from segue.study.stages import STAGES
from segue.study.study import Study

HYPOTHESES, DRAWS, RATERS = 10, 10, 4
STORE, SCORES = "samples.zarr", "scores.csv"


class Sizes(NamedTuple):
    """Side of the images, and the numbers of images, the least first."""

    side: int
    images: tuple[int, ...]


FULL = Sizes(side=128, images=(50, 100, 200, 400))
TINY = Sizes(side=16, images=(8, 16))


class Measured(NamedTuple):
    """What a store took.

    Attributes:
        wall_s, cpu_s, peak_mib: of the stages ``maps`` and ``score``, imports included.
        plain: what ``benchmarks.reference`` says of the first images.
    """

    wall_s: dict[str, float]
    cpu_s: dict[str, float]
    peak_mib: dict[str, float]
    plain: dict[str, float]


def sizes(given: Given) -> Sizes:
    """Sizes that were asked for."""
    return TINY if given.tiny else FULL


def described(images: int | str, side: int) -> str:
    """A store in words."""
    return f"{images} images × {HYPOTHESES} × {DRAWS} × 2 × {side}², {RATERS} raters"


def measured(given: Given, images: int) -> Measured:
    """Write a store, map and score it, and remove it; what was measured already is read."""
    kept = given.folder.parent / f"evaluation-{images}.json"
    if kept.exists():
        return Measured(**json.loads(kept.read_text()))
    folder = given.folder / str(images)
    folder.mkdir()
    used = scored(folder, (images, HYPOTHESES, DRAWS, RATERS, sizes(given).side))
    plain = processes.run("-m", "benchmarks.reference", folder / STORE, folder / SCORES)
    shutil.rmtree(folder)
    found = Measured(
        *({stage: each[i] for stage, each in used.items()} for i in range(3)),
        json.loads(plain.output),
    )
    kept.write_text(json.dumps(found._asdict()))
    return found


def scored(folder: Path, shape: tuple[int, ...]) -> dict[str, processes.Used]:
    """Write ``STORE`` of a shape (``benchmarks.blobs.Shape``) to a folder, its maps and ``SCORES``.

    Returns:
        What each stage took.
    """
    store, maps = folder / STORE, folder / "maps.zarr"
    processes.run("-m", "benchmarks.blobs", store, json.dumps(shape))
    return {
        stage: run(stage, out, _settings(stage, store, maps))
        for stage, out in (("maps", maps), ("score", folder / SCORES))
    }


def run(stage: str, out: Path, settings: Mapping[str, Any]) -> processes.Used:
    """Run a stage as the workflow does; its settings lie beside ``out``."""
    file = out.with_name(f"{stage}.json")
    file.write_text(json.dumps(settings))
    return processes.run("-m", "segue.cli", "stage", stage, "--settings", file, "--out", out)


def imports_s(stage: str) -> float:
    """CPU seconds of the imports of a stage."""
    known = ("segue.cli", "segue.study.stages", STAGES[stage].module)
    return processes.run("-c", f"import {', '.join(known)}").cpu_s


def config_of() -> Config:
    """The config of config.yaml."""
    return Study.parse({}, yaml.safe_load((ROOT / "config.yaml").read_text())).config


def _settings(stage: str, store: Path, maps: Path) -> dict[str, Any]:
    """Settings of a stage, with all tasks and variants of config.yaml."""
    config = config_of()
    if stage == "maps":
        return {
            "dataset": str(store),
            "samples": str(store),
            "none_roles": config.uncertainty.none_roles,
            "options": plugins.taken(plugins.SUMMARISE, config.scores),
        }
    names = {"study": "benchmark", "dataset": "blobs", "aleatoric": "given", "epistemic": "given"}
    return {
        "dataset": str(store),
        "maps": str(maps),
        "key": {**names, "replicate": 0},
        "variants": config.variants,
        "options": plugins.taken(plugins.SCORE, config.scores),
        "seed": config.seed,
    }
