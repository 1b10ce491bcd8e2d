"""Jobs: what one reads and makes, and the key by which its result is known.

What depends on one study lies in the study's folder. Data, trainings and samples, which other
studies may need too, lie in a shared folder under a key of all that makes them.
"""

import json
from dataclasses import dataclass
from typing import Any

from segue import digests, stamp
from segue.schema import Record
from segue.study import settings as of
from segue.study.code import code
from segue.study.config import SHARED, Config
from segue.study.grid import Cell

_OWN = {"maps": "maps", "score": "scores"}
_GROUP = {"card": "figures", "figure": "figures", "given": "score", "page": "figures"}
"""What ``rerun_on_code`` and ``resources`` call a stage, where it is not its name."""


@dataclass(frozen=True)
class Job:
    """One job of a stage.

    Attributes:
        stage: a key of ``segue.study.stages.STAGES``.
        id: tells it from the stage's others; part of the path of what it makes.
        settings: what it reads of the config.
        made: path of its stamp; of the first of its files where it has none.
        inputs: paths of the stamps or files of the jobs before it.
        trigger: changes with the settings that a result depends on, and with the code where the
            study wants the stage to follow it.
    """

    stage: str
    id: str
    settings: Record
    made: str
    inputs: tuple[str, ...]
    trigger: str

    @property
    def json(self) -> str:
        """The settings as the stage reads them; keys are sorted, their order means nothing."""
        return json.dumps(self.settings.model_dump(), sort_keys=True, ensure_ascii=False)


def folder(config: Config) -> str:
    """Folder of the study's own results."""
    return f"{config.results}/{config.study}"


def shared(config: Config) -> str:
    """Folder of what studies share."""
    return f"{config.results}/{SHARED}"


def keyed(config: Config, stage: str, path: str, key: str, settings: Record, trigger: str) -> Job:
    """A job whose result lies under a key of all that makes it, for every study to use."""
    made = f"{shared(config)}/{path}-{key}/{stamp.NAME}"
    id = f"{path}-{key}".partition("/")[2]
    return Job(stage, id, settings, made, tuple(of.places(settings)), trigger)


def own(config: Config, stage: str, cell: Cell, settings: Record) -> Job:
    """A job of a cell, whose result is the study's own."""
    made = f"{folder(config)}/{_OWN[stage]}/{cell}/{stamp.NAME}"
    return job(config, stage, str(cell), settings, made)


def job(config: Config, stage: str, id: str, settings: Record, made: str) -> Job:
    """A job that depends on all places in its settings."""
    inputs = tuple(dict.fromkeys(of.places(settings)))
    return Job(stage, id, settings, made, inputs, trigger(config, stage, settings))


def trigger(config: Config, stage: str, settings: Record) -> str:
    """Key of what a result depends on but for its inputs: settings, and code if it is followed."""
    followed = code(stage, settings) if follows(config, stage) else ""
    return digest(of.identity(settings), followed)


def follows(config: Config, stage: str) -> bool:
    """Whether a stage runs again when its code changes."""
    return _GROUP.get(stage, stage) in config.rerun_on_code


def digest(*parts: Any) -> str:
    """8 hexadecimal digits for JSON values; the order of keys means nothing."""
    return digests.of_json(parts)[:8]
