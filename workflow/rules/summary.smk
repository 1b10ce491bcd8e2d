# Said once, by the process that a user starts: what is there and what is coming.

import json

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from segue.study import cost

PATHS = ["path", "train", "test", "metadata_csv", "database"]  # options that name files of the data


def size(name):
    """`cost.Size` of a dataset: as prepared, or before that as its options tell, else None."""
    folder = Path(DATASET.format(dataset=name)) / "dataset.zarr"
    if not folder.exists():
        dataset = config["datasets"][name]
        return cost.nominal(dataset["source"], dataset.get("options", {}))
    attributes = json.loads((folder / "zarr.json").read_text())["attributes"]
    images = {
        file.parts[-3]: json.loads(file.read_text())["shape"][0]
        for file in folder.glob("*/image/zarr.json")
    }
    return cost.Size(images, *(attributes[key] for key in ("size", "channels", "classes")))


def absent(name):
    """Files of a dataset that are not there."""
    options = config["datasets"][name].get("options", {})
    return [options[key] for key in PATHS if options.get(key) and not Path(options[key]).exists()]


def missing(paths):
    return [path for path in paths if not Path(path).exists()]


def of(paths):
    return f"{len(missing(paths))} of {len(paths)}"


def gpu_hours(runs, sizes):
    """What the trainings and cells to do will take; `runs` are cells by the path of a training."""
    network, trained, sampled = config["network"], 0.0, 0.0
    for path in missing(runs):
        cell = runs[path]
        model = config["aleatoric"][cell["aleatoric"]]
        training = config["training"] | model.get("training", {})
        trained += cost.training_flops(model, network, training, sizes[cell["dataset"]])
    for cell in TRAINED:
        if missing([SAMPLES.format(**cell)]):
            sampled += cost.sampling_flops(
                config["aleatoric"][cell["aleatoric"]],
                network,
                sizes[cell["dataset"]],
                hypotheses=config["epistemic"][cell["epistemic"]]["hypotheses"],
                au_samples=config["sampling"]["au_samples"],
            )
    return (
        f"  GPU-hours to do: about {cost.gpu_hours(trained):,.0f} of training,"
        f" {cost.gpu_hours(sampled):,.0f} of sampling,"
        f" at {cost.SUSTAINED_FLOPS / 1e12:.0f} TFLOP/s sustained (docs/paper.md)"
    )


def volume(sizes):
    """Number of samples, and bytes of samples (float16) and maps (float32)."""
    number, samples, maps = 0, 0, 0
    for cell in TRAINED:
        data = sizes[cell["dataset"]]
        asked = config["sampling"]["au_samples"]
        drawn = cost.draws(config["aleatoric"][cell["aleatoric"]], asked)
        count = data.sampled * config["epistemic"][cell["epistemic"]]["hypotheses"] * drawn
        number += count
        samples += 2 * count * data.classes * data.side**2
        maps += 4 * data.sampled * (3 + data.classes) * data.side**2
    return (
        f"  samples in all: {number:,}, {samples / 1e9:,.2f} GB, and {maps / 1e9:,.2f} GB of maps,"
        " before compression"
    )


def summary():
    runs = {path: cell for cell in TRAINED for path in checkpoints(cell)}
    yield f"Study {config['study']}: {len(CELLS)} cells and replicates, in {STUDY}"
    yield f"  trainings to do: {of(runs)}"
    yield f"  sample stores to do: {of([SAMPLES.format(**cell) for cell in TRAINED])}"
    sizes = {name: size(name) for name in config["datasets"]}
    if None in sizes.values():
        yield "  number and size of the samples: known once the data are prepared"
        return
    if any(config["resources"][stage].get("gpu") for stage in ("train", "sample")):
        yield gpu_hours(runs, sizes)
    yield volume(sizes)


if workflow.is_main_process:
    for line in summary():
        logger.info(line)
    for name in config["datasets"]:
        for path in absent(name) if missing([DATASET.format(dataset=name)]) else []:
            logger.warning(f"datasets.{name}: no file {path}; where to get it: docs/data.md")


# A dry run may do without the data; a run that has to read them stops before its first job.
onstart:
    jobs = workflow.dag.needrun_jobs()
    for name in {job.wildcards.dataset for job in jobs if job.rule.name == "prepare"}:
        if absent(name):
            files = ", ".join(absent(name))
            raise WorkflowError(
                f"datasets.{name}: no file {files}; where to get it: docs/data.md. Nothing was run."
            )
