"""Fewer draws or hypotheses than were sampled: what their numbers do to maps of uncertainty."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import xarray as xr

from segue.evaluation.maps import estimates

DRAWS, HYPOTHESES, ALL = "draws", "hypotheses", "all"

_DIMS = {DRAWS: "au_sample", HYPOTHESES: "eu_sample"}


class Subsample(NamedTuple):
    """The first ``number`` draws of each hypothesis, or hypotheses with all their draws.

    Attributes:
        of: ``DRAWS`` or ``HYPOTHESES``; ``ALL`` for all samples.
        number: how many; 0 for all samples.
    """

    of: str
    number: int = 0


def written(subsample: Subsample) -> str:
    """A sub-sample as the aggregation of a score: ``draws=5``, ``hypotheses=3`` or ``all``."""
    return ALL if subsample.of == ALL else f"{subsample.of}={subsample.number}"


def parsed(aggregation: str) -> Subsample:
    """The sub-sample that ``written`` wrote so.

    Raises:
        ValueError: it did not.
    """
    of, _, number = aggregation.partition("=")
    found = Subsample(of, int(number)) if number.isdecimal() else Subsample(of)
    if of not in (ALL, *_DIMS) or written(found) != aggregation:
        raise ValueError(f"expected draws=N, hypotheses=N or all, found {aggregation!r}")
    return found


def subsamples(
    probs: xr.DataArray, draws: Sequence[int], hypotheses: Sequence[int]
) -> list[Subsample]:
    """All samples, then those of some numbers that there are; the full numbers always are.

    Args:
        probs: with dims eu_sample and au_sample.
        draws, hypotheses: the numbers.
    """
    found = [Subsample(ALL)]
    for of, numbers in ((DRAWS, draws), (HYPOTHESES, hypotheses)):
        there = probs.sizes[_DIMS[of]]
        found += [Subsample(of, n) for n in sorted({*numbers, there}) if n <= there]
    return found


def sweep(
    probs: xr.DataArray, chosen: Sequence[Subsample], *estimators: str
) -> Iterator[tuple[Subsample, dict[str, xr.DataArray]]]:
    """Maps of sub-samples by each estimator, see ``segue.evaluation.maps.decompose``.

    Args:
        probs: class probabilities (image, eu_sample, au_sample, class, y, x).
        chosen: the sub-samples, of which ``all`` is the first.
        estimators: names.
    """
    whole = estimates(probs, *estimators)
    for each in chosen:
        dim = _DIMS.get(each.of)
        if dim is None or each.number == probs.sizes[dim]:
            yield each, whole
        else:
            yield each, estimates(probs.isel({dim: slice(each.number)}), *estimators)
