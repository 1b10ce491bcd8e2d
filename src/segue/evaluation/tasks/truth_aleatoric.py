"""Aleatoric truth: is aleatoric uncertainty the entropy of the raters' true distribution?"""

from collections.abc import Iterator, Mapping, Sequence

import xarray as xr

from segue.evaluation import truth
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant

TASK = Task(
    metric="ncc",
    higher_is_better=True,
    correct="AU",
    wrong=("EU",),
    reads=("uncertainty", "truth"),
)


def score(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    """Scores of each measure's map against H(p*), of every split; see ``segue.evaluation.truth``.

    Per image ``ncc``, ``error``, ``absolute_error``, and ``h_star``, the mean of H(p*) in nats; of
    all images ``spearman``.

    Args:
        splits: see ``segue.evaluation.task``.
        variants: none of them changes the scores.
    """
    yield from truth.scores(splits, truth.entropy, "h_star")
