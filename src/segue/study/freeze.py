"""What a run keeps to when config.yaml is edited meanwhile, and links to what studies share."""

import base64
import json
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from segue import files
from segue.errors import InputError
from segue.study.config import Config
from segue.study.jobs import Job
from segue.study.study import Study


def keep(variable: str, config: Config) -> None:
    """Put a whole config into a variable of the environment, which jobs inherit."""
    text = zlib.compress(config.model_dump_json().encode())
    os.environ[variable] = base64.urlsafe_b64encode(text).decode()


def kept(variable: str) -> dict[str, Any]:
    """The config that ``keep`` was given; it needs no defaults.

    Raises:
        InputError: the variable is not in the environment.
    """
    if variable not in os.environ:
        raise InputError(
            f"{variable}: not in the environment of this job; it holds the config that the run"
            " began with, and Snakemake's executor has to pass it on"
        )
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(os.environ[variable])))


def freeze(study: Study, jobs: Iterable[Job]) -> None:
    """Write the settings files of jobs, and the links of the study."""
    for job in jobs:
        with files.replacing(Path(study.settings_file(job))) as file:
            file.write(job.json + "\n")
    _link(study)


def _link(study: Study) -> None:
    """In the study's folder, data, models and samples have paths without keys: links to them."""
    links = {f"datasets/{name}": job for name, job in study.dataset.items()}
    links |= {f"models/{run}": job for run, job in study.training.items()}
    links |= {f"samples/{cell}": study.sampling[cell] for cell in study.trained}
    for name, job in links.items():
        link, target = Path(study.folder) / name, Path(job.made).parent
        if link.is_dir() and not link.is_symlink():
            continue  # somebody's own, or made by an older version: not to be touched
        files.link(link, target)
