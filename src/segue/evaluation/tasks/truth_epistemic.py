"""Epistemic truth: does epistemic uncertainty tell how far the prediction is from the truth?"""

from collections.abc import Iterator, Mapping, Sequence

import xarray as xr

from segue.evaluation import truth
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant

TASK = Task(
    metric="ncc",
    higher_is_better=True,
    correct="EU",
    wrong=("AU",),
    reads=("uncertainty", "truth"),
)


def score(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    """Scores of each measure's map against KL(p* ‖ p̄), of every split.

    See ``segue.evaluation.truth``. Per image ``ncc``, ``error``, ``absolute_error``, and ``kl``,
    the mean of KL(p* ‖ p̄) in nats; of all images ``spearman``.

    Args:
        splits: see ``segue.evaluation.task``.
        variants: none of them changes the scores.
    """
    yield from truth.scores(splits, truth.excess, "kl")
