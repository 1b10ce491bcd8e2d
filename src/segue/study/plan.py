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
from segue.study.jobs import Job, follows
from segue.study.stages import PROVENANCE, STAGES
from segue.study.study import Study

NEW = "new"
CHANGED = "changed"
LOOK = "look"


class Done(NamedTuple):
    """What a finished job left on record.

    Attributes:
        settings: as ``segue.study.settings.identity`` gives them.
        inputs: what each input held.
        content: what the result holds.
        code: fingerprint of the code that made it.
    """

    settings: Mapping[str, Any]
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
        as it was, a training or sampling is kept.
    """
    planned: dict[tuple[str, str], str] = {}
    running: set[str] = set()  # stamps that will be written
    contents: dict[str, str] = {}
    for key, job in study.jobs.items():
        if not STAGES[job.stage].results:
            continue
        found = done(job)
        reason = _reason(study, job, found, running, contents)
        if reason is None:
            contents[job.made] = found.content
        else:
            planned[key] = reason
            running.add(job.made)
    return planned


def _reason(
    study: Study, job: Job, done: Done | None, running: set[str], contents: Mapping[str, str]
) -> str | None:
    if done is None:
        return NEW
    if done.settings != of.identity(job.settings):
        return CHANGED
    if follows(study.config, job.stage) and done.code != code(job.stage, job.settings):
        return CHANGED
    places = list(of.places(job.settings))
    held = [contents.get(place) for place in places]
    known = [place not in running for place in places]
    if len(held) != len(done.inputs) or any(
        is_known and now != then
        for is_known, now, then in zip(known, held, done.inputs, strict=True)
    ):
        return CHANGED
    return None if all(known) else LOOK


def on_disk(job: Job) -> Done | None:
    """What a job left in the folder of its stamp; None where it has not ended."""
    try:
        found = stamp.read(Path(job.made))
        made_by = json.loads((found.folder / PROVENANCE).read_text(encoding="utf-8"))
        return Done(made_by["settings"], made_by["inputs"], found.content, made_by["code"])
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return None


def counts(planned: Mapping[tuple[str, str], str], stage: str) -> Counter[str]:
    """Number of a stage's planned jobs by the reason."""
    return Counter(reason for (of_stage, _), reason in planned.items() if of_stage == stage)
