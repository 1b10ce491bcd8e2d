"""What the jobs of the studies that come with the package read."""

from pathlib import Path

import pytest
import torch
import yaml
from counted import grid
from torch import nn

from segue.models.checkpoint import build
from segue.models.networks.unet import Attention, ResBlock
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
    assert len(training) == 5 * len(grid(name).trainings)  # replicates
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
            "patch": 1,
        }
        first = run.recipe == "plain" and run.member == 0
        assert read.recipe.snapshots == (30 if first else 0)
        assert read.recipe.dropout == (0.2 if run.recipe == "dropout" else 0.0)


def test_few_images_are_trained_on_for_as_many_steps_as_many_are():
    """Of the study `sources`, in which SWAG's snapshots are of as many steps as well."""
    first = {run: job for run, job in study("sources").training.items() if run.recipe == "plain"}
    read = {run.dataset: job.settings for run, job in first.items() if run.member == 0}
    many = read["phantom"]
    for images in (80, 160, 320):
        few, times = read[f"images_{images}"], 640 // images
        assert few.training.epochs == times * many.training.epochs
        assert few.recipe.collect.epochs == times * many.recipe.collect.epochs


@pytest.mark.parametrize(
    ("share", "epochs", "collected"), [(0.25, 4, 1), (0.25, 6, 2), (0.1, 30, 3), (2.0, 3, 6)]
)
def test_snapshots_are_collected_for_a_share_of_the_training_in_whole_epochs(
    share, epochs, collected
):
    recipes = {"plain": {"collect": {"share": share}}}
    change = {"recipes": recipes, "training": {"epochs": epochs}}
    training = Study.parse(change, CONFIG).training
    read = {run.member: job.settings for run, job in training.items() if run.recipe == "plain"}
    assert read[0].recipe.collect.epochs == collected
    assert read[1].recipe.collect is None


PARAMETERS = {
    "softmax": 15_410_818,
    "ssn": 15_417_240,
    "prob_unet": 16_298_042,
    "diffusion": 15_807_778,
}


def parameters(of: nn.Module) -> int:
    return sum(p.numel() for p in of.parameters())


def idle(of: nn.Module) -> int:
    """Parameters that the published networks have beside ours where there is no time.

    Each of their residual blocks has a linear layer of 128 features of a time, here as well: its
    weights see nothing, and its bias is added to that of a convolution.
    """
    blocks = [m for m in of.modules() if isinstance(m, ResBlock) and m.time is None]
    return sum((128 + 1) * block.first[-1].out_channels for block in blocks)


@pytest.mark.parametrize("method", PARAMETERS)
def test_the_paper_s_networks_have_the_paper_s_size(method):
    """The published numbers of parameters are 15.8 and 16.89 million = 9.30 + 3.79 + 3.79."""
    job = next(j for run, j in study("paper_lidc").training.items() if run.aleatoric == method)
    settings = job.settings
    with torch.device("meta"):
        model = build(
            aleatoric=settings.aleatoric.model_dump(),
            network=settings.network.model_dump(),
            dropout=0.0,
            channels=1,
            classes=2,
            seed=0,
        )
    assert parameters(model) == PARAMETERS[method]
    if method != "prob_unet":
        assert (parameters(model) + idle(model)) / 1e6 == pytest.approx(15.8, abs=0.05)
        return
    assert (parameters(model) + idle(model)) / 1e6 == pytest.approx(16.89, abs=0.005)
    nets = (model.network, model.prior, model.posterior)
    millions = [(parameters(net) + idle(net)) / 1e6 for net in nets]
    assert millions == pytest.approx([9.30, 3.79, 3.79], abs=0.005)
    norms = [m for m in model.modules() if isinstance(m, nn.GroupNorm)]
    assert all(m.num_groups == 32 for m in norms)
    assert {m.heads for m in model.modules() if isinstance(m, Attention)} == {4}


@pytest.mark.parametrize("name", PAPER)
def test_a_paper_study_samples_as_the_paper_did(name):
    hypotheses = {"none": 1, "dropout": 10, "swag_diag": 10, "swag": 10, "ensemble": 5}
    published = {
        cell: job.settings
        for cell, job in study(name).sampling.items()
        if cell.aleatoric in PARAMETERS and cell.epistemic in hypotheses
    }
    assert len(published) == 5 * 19
    for cell, read in published.items():
        assert read.epistemic.hypotheses == hypotheses[cell.epistemic]
        assert len(read.checkpoints) == (5 if cell.epistemic == "ensemble" else 1)
        assert read.sampler == ({"steps": 10} if cell.aleatoric == "diffusion" else {})
        assert (read.au_samples, read.batch) == (1 if cell.aleatoric == "softmax" else 10, 8)


def test_null_takes_an_entry_away():
    taken = {"aleatoric": {"diffusion": None}, "epistemic": {"ensemble": None}}
    smaller, whole = study("smoke", **taken), grid("smoke")
    gone = whole.of("diffusion", "ensemble")
    assert len(gone) == len(whole.of("diffusion")) + len(whole.of("ensemble")) - 1  # one is both
    assert len(smaller.trained) == len(whole.cells) - len(gone)
    assert not {"diffusion", "ensemble"} & {name for cell in smaller.trained for name in cell[1:3]}
    assert len(smaller.runs) == len(grid("smoke", **taken).trainings)
    # The picture shows ensembles, of which there is none.
    assert not [job for job in smaller.of("figure") if job.id.startswith("qualitative")]
