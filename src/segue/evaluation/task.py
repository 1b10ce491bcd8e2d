"""What a task is: which measure ought to win under which metric, and the scores it yields.

A module in ``segue.evaluation.tasks`` has a ``TASK`` and a function::

    score(splits, variants, *, <options>) -> iterator of Score

where ``splits`` maps the name of each split to a dataset, not loaded, of ``labels`` (image, rater,
y, x), ``uncertainty`` (image, measure, y, x) and ``prediction`` (image, class, y, x), and where the
dataset has it ``truth`` (image, class, y, x); ``variants`` are of ``segue.evaluation.variants``;
and the options are, of the entry of the task in the section ``scores``, those that it names.
``uncertainty`` is by the estimator of the variants: a task is scored once for each estimator, and
need not know of them. Attributes of a split are ``none_roles``, that of its maps, see
``segue.evaluation.maps``, and the numbers of samples, ``eu_sample`` and ``au_sample``.

Samples are large, read once, and need not be kept. A task that needs more of them than the maps has
a second function::

    summarise(split, drawn, *, <options>) -> dict of data arrays, by their names

which is called when maps are made: with the name of a split and a ``segue.evaluation.drawn.Drawn``,
the samples and labels of a few of its images. Its arrays, whose first dimension is ``image``, lie
beside the maps, and the splits that ``score`` is given have them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Task:
    """What ought to win.

    Attributes:
        metric: the metric that ranks cells, one of those the task scores.
        higher_is_better: whether a large value of ``metric`` is good.
        correct: the measure that ought to have the best value; empty for a task that compares no
            measures, which takes no part in entanglement.
        wrong: the measures it ought to beat.
        references: splits that scoring cannot do without; ``ood`` stands for at least one OOD
            split.
        aggregations: those that scores of ``metric`` have, but for sub-samples of the samples
            (``segue.evaluation.subsamples``); read without importing the module, so written out
            there.
        reads: those of ``uncertainty`` and ``truth`` that it reads. What does not read
            ``uncertainty`` is scored once, under all variants; what reads ``truth`` is left out
            where a dataset has none.
    """

    metric: str
    higher_is_better: bool
    correct: str = ""
    wrong: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    aggregations: tuple[str, ...] = ("",)
    reads: tuple[str, ...] = ("uncertainty",)


@dataclass(frozen=True)
class Score:
    """Values of one metric on one split.

    Attributes:
        metric, split: names.
        values: one per image, (image,), or a single number for all of the split's images.
        measure: TU, AU or EU; empty where none applies.
        aggregation: how pixels, images or masks were compared; empty where there is one way only.
        variant: name of the variant it belongs to; empty where all variants agree.
        reweighted: where ``values`` is a single number, what it becomes as images count more or
            less: a function as ``weighted``. Without it, such a score has no interval.
        defined: which of the split's images the score is of, bool (image,), by default all; the
            values of the others are NaN.
        reason: why the score is undefined, in words, where ``values`` is NaN, or all of them are.
    """

    metric: str
    split: str
    values: np.ndarray | float
    measure: str = ""
    aggregation: str = ""
    variant: str = ""
    reweighted: Callable[[Mapping[str, np.ndarray]], np.ndarray] | None = None
    defined: np.ndarray | None = None
    reason: str = ""

    def mean(self) -> float:
        """The split's score: the mean over the images that have one; NaN where it is undefined."""
        values = self.values
        if np.ndim(values) and self.defined is not None:
            values = values[self.defined]
        return float(np.mean(values, dtype=np.float64)) if np.size(values) else np.nan

    def weighted(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """The split's score where images count by ``weights``; the mean score where all are equal.

        Args:
            weights: how often each image counts, whole numbers, (draw, image), of each split by
                its name.

        Returns:
            (draw,); NaN where no image that has a score counts, and for a single number that does
            not say how to reweight it.
        """
        if self.reweighted:
            return self.reweighted(weights)
        each = weights[self.split]
        if np.ndim(self.values) == 0:
            return np.full(len(each), np.nan)
        if self.defined is None:
            return each @ self.values / each.sum(axis=1)
        each, total = each[:, self.defined], each[:, self.defined].sum(axis=1)
        found = each @ self.values[self.defined]
        return np.divide(found, total, out=np.full(len(total), np.nan), where=total > 0)
