"""What the samples and maps of a study take on disk: bytes and files, before anything runs.

Compressed bytes are an estimate: a float takes about its mantissa's bits and 3 more, a mask an
eighth of its bits (docs/running.md).
"""

import math
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import NamedTuple

from segue import shards
from segue.study import cost
from segue.study.config import Config
from segue.study.study import Study

_OTHER_BITS = 3  # of a compressed float, beside those of its mantissa
_MASK = 1 / 8  # of a mask's bits that are left
_MAPS = 4  # maps an image that are stored: AU and EU by either estimator
_ARRAYS = 8  # of a split's maps: those, mean predictions, masks, and what is taken down of samples
_OF_SPLIT = 24  # files of a split's maps beside the arrays' chunks: metadata, coordinates
_FILES = 20  # of a cell's maps and scores beside these


class Usage(NamedTuple):
    """Disk that something takes.

    Attributes:
        number: of samples, each of one image.
        bytes: compressed, about.
        files: about.
    """

    number: int
    bytes: float
    files: int


def lines(study: Study, sizes: Mapping[str, cost.Size]) -> list[str]:
    """What a summary says of the disk.

    Args:
        sizes: of each dataset, by its name.
    """
    config, drawn, mapped, shown = study.config, [], [], []
    for cell in study.trained:
        data = sizes[cell.dataset]
        samples = of_samples(config, cell.aleatoric, cell.epistemic, data)
        drawn.append(samples)
        mapped.append(of_maps(config, cell.aleatoric, cell.epistemic, data))
        share = config.samples.shown * len(data.splits) / max(1, data.sampled)
        shown.append(Usage(0, share * samples.bytes, len(data.splits)))
    kept = {"all": [drawn, mapped, shown], "shown": [mapped, shown], "none": [mapped]}
    texts = [f"{name} {_text(chain.from_iterable(parts))}" for name, parts in kept.items()]
    most = max((each.bytes for each in drawn), default=0.0)
    here = config.samples.keep
    return [
        f"  samples in all: {sum(each.number for each in drawn):,}",
        f"  disk in the end, about, by samples.keep (here {here}): {'; '.join(texts)}",
        f"  meanwhile, unless all are kept: {_gb(most)} more at most for each cell at work",
    ]


def of_samples(config: Config, aleatoric: str, epistemic: str, data: cost.Size) -> Usage:
    """What the samples of one cell take."""
    sampling = config.sampling_of(epistemic)
    draws = cost.draws(config.aleatoric[aleatoric].model_dump(), sampling.au_samples)
    hypotheses, values = config.epistemic[epistemic].hypotheses, (data.classes - 1) * data.side**2
    number = data.sampled * hypotheses * draws
    images = shards.images(2 * draws * values, sampling.batch)
    files = sum(hypotheses * math.ceil(count / images) for count in data.splits.values())
    return Usage(number, number * values * _value(config.samples.bits), files)


def of_maps(config: Config, aleatoric: str, epistemic: str, data: cost.Size) -> Usage:
    """What the maps of one cell take, with the masks and all else that is taken down of samples."""
    sampling = config.sampling_of(epistemic)
    draws = cost.draws(config.aleatoric[aleatoric].model_dump(), sampling.au_samples)
    masks = config.epistemic[epistemic].hypotheses * (draws + 1)
    pixels, foreground = data.side**2, data.classes - 1
    floats, bits = (_MAPS + foreground) * pixels, masks * foreground * pixels
    images = shards.images(4 * floats + bits / 8, 1)
    files = sum(_ARRAYS * math.ceil(count / images) + _OF_SPLIT for count in data.splits.values())
    compressed = floats * _value(config.uncertainty.bits) + bits / 8 * _MASK
    return Usage(0, data.sampled * compressed, files + _FILES)


def _value(bits: int) -> float:
    """Bytes of a compressed float whose mantissa has so many bits."""
    return (bits + _OTHER_BITS) / 8


def _text(parts: Iterable[Usage]) -> str:
    uses = list(parts)
    size, files = sum(each.bytes for each in uses), sum(each.files for each in uses)
    return f"{_gb(size)} in {files:,} files"


def _gb(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"
