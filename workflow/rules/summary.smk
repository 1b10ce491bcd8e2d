# Said once, by the process that a user starts: what is there and what is coming.

import json

from snakemake.logging import logger


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
    options = config["datasets"][name].get("options", {})
    counts, side = options.get("images") or {}, options.get("crop", options.get("size"))
    if side is None or not {"val", "id"} <= counts.keys():
        return None
    return counts["val"] + 5 * counts["id"], 2 * side**2


def missing(paths):
    return f"{sum(not Path(p).exists() for p in paths)} of {len(paths)}"


def summary():
    trainings = sorted({path for cell in CELLS for path in checkpoints(cell)})
    samples = [SAMPLES.format(**cell) for cell in CELLS]
    lines = [
        f"Study {config['study']}: {len(CELLS)} cells and replicates, in {STUDY}",
        f"  trainings to do: {missing(trainings)}",
        f"  sample stores to do: {missing(samples)}",
    ]
    sizes = {name: images_to_sample(name) for name in config["datasets"]}
    if None in sizes.values():
        return [
            *lines,
            "  number and size of the samples: known once the data are prepared",
        ]
    draws, values = 0, 0
    for cell in CELLS:
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
