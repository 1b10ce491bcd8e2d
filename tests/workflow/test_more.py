"""Plug-ins that the smoke study does not have, found on disk, run from the training on."""

from itertools import product

import pandas as pd
import pytest
import yaml
from plugged import MOST, aleatoric_entry, epistemic_entry, fits, schedule_entry
from study import ROOT, Study

from segue import plugins
from segue.study import needs

pytestmark = pytest.mark.workflow

DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
SMOKE = yaml.safe_load((ROOT / "workflow/studies/smoke.yaml").read_text())
NETS = """
from torch import nn


class Plain(nn.Module):
    def __init__(self, in_channels: int, features: int, *, layers: int) -> None:
        super().__init__()
        sizes = [in_channels, *[features] * layers]
        pairs = zip(sizes, sizes[1:])
        self.layers = nn.Sequential(*(nn.Conv2d(a, b, 3, padding=1) for a, b in pairs))

    def forward(self, x):
        return self.layers(x)
"""


def more(kind: str) -> list[str]:
    """Plug-ins of a kind that no entry of config.yaml names."""
    named = {entry["method"] for entry in DEFAULT[kind].values()}
    return [name for name in plugins.available(kind) if name not in named]


def config() -> dict:
    """Each new AU model with `swag`, each new EU method with an AU model that it fits.

    Methods of snapshots are there once for each schedule.
    """
    schedules = plugins.available("schedules")
    recipes = {
        name: {"dropout": 0.0, "snapshots": MOST, "schedule": schedule_entry(name)}
        for name in schedules
    }
    aleatoric = {f"more_{name}": aleatoric_entry(name) for name in more("aleatoric")}
    cells, epistemic = {f"{name}-swag" for name in aleatoric}, {}
    for name in more("epistemic"):
        of_snapshots = needs.of(name).get("hypotheses_from") == "snapshots"
        for recipe in schedules if of_snapshots else [None]:
            entry = epistemic_entry(name)
            called = f"more_{name}_{recipe}" if recipe else f"more_{name}"
            epistemic[called] = entry | ({"recipe": recipe} if recipe else {})
            cells.add(f"{'ssn' if fits('ssn', name) else 'softmax'}-{called}")
    whole = product([*DEFAULT["aleatoric"], *aleatoric], [*DEFAULT["epistemic"], *epistemic])
    return {
        **SMOKE,
        "study": "more",
        "aleatoric": {**SMOKE["aleatoric"], **aleatoric},
        "epistemic": {**SMOKE["epistemic"], **epistemic},
        "recipes": {**SMOKE["recipes"], **recipes},
        "not_applicable": sorted({f"{a}-{e}" for a, e in whole} - cells),
    }


def test_each_runs_from_the_training_to_the_scores(tmp_path):
    study = Study(tmp_path / "project", given := config())
    study.run("--cores", "2", "--until", "score")
    names = [{**DEFAULT[kind], **given[kind]} for kind in ("aleatoric", "epistemic")]
    cells = {f"{a}-{e}" for a, e in product(*names)} - set(given["not_applicable"])
    assert len(cells) >= len(more("aleatoric")) + len(more("epistemic"))
    for cell in cells:
        table = pd.read_csv(study.results / f"scores/lidc_contours/{cell}/rep0/scores.csv")
        insight = table[table["metric"] == "collective_insight"]["score"]
        assert insight.between(0, 1).all()
        assert len(insight)


def test_an_own_network_is_tried_by_a_dry_run_and_trained(tmp_path):
    whole = [f"{a}-{e}" for a, e in product(DEFAULT["aleatoric"], DEFAULT["epistemic"])]
    given = {**SMOKE, "not_applicable": [cell for cell in whole if cell != "ssn-none"]}
    own = {"name": "my_nets:Plain", "options": {"layers": 2}}
    given["network"] = {**SMOKE["network"], "own": own}
    study = Study(tmp_path / "project", given)
    (study.folder / "src/my_nets.py").write_text(NETS)  # a folder that PYTHONPATH names
    broken = study.snakemake("-n", change={"network": {"own": {"options": {"layers": 0}}}})
    assert broken.returncode == 1
    assert "network.own.name: my_nets:Plain has to map" in broken.stdout
    study.run("--cores", "2", "--until", "sample")
    assert len(list(study.results.glob("samples/lidc_contours/ssn-none/rep0/samples.zarr"))) == 1
