"""Megabytes a second and bytes a sample of a store of samples, as the stage `sample` writes it.

A small SSN is trained for seconds on `phantom`, then sampled by that stage. Writing is what the
stage takes beyond drawing: compressing, checksums, files, and looking at the end whether all is
there. Reading is that of the stage `maps`, from a store that was just written. Both in wall clock.
A megabyte is 10⁶ bytes of probabilities of all classes in 16 bits, whatever is stored of them.
"""

import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
import xarray as xr

from benchmarks.networks import draw, model_of, study_of, timed
from benchmarks.rows import Given, Row
from segue import store
from segue.blocks import blocks
from segue.data.prepare import prepare
from segue.models.device import use_cpu_threads
from segue.models.sample import sample
from segue.models.train import train


class Sizes(NamedTuple):
    """Side of the images, how many to train on and to sample of each split, and epochs."""

    side: int
    train: int
    sampled: int
    epochs: int


FULL = Sizes(side=128, train=200, sampled=16, epochs=3)
TINY = Sizes(side=16, train=5, sampled=2, epochs=1)


def rows(given: Given) -> Iterator[Row]:
    """Speeds of writing and reading, and bytes of a sample."""
    sizes = TINY if given.tiny else FULL
    study = study_of(None)
    data, model, made = (given.folder / name for name in ("dataset.zarr", "model.pt", "made.zarr"))
    images = {"train": sizes.train, "val": sizes.sampled, "id": sizes.sampled}
    options = {"side": sizes.side, "images": images}
    prepare(data, source="phantom", options=options, seed=0, threads=1)
    entry, config = study.config.aleatoric["ssn"], study.config
    method = {"method": "ssn", "options": entry.options}
    train(
        model,
        dataset=str(data),
        aleatoric=method,
        network=config.network.model_dump(),
        recipe={"dropout": 0.2, "snapshots": 0},
        training=config.training.model_dump() | {"epochs": sizes.epochs},
        labels=["benchmark"],
        seed=0,
        work=str(given.folder / "training"),
        threads=1,
        gpu=0,
    )
    batch, draws = config.sampling.batch, config.sampling.au_samples
    hypotheses = config.epistemic["dropout"].hypotheses

    def write() -> None:
        sample(
            made,
            dataset=str(data),
            checkpoints=[str(model)],
            aleatoric="ssn",
            sampler=entry.sampling,
            epistemic={"method": "dropout", "hypotheses": hypotheses, "options": {"redraw": False}},
            au_samples=draws,
            noise=config.sampling.noise,
            bits=config.samples.bits,
            batch=batch,
            labels=["benchmark"],
            seed=0,
            work=str(given.folder / "sampling"),
            threads=1,
            gpu=0,
        )

    def read() -> None:
        for name in store.splits(made):
            stored = store.as_stored(made, name, "probs")
            for _ in blocks(xr.Dataset({"probs": stored}), "probs"):
                pass

    stage = timed(write, time.perf_counter)
    arrays = [store.open_split(made, name)["probs"] for name in store.splits(made)]
    use_cpu_threads(1)
    drawing = hypotheses * sum(_drawing(study, len(each), batch, sizes.side) for each in arrays)
    megabytes = 2 * sum(each.size for each in arrays) / 1e6
    samples = sum(math.prod(each.shape[:3]) for each in arrays)
    kept = sum(file.stat().st_size for file in made.rglob("*") if file.is_file())
    on = f"{samples:,} samples of two classes of {sizes.side} × {sizes.side}, {megabytes:.1f} MB"
    yield Row("stage sample, drawing included", megabytes / stage, "MB/s", on)
    yield Row("writing", megabytes / max(stage - drawing, 1e-9), "MB/s", on)
    yield Row("reading", megabytes / timed(read, time.perf_counter), "MB/s", on)
    yield Row("on disk", kept / samples, "bytes a sample", on)
    yield Row("on disk", 100 * kept / (1e6 * megabytes), "% of 16 bits a class", on)


def _drawing(study, images: int, batch: int, side: int) -> float:
    """Seconds of drawing a split under one hypothesis, without a store."""
    model, draws = model_of(study, "ssn"), study.config.sampling.au_samples
    starts = range(0, images, batch)
    given = [torch.randn(min(batch, images - start), 1, side, side) for start in starts]
    return sum(
        timed(lambda each=each: draw(model, each, draws, {}), time.perf_counter) for each in given
    )
