"""Hours that all trainings and all sampling of a study take on one core, before it is run.

From the CPU time of a training step and of sampling a batch, of every AU model of the study: the
default one, or with `--config FILE` one that is laid over it. With several cores, as much less;
maps, scores and tables take little beside it.
"""

from collections.abc import Iterator, Mapping

import torch
from tqdm import tqdm

from benchmarks.networks import best, draw, model_of, stepper, study_of
from benchmarks.rows import Given, Row
from segue.errors import InputError
from segue.models.device import use_cpu_threads
from segue.study import cost, summary
from segue.study.study import Study


def rows(given: Given) -> Iterator[Row]:
    """Times and hours of each AU model on each size of images, and the sums; tiny: of one step."""
    study = study_of(given.overlay)
    config, repeats = study.config, (1, 1) if given.tiny else (10, 3)
    sizes = {n: cost.nominal(d.source, d.options) for n, d in config.datasets.items()}
    if unknown := [name for name, size in sizes.items() if size is None]:
        raise InputError(f"datasets.{unknown[0]}: its size is not known before it is prepared")
    use_cpu_threads(1)
    torch.manual_seed(0)
    sides = sorted({size.side for size in sizes.values()})
    asked = [(name, side) for name in config.aleatoric for side in sides]
    sums = [0.0, 0.0]
    for name, side in tqdm(asked, "forecast", unit="model"):
        step_s, image_s = _measured(study, name, side, repeats)
        here = {n: size for n, size in sizes.items() if size.side == side}
        hours = _wanted(study, name, (step_s, image_s), here)
        sums = [total + each for total, each in zip(sums, hours, strict=True)]
        on = f"{', '.join(here)} of {config.study}"
        row = f"{name}, {side}²"
        batch, draws = config.training.batch, config.sampling.au_samples
        yield Row(row, 1e3 * step_s, f"ms a step of {batch} images", on)
        yield Row(row, 1e3 * image_s, f"ms an image of {draws} draws", on)
        yield Row(row, hours[0], "h to train", on)
        yield Row(row, hours[1], "h to sample", on)
    for total, what in zip(sums, ("train", "sample"), strict=True):
        yield Row("all", total, f"h to {what}", f"study {config.study}")


def _measured(study: Study, name: str, side: int, repeats: tuple[int, int]) -> tuple[float, float]:
    """Seconds of a training step of an AU model, and of all draws of an image and hypothesis."""
    config = study.config
    model, images = model_of(study, name), torch.randn(config.sampling.batch, 1, side, side)
    draws, options = config.sampling.au_samples, config.aleatoric[name].sampling
    step_s = best(stepper(model, config.training.batch, side), repeats[0])
    sample_s = best(lambda: draw(model, images, draws, options), repeats[1])
    return step_s, sample_s / len(images)


def _wanted(
    study: Study, model: str, seconds: tuple[float, float], sizes: Mapping[str, cost.Size]
) -> tuple[float, float]:
    """Hours of all trainings of an AU model on some datasets, and of sampling them.

    Args:
        seconds: of a step, and of an image under one hypothesis.
    """
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
    return seconds[0] * steps / 3600, seconds[1] * images / 3600
