"""Which code each stage computes with: its own module, and the plug-ins that its settings name."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

from segue import digests, plugins
from segue.schema import Record
from segue.study import settings as of
from segue.study.fingerprint import code_id

_MODULES = {
    "prepare": "segue.data.prepare",
    "card": "segue.report.card",
    "train": "segue.models.train",
    "sample": "segue.models.sample",
    "given": "segue.evaluation.check",
    "maps": "segue.evaluation.maps",
    "score": "segue.evaluation.score",
    "tables": "segue.report.tables",
    "page": "segue.report.page.write",
}
_ASSETS = Path(__file__).parent.parent / "report" / "page" / "assets"


def code(stage: str, settings: Record) -> str:
    """Fingerprint of the code of a job of a stage; plug-ins are those that its settings name."""
    named: list[tuple[str, str]] = []
    network = None
    match settings:
        case of.Prepare(source=source):
            named = [("sources", source)]
        case of.Train(aleatoric=method, recipe=recipe):
            named = [("aleatoric", method.method)]
            if recipe.schedule:
                named.append(("schedules", recipe.schedule.method))
            network = settings.network.own and settings.network.own.name
        case of.Sample(aleatoric=model, epistemic=method, own=network):
            named = [("epistemic", method.method), ("aleatoric", model)]
        case of.Maps(options=options) | of.Score(options=options):
            named = [("tasks", task) for task in options]
        case of.AllTables(options=options):
            named = [("tasks", task) for task in options.tasks]
        case of.Figure(figure=name) | of.Qualitative(figure=name) | of.Curves(figure=name):
            named = [("figures", name)]
    own = [_MODULES[stage]] if stage in _MODULES else []
    found = code_id(*own, *(plugins.module(kind, name) for kind, name in named))
    if stage == "page":  # its template, style and scripts are no modules
        texts = [file.read_text(encoding="utf-8") for file in sorted(_ASSETS.iterdir())]
        return digests.of_json([found, texts])[:16]
    return f"{found}-{_of_network(network)}" if network else found


def _of_network(name: str) -> str:
    """Fingerprint of a network ``package.module:Class``, with what it imports of its package."""
    module = name.partition(":")[0]
    return code_id(module, root=plugins.root(module))


def software() -> dict[str, Any]:
    """Versions of what computes, for the record of how a result was made."""
    found = {"python": python_version()}
    if known := commit():
        found["commit"] = known
    for package in ("segue", "numpy", "torch", "xarray", "zarr"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def commit(root: Path = Path(__file__).parents[3]) -> str:
    """The commit of a checkout, ending in ``-dirty`` after other changes; empty without one."""
    if not (root / ".git").exists():  # else a repository that holds the environment would answer
        return ""
    words = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    command = ["git", "--no-optional-locks", "-C", str(root), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
