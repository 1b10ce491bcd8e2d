"""Time of a training step and of sampling, for every AU model of a study.

python benchmarks/models.py [--config FILE]

From these it tells how long all trainings and all sampling of the study take on one CPU core; with
several, as much less. Maps, scores and tables take little beside them.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
import yaml
from torch import Tensor, nn

from segue.models.checkpoint import build
from segue.models.device import use_cpu_threads
from segue.models.noise import image_noise
from segue.study import cost, summary
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
    sizes = {n: cost.nominal(d.source, d.options) for n, d in config.datasets.items()}
    unknown = [name for name, size in sizes.items() if size is None]
    if unknown:
        parser.error(f"the size of {', '.join(unknown)} is not known before it is prepared")
    use_cpu_threads(1)
    torch.manual_seed(0)

    line = "{:12} {:>6} {:>10} {:>12} {:>11} {:>10}"
    print(line.format("model", "pixels", "ms a step", "ms an image", "h to train", "to sample"))
    sums = [0.0, 0.0]
    for name in config.aleatoric:
        for side in sorted({size.side for size in sizes.values()}):
            step_s, image_s = measured(study, name, side)
            here = {n for n, size in sizes.items() if size.side == side}
            hours = wanted(study, name, step_s, image_s, {n: sizes[n] for n in here})
            sums = [total + each for total, each in zip(sums, hours, strict=True)]
            times = (f"{1e3 * step_s:.1f}", f"{1e3 * image_s:.2f}")
            print(line.format(name, side, *times, *(f"{each:.2f}" for each in hours)))
    print(line.format("all", "", "", "", *(f"{each:.2f}" for each in sums)))


def measured(study: Study, name: str, side: int) -> tuple[float, float]:
    """Seconds of a training step of an AU model, and of all draws of an image and hypothesis."""
    config = study.config
    entry, batch, images = config.aleatoric[name], config.training.batch, config.sampling.batch
    model = build(
        aleatoric={"method": entry.method, "options": entry.options},
        network=config.network.model_dump(),
        dropout=0.0,
        channels=1,
        classes=2,
        seed=0,
    )
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)
    seen, label = torch.randn(batch, 1, side, side), torch.randint(2, (batch, side, side))
    new = torch.randn(images, 1, side, side)
    draws = config.sampling.au_samples
    return (
        seconds(partial(step, model, optimiser, seen, label), 10),
        seconds(partial(sample, model.eval(), new, draws, entry.sampling), 3) / images,
    )


def wanted(
    study: Study, model: str, step_s: float, image_s: float, sizes: Mapping[str, cost.Size]
) -> tuple[float, float]:
    """Hours of all trainings of an AU model on some datasets, and of sampling them."""
    steps = sum(
        summary.epochs(job.settings)
        * -(-sizes[run.dataset].images["train"] // job.settings.training.batch)
        for run, job in study.training.items()
        if run.aleatoric == model and run.dataset in sizes
    )
    images = sum(
        sizes[cell.dataset].sampled * study.config.epistemic[cell.epistemic].hypotheses
        for cell in study.trained
        if cell.aleatoric == model and cell.dataset in sizes
    )
    return step_s * steps / 3600, image_s * images / 3600


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
