"""AU models as a study builds them, a training step, the draws of a batch, and their time."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from benchmarks.rows import ROOT
from segue.models.checkpoint import build
from segue.models.noise import image_noise
from segue.schema import read_yaml
from segue.study.study import Study

PAPER = ROOT / "workflow" / "studies" / "paper_lidc.yaml"


def study_of(overlay: Path | None, change: Mapping[str, Any] | None = None) -> Study:
    """The study of a file that is laid over config.yaml, with other values for some sections."""
    over = read_yaml(overlay, "a study, as config.yaml does") if overlay else {}
    defaults = read_yaml(ROOT / "config.yaml", "a study")
    return Study.parse({**over, **(change or {})}, defaults)


def model_of(study: Study, name: str) -> nn.Module:
    """An untrained AU model of a study, for grey images and two classes."""
    entry = study.config.aleatoric[name]
    return build(
        aleatoric={"method": entry.method, "options": entry.options},
        network=study.config.network.model_dump(),
        dropout=0.0,
        channels=1,
        classes=2,
        seed=0,
    )


def stepper(model: nn.Module, batch: int, side: int) -> Callable[[], None]:
    """A function that does a training step of a model, as ``segue.models.train`` does."""
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)
    image, label = torch.randn(batch, 1, side, side), torch.randint(2, (batch, side, side))

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        model.loss(image, label, torch.Generator().manual_seed(0), 100).backward()
        clip_grad_norm_(model.parameters(), 0.5)
        optimiser.step()

    model.train()
    return step


def draw(model: nn.Module, image: Tensor, draws: int, options: Mapping[str, Any]) -> Tensor:
    """All draws of a batch of images, (image, au_sample, class, y, x)."""
    with torch.inference_mode():
        return model.eval().sample(image, draws, image_noise(range(len(image)), "cpu"), **options)


def best(call: Callable[[], object], repeats: int) -> float:
    """Least CPU seconds of a call, after a first one that is not counted."""
    call()
    return min(timed(call) for _ in range(repeats))


def timed(call: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Seconds of one call, of CPU: with one thread those of a quiet machine's wall clock."""
    start = clock()
    call()
    return clock() - start
