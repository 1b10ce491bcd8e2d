"""What the jobs of the studies that come with the package read."""

from pathlib import Path

import pytest
import yaml

from segue.study.study import Study

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
PAPER = ("paper_lidc", "paper_chaksu")


def study(name, **change):
    preset = yaml.safe_load((ROOT / f"workflow/studies/{name}.yaml").read_text())
    return Study.parse(preset | change, CONFIG)


@pytest.mark.parametrize("name", PAPER)
def test_a_paper_study_trains_as_the_paper_did_whatever_config_yaml_has(name):
    training = study(name).training
    assert len(training) == 120
    for run, job in training.items():
        read = job.settings
        lidc_epochs = 500 if run.aleatoric == "prob_unet" else 1000
        assert read.training.model_dump() == {
            "epochs": lidc_epochs if name == "paper_lidc" else 500,
            "batch": 32,
            "learning_rate": 1e-4,
            "weight_decay": 0.0,
            "clip": 0.5,
            "ema": 0.999,
        }
        assert read.network.model_dump() == {
            "channels": [32, 64, 128, 256],
            "blocks": 2,
            "attention": 2,
            "heads": 4,
            "group_channels": 1,
        }
        first = run.recipe == "plain" and run.member == 0
        assert read.recipe.snapshots == (30 if first else 0)
        assert read.recipe.dropout == (0.2 if run.recipe == "dropout" else 0.0)


@pytest.mark.parametrize("name", PAPER)
def test_a_paper_study_samples_as_the_paper_did(name):
    for cell, job in study(name).sampling.items():
        read = job.settings
        hypotheses = {"none": 1, "ensemble": 5}.get(cell.epistemic, 10)
        assert read.epistemic.hypotheses == hypotheses
        assert len(read.checkpoints) == (5 if cell.epistemic == "ensemble" else 1)
        assert read.sampler == ({"steps": 10} if cell.aleatoric == "diffusion" else {})
        assert (read.au_samples, read.batch) == (1 if cell.aleatoric == "softmax" else 10, 8)


def test_null_takes_an_entry_away():
    smaller = study("smoke", aleatoric={"diffusion": None}, epistemic={"ensemble": None})
    # 3 models x 4 methods less softmax-none; 3 models x (plain and dropout)
    assert len(smaller.trained) == 11
    assert len(smaller.runs) == 6
    # The picture shows ensembles, of which there is none.
    assert not [job for job in smaller.of("figure") if job.id.startswith("qualitative")]
