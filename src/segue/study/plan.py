"""What a study will do: which jobs are to run and why, from what is finished.

The workflow decides by the same things: the path of a stamp, the settings, the code where it is
followed, and what the inputs hold.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from segue import stamp
from segue.errors import InputError
from segue.study import settings as of
from segue.study.code import code
from segue.study.config import Config
from segue.study.jobs import Job, follows
from segue.study.stages import PROVENANCE, STAGES
from segue.study.study import Study

NEW = "new"
CHANGED = "changed"
LOOK = "look"


class Done(NamedTuple):
    """What a finished job left on record.

    Attributes:
        settings: as ``segue.study.settings.identity`` gives them; None of figures and data cards,
            of which nothing is on record.
        sources: name of the folder of each input, see ``segue.study.settings.sources``.
        inputs: what each input held.
        content: what the result holds.
        code: fingerprint of the code that made it.
    """

    settings: Mapping[str, Any] | None
    sources: list[str]
    inputs: list[str | None]
    content: str
    code: str


def plan(study: Study, done: Callable[[Job], Done | None]) -> dict[tuple[str, str], str]:
    """The jobs that will run, by stage and id, but for tables and figures.

    Args:
        done: what a job left, None where it has not ended.

    Returns:
        Why each runs: ``new``, there is no result; ``changed``, of other settings, code or inputs
        than the one that is there; ``look``, a job before it runs: if that one's result turns out
        as it was, this one's is kept. A result that is gone is made again only for a job that runs.
    """
    jobs = list(study.jobs.values())
    finished = {job.made: done(job) for job in jobs}
    needed_by: dict[str, list[str]] = {}
    for job in jobs:
        for path in job.inputs:
            needed_by.setdefault(path, []).append(job.made)
    reasons: dict[str, str] = {}
    before = -1
    while len(reasons) > before:  # one job that runs may make others run, before it and after it
        before = len(reasons)
        for job in jobs:
            if job.made not in reasons and (
                reason := _reason(study.config, job, finished, reasons, needed_by)
            ):
                reasons[job.made] = reason
    made = {job.made: (job.stage, job.id) for job in jobs if STAGES[job.stage].results}
    return {made[path]: reasons[path] for path in made if path in reasons}


def _reason(
    config: Config,
    job: Job,
    finished: Mapping[str, Done | None],
    reasons: Mapping[str, str],
    needed_by: Mapping[str, list[str]],
) -> str | None:
    """Why a job runs, by what is known so far; None where it does not."""
    done, wanted = finished[job.made], not STAGES[job.stage].results
    if done is None:
        # What is gone is made again where something that runs needs it, and not for its own sake.
        return NEW if wanted or any(path in reasons for path in needed_by[job.made]) else None
    if _is_stale(config, job, done, finished):
        return CHANGED
    return LOOK if any(path in reasons for path in job.inputs) else None


def _is_stale(config: Config, job: Job, done: Done, finished: Mapping[str, Done | None]) -> bool:
    """Whether a result is of other settings, code or inputs than there are now."""
    if done.settings is None:
        return False
    if done.settings != of.identity(job.settings) or done.sources != of.sources(job.settings):
        return True
    if follows(config, job.stage) and done.code != code(job.stage, job.settings):
        return True
    there = map(finished.get, of.places(job.settings))
    return any(
        now is not None and now.content != held
        for now, held in zip(there, done.inputs, strict=True)
    )


def on_disk(job: Job) -> Done | None:
    """What a job left beside its result; None where it has not ended."""
    made = Path(job.made)
    try:
        if STAGES[job.stage].results:
            found = stamp.read(made)
            folder, content = found.folder, found.content
        elif not made.exists():
            return None
        elif job.stage != "tables":
            return Done(None, [], [], "", "")
        else:
            folder, content = made.parent, ""
        record = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        known = (record[key] for key in ("settings", "sources", "inputs"))
        return Done(*known, content, record["code"])
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return None


def counts(planned: Mapping[tuple[str, str], str], stage: str) -> Counter[str]:
    """Number of a stage's planned jobs by the reason."""
    return Counter(reason for (of_stage, _), reason in planned.items() if of_stage == stage)
