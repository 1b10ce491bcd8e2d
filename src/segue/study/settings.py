"""What each stage's jobs read: one frozen record a stage, to and from JSON.

A ``Place`` is a path: of a stamp (``segue.stamp``) where the workflow runs the stage, of the result
itself where somebody does by hand. A result depends on what is there, not on where it is.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import Field
from pydantic.fields import FieldInfo

from segue.schema import WHEN_GIVEN, Record
from segue.study import config
from segue.study.config import (
    Axis,
    Count,
    Natural,
    Network,
    Options,
    Positive,
    Remedy,
    Tables,
    Training,
)

Place = Annotated[str, "place"]
WithoutEffect = Annotated[Count, "without effect"]  # on any number of the result
Keep = Annotated[bool, "without effect"]
"""Whether samples stay when their maps are there; for the run of a stage, not its function."""


class Method(Record):
    """A plug-in and its options."""

    method: str
    options: Options = Field(default={})


class Hypotheses(Method):
    """An epistemic method, and the number of its hypotheses."""

    hypotheses: Count


class Prepare(Record):
    """Of ``segue.data.prepare``."""

    source: str
    options: Options = Field(default={})
    seed: Natural


class Card(Record):
    """Of ``segue.report.card``."""

    dataset: Place


class Collect(Record):
    """A time after the training in which snapshots are taken."""

    epochs: Count
    learning_rate: Positive


class Recipe(config.Recipe):
    """A recipe of the config, for a training of known length."""

    collect: Collect | None = None


class Train(Record):
    """Of ``segue.models.train``."""

    dataset: Place
    aleatoric: Method
    network: Network
    recipe: Recipe
    training: Training
    labels: list[str]
    seed: Natural


class Sample(Record):
    """Of ``segue.models.sample``."""

    dataset: Place
    checkpoints: list[Place]
    aleatoric: str
    own: Annotated[str | None, WHEN_GIVEN] = None
    sampler: Options = Field(default={})
    epistemic: Hypotheses
    au_samples: Count
    noise: str
    bits: Count = Field(default=10)
    keep: Keep = Field(default=True)
    batch: WithoutEffect
    labels: list[str]
    seed: Natural


class Given(Record):
    """Of ``segue.evaluation.check``: a store of another program's predictions."""

    store: Place


class Maps(Record):
    """Of ``segue.evaluation.maps``; ``options`` are of tasks."""

    dataset: Place
    samples: Place
    keep: Keep = Field(default=True)
    none_roles: str
    bits: Count = Field(default=23)
    shown: Natural = Field(default=0)
    options: dict[str, Options]


class ScoreKey(Record):
    """What every row of a file of scores says of its cell."""

    study: str
    dataset: str
    aleatoric: str
    epistemic: str
    replicate: Natural


class Score(Record):
    """Of ``segue.evaluation.score``."""

    dataset: Place
    maps: Place
    key: ScoreKey
    variants: list[str]
    options: dict[str, Options]
    seed: Natural


class Names(Record):
    """Of ``segue.report.names``: what figures and tables print in the place of names."""

    captions: dict[str, str] = Field(default={})
    datasets: dict[str, str] = Field(default={})
    aleatoric: dict[str, str] = Field(default={})
    epistemic: dict[str, str] = Field(default={})


class AllTables(Record):
    """Of ``segue.report.tables``; ``cells`` are (dataset, aleatoric, epistemic, replicate)."""

    scores: list[Place]
    options: Tables
    cells: list[list[str | int]]
    not_applicable: list[str]
    seed: Natural
    published: dict[str, str] = Field(default={})
    names: Names = Field(default_factory=Names)
    axes: dict[str, Axis] = Field(default={})
    remedies: dict[str, Remedy] = Field(default={})
    passes: dict[str, Count] = Field(default={})


class Figure(Record):
    """Of a figure that is drawn from the tables; ``tasks`` are aggregations of those that rank."""

    figure: str
    tables: Place
    names: Names = Field(default_factory=Names)
    tasks: dict[str, str] = Field(default={})


class Pictured(Record):
    """A cell and replicate that is shown with its images or curves."""

    aleatoric: str
    epistemic: str
    replicate: Natural = 0
    maps: Place


class Qualitative(Record):
    """Of a figure of images and samples of one dataset, whose ``name`` is the config's."""

    figure: str
    dataset: Place
    name: str = ""
    cells: list[Pictured]
    scores: list[Place] = Field(default=[])
    splits: list[str]
    images: Count
    names: Names = Field(default_factory=Names)


class Curves(Record):
    """Of a figure that is drawn from maps of one dataset; ``options`` are its task's."""

    figure: str
    dataset: Place
    name: str = ""
    cells: list[Pictured]
    aggregation: str = ""
    options: Options = Field(default={})
    names: Names = Field(default_factory=Names)


class Page(Record):
    """Of ``segue.report.page``; the config is shown, and what depends on it is in the tables."""

    study: Place
    config: Annotated[Options, "without effect"]


def identity(settings: Record) -> dict[str, Any]:
    """What of the settings a result depends on: all but places and what has no effect."""
    return {
        name: _identity(getattr(settings, name))
        for name, field in settings.written().items()
        if not _marked(field, "place", "without effect")
    }


def places(settings: Record) -> Iterator[str]:
    """All places that the settings name, in order."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, Record):
                yield from places(each)
            elif _marked(field, "place"):
                yield each


def sources(settings: Record) -> list[str]:
    """Name of the folder of each place, which has the key of what it holds, if that has one."""
    return [Path(place).parent.name for place in places(settings)]


def placed(settings: Record, where: Mapping[str, str]) -> dict[str, Any]:
    """The settings as a dict, with ``where`` in the place of each place."""

    def of(value: Any, marked: bool) -> Any:
        match value:
            case Record():
                return placed(value, where)
            case list():
                return [of(each, marked) for each in value]
            case dict():
                return {key: of(each, False) for key, each in value.items()}
        return where[value] if marked else value

    fields = settings.written().items()
    return {n: of(getattr(settings, n), _marked(f, "place")) for n, f in fields}


def _identity(value: Any) -> Any:
    match value:
        case Record():
            return identity(value)
        case list():
            return [_identity(each) for each in value]
        case dict():
            return {key: _identity(each) for key, each in value.items()}
    return value


def _marked(field: FieldInfo, *marks: str) -> bool:
    """Whether a field, or what a list in it holds, is annotated with one of the marks."""
    found = [*field.metadata, *(m for each in get_args(field.annotation) for m in get_args(each))]
    return any(mark in found for mark in marks)
