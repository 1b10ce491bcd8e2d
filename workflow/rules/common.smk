# The grid: which cells there are, which trained runs each needs, and where their files lie.

import shlex
import sys

from snakemake.settings.types import DeploymentMethod

from segue.study import fingerprint

STUDY = f"{config['results']}/{config['study']}"
DATASET = f"{STUDY}/datasets/{{dataset}}"
CHECKPOINT = f"{STUDY}/models/{{dataset}}/{{aleatoric}}/{{recipe}}/seed{{seed}}.pt"
CELL = "{dataset}/{aleatoric}-{epistemic}/rep{replicate}"
SAMPLES = f"{STUDY}/samples/{CELL}"
MAPS = f"{STUDY}/maps/{CELL}"
SCORES = f"{STUDY}/scores/{CELL}.csv"
INTERVALS = f"{STUDY}/scores/{CELL}-intervals.csv"

TRAINED = [
    {"dataset": d, "aleatoric": a, "epistemic": e, "replicate": r}
    for r in range(config["replicates"])
    for d in config["datasets"]
    for a in config["aleatoric"]
    for e in config["epistemic"]
    if f"{a}-{e}" not in config["not_applicable"]
]
# Predictions of other programs are cells too; their store is both their samples and their dataset.
GIVEN = [
    {key: given.get(key, 0) for key in ("dataset", "aleatoric", "epistemic", "replicate")}
    for given in config["predictions"].values()
]
STORES = {
    CELL.format(**cell): given["store"]
    for cell, given in zip(GIVEN, config["predictions"].values())
}
CELLS = TRAINED + GIVEN

# What the picture of a dataset shows.
SHOWN = [
    cell
    for cell in CELLS
    if cell["replicate"] == 0
    and "{aleatoric}-{epistemic}".format(**cell) in config["figures"]["qualitative"]["cells"]
]

CAPTIONS = {name: d["caption"] for name, d in config["datasets"].items() if "caption" in d}


def one_of(names):
    return "|".join(map(str, names)) or "(?!)"


def with_given(key, names):
    """What a wildcard may be: ``names`` of the config, and those of given predictions."""
    return one_of([*names, *(cell[key] for cell in GIVEN)])


wildcard_constraints:
    dataset=with_given("dataset", config["datasets"]),
    aleatoric=with_given("aleatoric", config["aleatoric"]),
    epistemic=with_given("epistemic", config["epistemic"]),
    recipe=one_of(config["recipes"]),
    replicate=with_given("replicate", range(config["replicates"])),
    seed=r"\d+",


def members(epistemic):
    """Number of trained runs that an epistemic method needs."""
    return config["epistemic"][epistemic].get("members", 1)


def stride(recipe):
    """Number of runs that each replicate owns: what the most demanding of its methods needs."""
    users = [e for e, method in config["epistemic"].items() if method["recipe"] == recipe]
    return max(map(members, users))


def references(cell):
    """Folder and name of the store with the labels of a cell, a dict or wildcards."""
    given = CELL.format(**cell) in STORES
    folder, name = (SAMPLES, "samples.zarr") if given else (DATASET, "dataset.zarr")
    return folder.format(**cell), name


def checkpoints(cell):
    """Paths of the checkpoints of a cell, a dict or wildcards; replicate r owns the r-th stride."""
    cell = dict(cell)
    recipe = config["epistemic"][cell["epistemic"]]["recipe"]
    first = stride(recipe) * int(cell["replicate"])
    seeds = range(first, first + members(cell["epistemic"]))
    return [CHECKPOINT.format(**cell, recipe=recipe, seed=seed) for seed in seeds]


def code(stage, *modules):
    """Fingerprint of a stage's code, where the config wants the stage to follow its code.

    Plug-ins are loaded by name, so they are in ``modules`` beside the stage's own.
    """
    names = [f"segue.{module}" for module in modules]
    return fingerprint.code_id(*names) if stage in config["rerun_on_code"] else ""


def resources(stage):
    """What a job asks for: each retry has twice the memory of the attempt before."""
    asked = config["resources"][stage]
    memory = lambda wildcards, attempt: asked["mem_mb"] * 2 ** (attempt - 1)
    return {"mem_mb": memory, "runtime": asked["runtime"], "gpu": asked.get("gpu", 0)}


def environment(stage):
    kind = "gpu" if config["resources"][stage].get("gpu") else "cpu"
    return f"../../envs/segue-{kind}.yaml"


# The prefix takes the place of Snakemake's own `set -euo pipefail`, without which a job that died
# would count as done: the status of `segue … | tee log` would be that of tee.
# Jobs find `segue` beside the interpreter that runs Snakemake, so a virtual environment need not be
# activated; with --sdm conda each finds the package through the environment's own interpreter.
if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method:
    source = shlex.quote(str(Path(workflow.basedir) / "src"))
    shell.prefix(
        f'set -euo pipefail; segue() {{{{ PYTHONPATH={source} python -m segue.cli "$@"; }}}}; '
    )
else:
    shell.prefix(
        f"set -euo pipefail; export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
    )
