"""What a run says first: the files it read, what it will do, and what that will cost."""

import functools
import importlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from segue import stamp
from segue.errors import InputError
from segue.schema import read_yaml
from segue.study import cost, disk
from segue.study.checks import absent, check_side
from segue.study.code import code
from segue.study.config import overlay
from segue.study.plan import CHANGED, LOOK, Done, counts, on_disk, plan
from segue.study.settings import Train
from segue.study.study import Study

_NAMES = {
    "prepare": "datasets to prepare",
    "train": "trainings to do",
    "sample": "cells to sample",
    "given": "stores of predictions to check",
    "maps": "cells to map",
    "score": "cells to score",
}


def summary(study: Study, files: Iterable[str]) -> Iterator[str]:
    """Lines on a study.

    Args:
        files: the config files that were read, in their order.

    Raises:
        InputError: prepared images do not fit the network, or one that the study brings along is
            none.
    """
    yield f"Study {study.config.study}: {len(study.cells)} cells and replicates, in {study.folder}"
    if read := ", ".join(files):
        yield f"  config read from: {read}"
    records = {job.made: on_disk(job) for job in study.jobs.values()}
    planned = plan(study, lambda job: records[job.made])
    for stage, name in _NAMES.items():
        if jobs := study.of(stage):
            yield f"  {name}: {_of(counts(planned, stage), len(jobs))}"
    if text := _by_other_code(study, planned, records):
        yield text
    for name, job in study.dataset.items():
        if ("prepare", job.id) in planned:
            for path in absent(study.config, name):
                yield f"  datasets.{name}: no file {path}; where to get it: docs/data.md"
    sizes = {name: size(study, name) for name in study.config.datasets}
    if study.config.network.own:
        check_own(study, sizes)
    if None in sizes.values():
        yield "  number and size of the samples: known once the data are prepared"
        return
    resources = study.config.resources
    if resources.train.gpu or resources.sample.gpu:
        yield _gpu_hours(study, planned, sizes)
    yield from disk.lines(study, sizes)


def of_files(defaults: Path, *more: Path) -> list[str]:
    """Summary of the study that config files make, each laid over those before it.

    Raises:
        InputError: a file is not there or no YAML mapping, or the config is wrong.
    """
    first, *others = [read_yaml(path, "a study, as config.yaml does") for path in (defaults, *more)]
    study = Study.parse(functools.reduce(overlay, others, {}), first)
    return list(summary(study, [str(path) for path in (defaults, *more)]))


def size(study: Study, name: str) -> cost.Size | None:
    """Size of a dataset: as prepared; before that as its options tell, or else None."""
    try:
        folder = stamp.read(Path(study.dataset[name].made)).main
        attributes = json.loads((folder / "zarr.json").read_text())["attributes"]
    except (InputError, OSError, ValueError, KeyError):
        entry = study.config.datasets[name]
        return cost.nominal(entry.source, entry.options)
    shapes = {
        file.parts[-3]: json.loads(file.read_text())["shape"]
        for file in folder.glob("*/image/zarr.json")
    }
    height, width = next(iter(shapes.values()))[2:]
    for side in (height, width):
        check_side(study.config, name, side)
    images = {split: shape[0] for split, shape in shapes.items()}
    side = round(math.sqrt(height * width))
    return cost.Size(images, side, attributes["channels"], attributes["classes"])


def check_own(study: Study, sizes: Mapping[str, cost.Size | None]) -> None:
    """Build the study's own network and try it on images of each size; only then is torch imported.

    Raises:
        InputError: it cannot be built, or its features are not as they ought to be.
    """
    network = study.config.network
    step = network.patch * 2 ** (len(network.channels) - 1)
    own = importlib.import_module("segue.models.checkpoint")
    tried = {(each.channels, -(-each.side // step) * step) for each in sizes.values() if each}
    for channels, side in tried or {(1, 8 * step)}:
        own.check_own(network.model_dump(), channels, (side, side))


def _of(found: dict[str, int], total: int) -> str:
    text = f"{sum(found.values())} of {total}"
    if found[CHANGED]:
        text += f"; {found[CHANGED]} replace what is there once the new one is whole"
    if found[LOOK]:
        text += f"; {found[LOOK]} are looked at, since a job before them runs, and kept if that "
        text += "leaves what it was"
    return text


def _by_other_code(
    study: Study, planned: dict[tuple[str, str], str], records: dict[str, Done | None]
) -> str:
    """What is said of results that are kept although their stage's code is another now."""
    found = []
    for stage in ("prepare", "train", "sample"):
        kept = [job for job in study.of(stage) if (stage, job.id) not in planned]
        other = [
            job
            for job in kept
            if (done := records[job.made]) and done.code != code(job.stage, job.settings)
        ]
        if other:
            found.append(f"{len(other)} of {len(kept)} of stage {stage}")
    if not found:
        return ""
    return (
        f"  made by other code than there is now, and kept: {', '.join(found)}; name the stage in"
        " rerun_on_code to have them made anew beside the old ones"
    )


def _gpu_hours(
    study: Study, planned: dict[tuple[str, str], str], sizes: dict[str, cost.Size]
) -> str:
    """What the trainings and samplings to do will take."""
    config, network = study.config, study.config.network.model_dump()
    trained = sum(
        cost.training_flops(
            config.aleatoric[run.aleatoric].model_dump(),
            network,
            epochs(job.settings),
            sizes[run.dataset],
        )
        for run, job in study.training.items()
        if planned.get(("train", job.id), LOOK) != LOOK
    )
    sampled = sum(
        cost.sampling_flops(
            config.aleatoric[cell.aleatoric].model_dump(),
            network,
            sizes[cell.dataset],
            hypotheses=config.epistemic[cell.epistemic].hypotheses,
            au_samples=config.sampling_of(cell.epistemic).au_samples,
        )
        for cell in study.trained
        if planned.get(("sample", study.sampling[cell].id), LOOK) != LOOK
    )
    return (
        f"  GPU-hours to do: about {cost.gpu_hours(trained):,.0f} of training,"
        f" {cost.gpu_hours(sampled):,.0f} of sampling,"
        f" at {cost.SUSTAINED_FLOPS / 1e12:.0f} TFLOP/s sustained (docs/paper.md)"
    )


def epochs(settings: Train) -> int:
    """Epochs of a training, those in which snapshots are collected included."""
    collect = settings.recipe.collect
    return settings.training.epochs + (collect.epochs if collect else 0)
