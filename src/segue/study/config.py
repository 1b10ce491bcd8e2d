"""What config.yaml may hold: every key with its type, and nothing else at any depth.

config.yaml says what each key means. Options of plug-ins are checked against their own signatures
(``segue.study.checks``).
"""

from collections.abc import Mapping
from itertools import product
from math import ceil
from typing import Annotated, Any, Literal

from pydantic import Field

from segue.errors import InputError
from segue.schema import WHEN_GIVEN, Record, parse

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Options = dict[str, Any]

STAGES = ("prepare", "train", "sample", "maps", "score", "tables", "figures")
"""What ``resources`` and ``rerun_on_code`` name, in the order of the data."""

_NULLABLE = ("datasets", "aleatoric", "epistemic", "recipes")
SHARED = "shared"
"""Folder in ``results`` of what studies share."""


class Dataset(Record):
    """A dataset: its source (a plug-in) and options; what tables and figures say of it.

    ``training`` has the keys of ``Training`` that differ for all models trained on it.
    """

    source: str
    options: Options = Field(default={})
    training: Options = Field(default={})
    label: Text | None = None
    caption: str | None = None
    published: Literal["lidc", "chaksu"] | None = None


class Given(Record):
    """A store of another program's predictions, and the cell and replicate that they are of."""

    store: Text
    dataset: Name
    aleatoric: Name
    epistemic: Name
    replicate: Natural = 0


class Own(Record):
    """A network of somebody else: where it is imported from, ``package.module:Class``."""

    name: Text
    options: Options = Field(default={})


class Network(Record):
    """Size of the U-Net of all aleatoric models, or what takes its place."""

    channels: Annotated[list[Annotated[int, Field(ge=4)]], Field(min_length=1)]
    blocks: Count
    attention: Natural
    heads: Count
    group_channels: Count
    patch: Count
    own: Annotated[Own | None, WHEN_GIVEN] = None


class Training(Record):
    """How every model is trained."""

    epochs: Count
    batch: Count
    learning_rate: Positive
    weight_decay: Annotated[float, Field(ge=0)]
    clip: Positive
    ema: Share


class Aleatoric(Record):
    """An aleatoric model; ``training`` has the keys of ``Training`` that differ for it."""

    method: str
    options: Options = Field(default={})
    sampling: Options = Field(default={})
    training: Options = Field(default={})
    label: Text | None = None


class Epistemic(Record):
    """An epistemic method on the runs of a recipe; ``sampling`` has keys of ``Sampling``."""

    method: str
    recipe: str
    hypotheses: Count
    members: Count = 1
    options: Options = Field(default={})
    sampling: Options = Field(default={})
    label: Text | None = None


class Collect(Record):
    """A time after the training in which snapshots are taken, as a share of the training's epochs.

    It has a learning rate of its own, and is in whole epochs, rounded up.
    """

    share: Positive
    learning_rate: Positive

    def epochs(self, training: Training) -> int:
        """How many epochs it has after ``training``."""
        return ceil(round(self.share * training.epochs, 9))  # 0.1 · 30 is above 3


class Schedule(Record):
    """A learning rate that changes (a plug-in), and its options."""

    method: str
    options: Options = Field(default={})


class Recipe(Record):
    """A way to train: probability of dropping a channel, snapshots of weights, what is seen."""

    dropout: Share
    snapshots: Natural
    collect: Collect | None = None
    resample: Literal["patients"] | None = None
    schedule: Annotated[Schedule | None, WHEN_GIVEN] = None


class Sampling(Record):
    """How every cell is sampled."""

    au_samples: Count
    noise: Literal["common", "independent"]
    batch: Count


class Samples(Record):
    """What is kept of the samples: of which images, how many of each split those to show are, and
    bits of the mantissa."""

    keep: Literal["all", "shown", "none"]
    shown: Natural
    bits: Annotated[int, Field(ge=3, le=10)]


class Uncertainty(Record):
    """How samples become maps, and bits of the mantissa that these keep."""

    none_roles: Literal["samples_as_hypotheses", "strict"]
    bits: Annotated[int, Field(ge=3, le=23)]


class Tables(Record):
    """Tasks that rank the cells, each with the aggregation that counts."""

    tasks: Annotated[dict[str, str], Field(min_length=1)]


class Point(Record):
    """A place on an axis: the quantity there, and the dataset and split that have it."""

    at: float
    dataset: Name
    split: Text = "id"


class Axis(Record):
    """A quantity that datasets or splits vary in, and the measure that ought to follow it."""

    quantity: Text
    moves: Literal["AU", "EU"]
    direction: Literal[1, -1]
    points: Annotated[list[Point], Field(min_length=2)]


class Remedy(Record):
    """Two epistemic methods that differ in one thing, or one under another variant."""

    before: Name
    after: Name
    variant: str = "corrected"


class Qualitative(Record):
    """The picture of images, raters, samples and maps, of some splits; curves are of its cells."""

    cells: list[str]
    images: Count
    splits: Annotated[list[Text], Field(min_length=1)] = Field(default=["id"])


class Figures(Record):
    """What the figures show."""

    qualitative: Qualitative


class Resources(Record):
    """What one job asks for; no result depends on it."""

    threads: Count
    mem_mb: Count
    runtime: Count
    gpu: Annotated[int, Field(ge=0, le=1)] = 0


class AllResources(Record):
    """The resources of each stage."""

    prepare: Resources
    train: Resources
    sample: Resources
    maps: Resources
    score: Resources
    tables: Resources
    figures: Resources


class Config(Record):
    """A whole study."""

    study: Name
    results: Text
    seed: Natural
    replicates: Count
    variants: Annotated[
        list[Literal["corrected", "jackknife", "paper_code", "paper_code_v1"]], Field(min_length=1)
    ]
    datasets: dict[Name, Dataset]
    predictions: dict[Name, Given]
    network: Network
    aleatoric: Annotated[dict[Name, Aleatoric], Field(min_length=1)]
    epistemic: Annotated[dict[Name, Epistemic], Field(min_length=1)]
    not_applicable: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*-[a-z][a-z0-9_]*$")]]
    recipes: Annotated[dict[Name, Recipe], Field(min_length=1)]
    training: Training
    sampling: Sampling
    samples: Samples
    uncertainty: Uncertainty
    scores: Annotated[dict[str, Options], Field(min_length=1)]
    tables: Tables
    axes: dict[Name, Axis]
    remedies: dict[Name, Remedy]
    figures: Figures
    rerun_on_code: list[Literal[STAGES]]
    resources: AllResources

    def training_of(self, dataset: str, aleatoric: str) -> Training:
        """How a model is trained on a dataset: ``training``, with its keys, with the dataset's."""
        found = self.training
        for section, name in (("aleatoric", aleatoric), ("datasets", dataset)):
            own = getattr(self, section)[name].training
            found = parse(Training, {**dict(found), **own}, f"{section}.{name}.training")
        return found

    def sampling_of(self, epistemic: str) -> Sampling:
        """How the cells of an epistemic method are sampled: ``sampling`` with its own keys."""
        own = self.epistemic[epistemic].sampling
        return parse(Sampling, {**dict(self.sampling), **own}, f"epistemic.{epistemic}.sampling")


def read(config: Mapping[str, Any], defaults: Mapping[str, Any]) -> Config:
    """Check a config.

    Args:
        config: the study; what it lacks is taken from ``defaults``. An entry of datasets,
            aleatoric, epistemic or recipes that is null is taken away.
        defaults: config.yaml as the repository has it; names come in its order, then others.

    Raises:
        InputError: names the key that is unknown, missing or of another kind than it ought to be.
    """
    whole = overlay(defaults, config)
    for section in _NULLABLE:
        if isinstance(entries := whole.get(section) or {}, dict):
            whole[section] = {name: entry for name, entry in entries.items() if entry is not None}
    found = parse(Config, whole)
    if found.study == SHARED:
        raise InputError(f"study: {SHARED} is the folder of what studies share; name another")
    if len(set(found.variants)) < len(found.variants):
        raise InputError(f"variants: expected different ones, found {found.variants}")
    network = found.network
    if any(width % network.heads for width in network.channels):
        raise InputError(
            f"network.heads: expected a divisor of every width in network.channels, "
            f"{network.channels}, found {network.heads}"
        )
    for dataset, aleatoric in product(found.datasets, found.aleatoric):
        found.training_of(dataset, aleatoric)
    for name in found.epistemic:
        found.sampling_of(name)
    return found


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``below`` with the values of ``above``, which wins; keys in the order of ``below``."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = overlay(merged[key], value) if both else value
    return merged
