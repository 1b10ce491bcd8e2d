"""Write what jobs will read, and links from the study's folder to what it shares with others."""

from pathlib import Path

from segue import files
from segue.study.study import Study


def freeze(study: Study, out: Path, config: str) -> None:
    """Write the settings file of every job, the links, and last the config itself.

    Args:
        out: path of the config.
        config: as JSON.
    """
    for job in study.jobs.values():
        with files.replacing(Path(study.settings_file(job))) as file:
            file.write(job.json + "\n")
    _link(study)
    with files.replacing(out) as file:
        file.write(config + "\n")


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
