"""Fewer draws or hypotheses than were sampled: what their numbers do to maps of uncertainty."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from segue.evaluation.estimators import Hypotheses, hypotheses, measures

DRAWS, HYPOTHESES, ALL = "draws", "hypotheses", "all"


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
    if of not in (ALL, DRAWS, HYPOTHESES) or written(found) != aggregation:
        raise ValueError(f"expected draws=N, hypotheses=N or all, found {aggregation!r}")
    return found


def subsamples(
    samples: Hypotheses, draws: Sequence[int], hypotheses: Sequence[int]
) -> list[Subsample]:
    """All samples, then those of some numbers that there are; the full numbers always are.

    Args:
        samples: what there is.
        draws, hypotheses: the numbers.
    """
    found, there = [Subsample(ALL)], samples.planes.shape
    for of, numbers, full in ((DRAWS, draws, there[1]), (HYPOTHESES, hypotheses, there[0])):
        found += [Subsample(of, n) for n in sorted({*numbers, full}) if n <= full]
    return found


def sweep(
    samples: Hypotheses, chosen: Sequence[Subsample], estimators: Sequence[str]
) -> Iterator[list[np.ndarray]]:
    """Measures of each sub-sample by each estimator, see ``segue.evaluation.estimators.measures``.

    Args:
        samples: all of them.
        chosen: the sub-samples.
        estimators: names.
    """
    whole = [measures(samples, estimator) for estimator in estimators]
    for each in chosen:
        if each.of == ALL or each.number == samples.planes.shape[each.of == DRAWS]:
            yield whole
        elif each.of == HYPOTHESES:
            yield [measures(samples, estimator, each.number) for estimator in estimators]
        else:
            fewer = hypotheses(samples.planes[:, : each.number])
            yield [measures(fewer, estimator) for estimator in estimators]
