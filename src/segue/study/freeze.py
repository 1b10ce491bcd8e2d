"""What a run keeps to when config.yaml is edited meanwhile, and links to what studies share."""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from segue import files
from segue.study.jobs import Job
from segue.study.study import Study


def frozen(config: Mapping[str, Any]) -> str:
    """A config as text that fits into a variable of the environment."""
    return base64.b85encode(zlib.compress(json.dumps(config).encode())).decode()


def thaw(text: str) -> dict[str, Any]:
    """The config that ``frozen`` was given."""
    return json.loads(zlib.decompress(base64.b85decode(text)))


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
