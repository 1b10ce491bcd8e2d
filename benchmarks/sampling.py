"""What ten draws of an image cost, in passes of the network.

The network and images of 128 × 128 are those of `workflow/studies/paper_lidc.yaml`, with one
thread. SSN and Prob. U-Net need one pass for all draws: their time is divided by that of softmax,
one pass of the same network. Diffusion needs a pass a draw and step: its time is divided by that of
so many passes of its own network. CPU time, the best of several.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from tqdm import tqdm

from benchmarks.networks import PAPER, draw, model_of, study_of, timed
from benchmarks.rows import Given, Row
from benchmarks.training import SMALL
from segue.models.device import use_cpu_threads


class Sizes(NamedTuple):
    """Side of the images, images of a batch, draws, and how often each, and diffusion, is timed."""

    side: int
    images: int
    draws: int
    repeats: int
    slow: int


FULL = Sizes(side=128, images=2, draws=10, repeats=5, slow=2)
TINY = Sizes(side=16, images=1, draws=2, repeats=1, slow=1)


def rows(given: Given) -> Iterator[Row]:
    """Seconds of a softmax pass, and the ratios."""
    sizes = TINY if given.tiny else FULL
    study = study_of(PAPER, {"network": SMALL} if given.tiny else None)
    use_cpu_threads(1)
    torch.manual_seed(0)
    models = {name: model_of(study, name).eval() for name in study.config.aleatoric}
    options = {name: study.config.aleatoric[name].sampling for name in models}
    images = torch.randn(sizes.images, 1, sizes.side, sizes.side)

    def sample(name: str, images: torch.Tensor) -> float:
        return timed(lambda: draw(models[name], images, sizes.draws, options[name]))

    def passed(images: torch.Tensor) -> float:
        """Seconds of one pass of diffusion's network for all draws."""
        repeated = images.repeat_interleave(sizes.draws, dim=0)
        noisy, time = torch.randn(len(repeated), 2, *images.shape[2:]), torch.rand(len(repeated))
        with torch.inference_mode():
            return timed(lambda: models["diffusion"].denoise(repeated, noisy, time))

    one_pass = ("softmax", "ssn", "prob_unet")
    # In turns, so that another load would slow all of them. Diffusion takes one image only, for
    # which it needs a hundred passes.
    rounds = {name: [] for name in (*models, "passes")}
    for _ in tqdm(range(sizes.repeats), "sampling, one pass", unit="round"):
        for name in one_pass:
            rounds[name].append(sample(name, images))
    for _ in tqdm(range(sizes.slow), "sampling, diffusion", unit="round"):
        rounds["passes"].append(passed(images[:1]))
        rounds["diffusion"].append(sample("diffusion", images[:1]))
    least = {name: min(seconds) for name, seconds in rounds.items()}
    on = f"{sizes.draws} draws of {sizes.images} images of {sizes.side} × {sizes.side}"
    yield Row("softmax, one pass", 1e3 * least["softmax"] / sizes.images, "ms an image", on)
    for name in one_pass[1:]:
        yield Row(name, least[name] / least["softmax"], "passes of softmax", on, "≤ 1.2")
    steps = options["diffusion"]["steps"]
    ratio = least["diffusion"] / (steps * least["passes"])
    on = f"{sizes.draws} draws of an image in {steps} steps each"
    yield Row("diffusion", ratio, "of its passes", on, "≤ 1.05")
