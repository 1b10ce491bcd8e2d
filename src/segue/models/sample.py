"""Sampling: for each hypothesis, for each batch, draw from the model. Where AU and EU meet.

Writes ``samples.zarr``: per split but ``train`` an array ``probs`` (image, eu_sample, au_sample,
class, y, x), float32, of which all classes but the first are stored, as float16
(``segue.left_out``). A batch of one hypothesis is one chunk, and some batches are one file, which
is written at once: so memory is flat, and an interrupted run goes on with the files that are
missing.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from segue import dims, integrity, plugins, rounding, shards, store
from segue.errors import InputError
from segue.left_out import COMPLEMENT
from segue.models import checkpoint, examples
from segue.models.behind import writer
from segue.models.device import (
    enough_memory,
    moved,
    name_of,
    pick_device,
    resumable,
    use_cpu_threads,
)
from segue.models.fitting import fitting
from segue.models.networks import dropout
from segue.models.noise import image_noise
from segue.models.precision import autocast
from segue.progress import progress
from segue.seeds import derive, rng


@enough_memory("no image fits; take fewer sampling.au_samples")
def sample(
    out: Path,
    *,
    dataset: str,
    checkpoints: list[str],
    aleatoric: str,
    own: str | None = None,
    sampler: dict[str, Any],
    epistemic: dict[str, Any],
    au_samples: int,
    noise: str,
    bits: int = rounding.ALL["float16"],
    batch: int,
    labels: list[str],
    seed: int,
    work: str,
    threads: int,
    gpu: int = 1,
) -> str:
    """Sample every image of every split but ``train`` under every weight hypothesis.

    Returns the device's name.

    Args:
        out: path of the new store.
        dataset: path of the dataset store.
        checkpoints: paths of the trainings that the EU method needs.
        aleatoric: method of the AU model that the trainings are of.
        own: name of the network that takes the place of the U-Net in them, if one does.
        sampler: keyword options of the AU model's ``sample``.
        epistemic: ``method``, ``hypotheses`` (how many) and ``options`` of the EU method.
        au_samples: draws for each image and hypothesis.
        noise: ``independent``, each hypothesis of an image has draws of its own; or ``common``, all
            have the same ones (common random numbers). Differences between hypotheses are then
            theirs and not the draws': the epistemic uncertainty has less of the Monte-Carlo noise.
        bits: of the mantissa that probabilities keep, 10 at most (``segue.rounding``).
        batch: images a chunk, and a network call where a GPU's memory holds so many.
        labels: what tells this cell from the study's others; its noise derives from them.
        seed: the study's.
        work: folder of the unfinished store; removed at the end.
        threads: of the CPU.
        gpu: 1 for a GPU if there is one, 0 for the CPU.

    Raises:
        InputError: trainings of another AU model or network, no such EU method, options that it or
            the sampler does not have, another process samples this cell, or a single image needs
            more memory than the GPU has.
    """
    rounding.check(bits, "float16", "samples.bits")
    use_cpu_threads(threads)
    device = pick_device(gpu)
    seed = derive(seed, "sample", *labels)
    trained = [checkpoint.load(path) for path in checkpoints]
    for path, each in zip(checkpoints, trained, strict=True):
        if (found := each.note["model"]["aleatoric"]["method"]) != aleatoric:
            raise InputError(f"{path}: expected a training of {aleatoric}, found one of {found}")
        if (found := (each.note["model"]["network"].get("own") or {}).get("name")) != own:
            raise InputError(f"{path}: expected a training of network.own {own}, found {found}")
    model = checkpoint.build(**trained[0].note["model"], seed=seed).to(device)
    plugins.check_options("aleatoric", aleatoric, "Model.sample", sampler, "sampler")
    n, options = epistemic["hypotheses"], epistemic.get("options", {})
    method = plugins.require("epistemic", epistemic["method"], "epistemic.method")
    plugins.check_options("epistemic", method, "hypotheses", options, "epistemic.options")
    more = []
    if plugins.literal(plugins.module("epistemic", method), "NEEDS", {}).get("data"):
        more.append(partial(_training_data, dataset, batch, seed, device))
    hypotheses = plugins.load("epistemic", method).hypotheses(
        model, trained, n, seed, *more, **options
    )
    splits = [name for name in store.splits(Path(dataset)) if name != "train"]
    images = {name: store.open_split(Path(dataset), name)["image"] for name in splits}
    made_by = {
        "labels": labels,
        "seed": seed,
        "sampler": sampler,
        "epistemic": epistemic,
        "au_samples": au_samples,
        "noise": noise,
        "bits": bits,
        "batch": batch,
        "checkpoints": [member.note for member in trained],
        "dataset": store.attributes(Path(dataset)),
    }

    with (
        resumable(Path(work), made_by),
        store.publish(out, Path(work) / out.name) as path,
        progress(total=n * sum(map(len, images.values())), desc="/".join(labels)) as bar,
        writer() as write,
    ):

        def fixed(model: nn.Module, images: xr.DataArray, seeds: list[tuple[int, int]]) -> Tensor:
            return _draw(model, images, au_samples, seeds, sampler, device)

        draw = fitting(fixed, batch)
        probe = draw(model, next(iter(images.values()))[:1], [(0, 0)])
        store.describe(path, {"made_by": made_by})
        shard = shards.images(probe[:, :, 1:].nbytes, batch)
        arrays = {
            name: store.create(
                path,
                name,
                "probs",
                dims.SAMPLES,
                (len(images[name]), n, *probe.shape[1:]),
                "float32",
                chunk=batch,
                shard=shard,
                fill=np.nan,
                without=COMPLEMENT,
                stored_as="float16",
            )
            for name in splits
        }
        for index, hypothesis in enumerate(hypotheses):
            for name, array in arrays.items():
                for file in _parts(range(len(images[name])), shard):
                    if integrity.whole(array, (file.start, index, 0, 0, 0, 0)):
                        bar.update(len(file))
                        continue
                    drawn = []
                    for part in _parts(file, batch):
                        seeds = [_seeds(seed, name, index, i, noise) for i in part]
                        given = images[name][part.start : part.stop]
                        drawn.append(draw(hypothesis, given, seeds))
                        bar.update(len(part))
                    place = slice(file.start, file.stop), index
                    write(array, place, partial(_to_store, drawn, bits))
    return name_of(device)


def _draw(
    hypothesis: nn.Module,
    images: xr.DataArray,
    au_samples: int,
    seeds: list[tuple[int, int]],
    sampler: dict[str, Any],
    device: torch.device,
) -> Tensor:
    """Probabilities (image, au_sample, class, y, x) as float16, on the device.

    Args:
        seeds: of each image, see ``_seeds``.
    """
    draws, masks = (image_noise(each, device) for each in zip(*seeds, strict=True))
    dropout.redraw_from(hypothesis, masks, len(images))
    batch = moved(torch.from_numpy(images.values), device).to(memory_format=torch.channels_last)
    with torch.inference_mode(), autocast(device):
        probs = hypothesis.eval().sample(batch, au_samples, draws, **sampler)
    return probs.half()


def _training_data(
    dataset: str, batch: int, seed: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Each training image once, with a rater drawn from those who labelled any of it.

    Yields:
        Images (image, channel, y, x) and labels (image, y, x), ``batch`` at a time, on the device.
    """
    data = examples.read(store.open_split(Path(dataset), "train"), dataset)
    raters = torch.from_numpy(examples.raters(data.there, rng(seed, "raters")))
    for part in torch.arange(len(data.images)).split(batch):
        yield examples.batch(data, part, raters[part], device)


def _to_store(drawn: list[Tensor], bits: int) -> np.ndarray:
    """Drawn probabilities of successive images, rounded; here it is that one waits for a GPU."""
    return rounding.rounded(torch.cat(drawn).cpu().numpy(), bits)


def _seeds(seed: int, split: str, hypothesis: int, image: int, noise: str) -> tuple[int, int]:
    """Seeds of an image's draws, and of its dropout masks where a hypothesis redraws them.

    Masks are a hypothesis's own even where it shares the noise of its draws with others.
    """
    own = derive(seed, split, hypothesis, image)
    draws = own if noise == "independent" else derive(seed, split, image)
    return draws, derive(own, "masks")


def _parts(images: range, size: int) -> Iterator[range]:
    """``size`` images at a time, the last of them perhaps fewer."""
    for start in images[::size]:
        yield range(start, min(start + size, images.stop))
