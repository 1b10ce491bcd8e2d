"""Time of a training step and of sampling, for every AU model of config.yaml, on one CPU thread.

python benchmarks/models.py [--config FILE]
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import yaml
from torch import Tensor, nn

from segue.checkpoint import build
from segue.noise import image_noise
from segue.runtime import use_cpu_threads


def main() -> None:
    """Print a line for each AU model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    config = yaml.safe_load(parser.parse_args().config.read_text())
    side = next(iter(config["datasets"].values()))["options"]["crop"]
    batch, images = config["training"]["batch"], config["sampling"]["batch"]
    draws = config["sampling"]["au_samples"]
    use_cpu_threads(1)
    torch.manual_seed(0)
    seen, new = torch.randn(batch, 1, side, side), torch.randn(images, 1, side, side)
    label = torch.randint(2, (batch, side, side))

    print(f"{side} x {side} pixels; {batch} images a step; {draws} samples an image")
    print(f"{'model':12} {'ms a step':>10} {'ms an image':>12}")
    for name, entry in config["aleatoric"].items():
        model = build(
            aleatoric=entry, network=config["network"], dropout=0.0, channels=1, classes=2, seed=0
        )
        optimiser = torch.optim.AdamW(model.parameters(), fused=True)
        trained = seconds(partial(step, model, optimiser, seen, label), 10)
        sampled = seconds(partial(sample, model.eval(), new, draws, entry.get("sampling", {})), 3)
        print(f"{name:12} {1e3 * trained:10.1f} {1e3 * sampled / images:12.2f}")


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
