"""Time of a training step and of sampling, for every AU model of a study of lidc_contours.

python benchmarks/models.py [--config FILE]

From these it tells how long all trainings and all sampling of the study take on one CPU core; with
several, as much less. Maps, scores and tables take little beside them.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import yaml
from torch import Tensor, nn

from segue.models.checkpoint import build
from segue.models.device import use_cpu_threads
from segue.models.noise import image_noise
from segue.study import cost
from segue.study.study import Study


def main() -> None:
    """Print a line for each AU model, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, help="a study to lay over config.yaml")
    overlay = parser.parse_args().config
    study = Study.parse(
        yaml.safe_load(overlay.read_text()) if overlay else {},
        yaml.safe_load(Path("config.yaml").read_text()),
    )
    config = study.config
    size = cost.nominal("lidc_contours", config.datasets["lidc_contours"].options)
    side = size.side
    images, draws = config.sampling.batch, config.sampling.au_samples
    use_cpu_threads(1)
    torch.manual_seed(0)

    print(f"{side} x {side} pixels; {draws} samples an image and hypothesis")
    line = "{:12} {:>10} {:>12} {:>11} {:>10}"
    print(line.format("model", "ms a step", "ms an image", "h to train", "to sample"))
    sums = [0.0, 0.0]
    for name, entry in config.aleatoric.items():
        training = config.training_of(name)
        seen = torch.randn(training.batch, 1, side, side)
        label = torch.randint(2, (training.batch, side, side))
        new = torch.randn(images, 1, side, side)
        model = build(
            aleatoric={"method": entry.method, "options": entry.options},
            network=config.network.model_dump(),
            dropout=0.0,
            channels=1,
            classes=2,
            seed=0,
        )
        optimiser = torch.optim.AdamW(model.parameters(), fused=True)
        step_s = seconds(partial(step, model, optimiser, seen, label), 10)
        sampling = partial(sample, model.eval(), new, draws, entry.sampling)
        image_s = seconds(sampling, 3) / images
        steps = training.epochs * -(-size.images["train"] // training.batch)
        runs, hypotheses = wanted(study, name)
        hours = (step_s * steps * runs / 3600, image_s * size.sampled * hypotheses / 3600)
        sums = [total + each for total, each in zip(sums, hours, strict=True)]
        times = (f"{1e3 * step_s:.1f}", f"{1e3 * image_s:.2f}")
        print(line.format(name, *times, *(f"{each:.2f}" for each in hours)))
    print(line.format("all", "", "", *(f"{each:.2f}" for each in sums)))


def wanted(study: Study, model: str) -> tuple[int, int]:
    """Trainings of an AU model in the whole study, and hypotheses that are sampled of it."""
    runs = sum(run.aleatoric == model for run in study.runs)
    epistemic = [cell.epistemic for cell in study.trained if cell.aleatoric == model]
    return runs, sum(study.config.epistemic[name].hypotheses for name in epistemic)


def step(model: nn.Module, optimiser: torch.optim.Optimizer, image: Tensor, label: Tensor) -> None:
    """One training step."""
    optimiser.zero_grad()
    model.loss(image, label, torch.Generator().manual_seed(0), 100).backward()
    optimiser.step()


def sample(model: nn.Module, image: Tensor, draws: int, options: dict[str, int]) -> None:
    """All samples of a batch of images."""
    with torch.inference_mode():
        model.sample(image, draws, image_noise(range(len(image)), "cpu"), **options)


def seconds(call: Callable[[], None], repeats: int) -> float:
    """Mean time of a call, after a first one that is not counted."""
    call()
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


if __name__ == "__main__":
    main()
