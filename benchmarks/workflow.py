"""Seconds of Snakemake where nothing is to be done, and of dry runs: what a look at a study costs.

The whole command, the best of three. The finished study is `workflow/studies/smoke.yaml`, which is
run first, without being timed; the others have no results, and no data.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from tqdm import tqdm

from benchmarks import processes
from benchmarks.networks import study_of
from benchmarks.rows import ROOT, Given, Row

STUDIES = ROOT / "workflow" / "studies"
PAPER = ("paper_lidc", "paper_chaksu")
DRY = {"quick": [], **{name: ["--configfile", STUDIES / f"{name}.yaml"] for name in PAPER}}
NOTHING = "nothing to be done"


def rows(given: Given) -> Iterator[Row]:
    """Seconds of each command; tiny: of one job, and of `quick`, once."""
    finished = given.folder / "finished"
    finished.mkdir()
    config = _tiny(given.folder) if given.tiny else STUDIES / "smoke.yaml"
    planned = study_of(config)
    only = [planned.dataset["phantom"].made] if given.tiny else []
    jobs = len(only or planned.jobs)
    study = [*only, "--configfile", config]
    _snakemake(finished, ["--cores", "all", *study], quiet=given.tiny)
    # What is timed by the names of the rows, and where.
    commands = {NOTHING: ["--cores", "1", *study], "dry run of it": ["-n", *study]}
    places = dict.fromkeys(commands, finished)
    for name in ["quick"] if given.tiny else DRY:
        commands[f"dry run of {name}"] = ["-n", *DRY[name]]
    names = [name for name in commands for _ in range(1 if given.tiny else 3)]
    found = {name: [] for name in commands}
    for name in tqdm(names, "workflow", unit="run"):
        found[name].append(_snakemake(places.get(name, given.folder), commands[name]))
    for name, used in found.items():
        if name in places and not all("Nothing to be done" in each.output for each in used):
            sys.exit(f"benchmarks: error: {name}: something is to be done:\n{used[0].output}")
        on = f"study {config.stem}, jobs: {jobs}" if name in places else "nothing finished"
        yield Row(name, min(each.wall_s for each in used), "s wall", on)


def _tiny(folder: Path) -> Path:
    """Config of a study whose data are a few small images."""
    options = {"side": 16, "images": {"train": 1, "val": 1, "id": 1}}
    datasets = {"lidc_contours": None, "phantom": {"source": "phantom", "options": options}}
    config = folder / "tiny.yaml"
    config.write_text(yaml.safe_dump({"study": "tiny", "datasets": datasets}))
    return config


def _snakemake(folder: Path, arguments: list, *, quiet: bool = True) -> processes.Used:
    """Run it in a folder of its own."""
    where = ("-s", ROOT / "Snakefile", "--directory", folder, "--nocolor")
    return processes.run("-m", "snakemake", *where, *arguments, quiet=quiet)
