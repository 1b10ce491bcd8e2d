# Said once, by the process that a user starts: what is there and what is coming.

import json

from dataclasses import replace

from snakemake.logging import logger

from segue import cost


def images_to_sample(name):
    """Number of images that each cell of a dataset samples, and values of one prediction.

    From the dataset's store, or before it is there from the options (two classes; the four shifted
    splits are made of `id`); None where these do not say.
    """
    folder = Path(DATASET.format(dataset=name)) / "dataset.zarr"
    if folder.exists():
        images = [f for f in folder.glob("*/image/zarr.json") if f.parts[-3] != "train"]
        shapes = [json.loads(f.read_text())["shape"] for f in images]
        classes = json.loads((folder / "zarr.json").read_text())["attributes"]["classes"]
        return sum(s[0] for s in shapes), classes * shapes[0][2] * shapes[0][3]
    if nominal(name):
        size = nominal(name)
        images = sum(n for split, n in size.images.items() if split != "train")
        return images, size.classes * size.side**2
    options = config["datasets"][name].get("options", {})
    counts, side = options.get("images") or {}, options.get("crop", options.get("size"))
    if side is None or not {"val", "id"} <= counts.keys():
        return None
    return counts["val"] + 5 * counts["id"], 2 * side**2


def nominal(name):
    """``cost.Size`` of a published dataset with what its options change, or None of another."""
    dataset = config["datasets"][name]
    size, options = cost.SIZES.get(dataset["source"]), dataset.get("options", {})
    if size is None:
        return None
    asked = {split: n for split, n in (options.get("images") or {}).items() if n is not None}
    images = {
        split: min(
            n, asked.get("id" if dataset["source"] == "lidc" and split[:3] == "ood" else split, n)
        )
        for split, n in size.images.items()
    }
    return replace(size, images=images, side=options.get("size", size.side))


def absent():
    """A line for each file of the data that is not there, of a dataset not prepared yet."""
    for name, dataset in config["datasets"].items():
        files = [dataset.get("options", {}).get(key) for key in ("path", "train", "test")]
        prepared = Path(DATASET.format(dataset=name)).exists()
        for path in () if prepared else filter(None, files):
            if not Path(path).exists():
                yield f"datasets.{name}: no file {path}; where to get it: docs/data.md"


def gpu_hours():
    """Lines with the hours of all trainings and all sampling, where these are to have a GPU."""
    sizes = {name: nominal(name) for name in config["datasets"]}
    if not config["resources"]["train"].get("gpu") or not all(sizes.values()):
        return []
    network, trained = config["network"], 0.0
    runs = {
        (cell["dataset"], cell["aleatoric"], path) for cell in TRAINED for path in checkpoints(cell)
    }
    for dataset, aleatoric, _ in runs:
        model = config["aleatoric"][aleatoric]
        training = config["training"] | model.get("training", {})
        trained += cost.training_flops(model, network, training, sizes[dataset])
    sampled = sum(
        cost.sampling_flops(
            config["aleatoric"][cell["aleatoric"]],
            network,
            sizes[cell["dataset"]],
            hypotheses=config["epistemic"][cell["epistemic"]]["hypotheses"],
            au_samples=config["sampling"]["au_samples"],
        )
        for cell in TRAINED
    )
    hours = [cost.gpu_hours(flops) for flops in (trained, sampled)]
    return [
        f"  GPU-hours of the whole study: about {hours[0]:,.0f} of training, {hours[1]:,.0f} of"
        f" sampling, at an assumed {cost.SUSTAINED_FLOPS / 1e12:.0f} TFLOP/s",
    ]


def missing(paths):
    return f"{sum(not Path(p).exists() for p in paths)} of {len(paths)}"


def summary():
    trainings = sorted({path for cell in TRAINED for path in checkpoints(cell)})
    samples = [SAMPLES.format(**cell) for cell in TRAINED]
    lines = [
        f"Study {config['study']}: {len(CELLS)} cells and replicates, in {STUDY}",
        f"  trainings to do: {missing(trainings)}",
        f"  sample stores to do: {missing(samples)}",
        *gpu_hours(),
    ]
    sizes = {name: images_to_sample(name) for name in config["datasets"]}
    if None in sizes.values():
        return [
            *lines,
            "  number and size of the samples: known once the data are prepared",
        ]
    draws, values = 0, 0
    for cell in TRAINED:
        hypotheses = config["epistemic"][cell["epistemic"]]["hypotheses"]
        images, per_sample = sizes[cell["dataset"]]
        count = images * hypotheses * config["sampling"]["au_samples"]
        draws, values = draws + count, values + count * per_sample
    return [
        *lines,
        f"  samples in all: at most {draws:,}, {2e-9 * values:.2f} GB uncompressed",
    ]


if workflow.is_main_process:
    for line in summary():
        logger.info(line)
    for line in absent():
        logger.warning(line)
