"""Variants: scores as they should be, by either estimator, and as the study's code computed them.

Protocol §10 lists the faults of that code. A variant names those that it reproduces; each takes
effect at one place in a task. The estimator of uncertainty takes effect before a task: it says
which maps there are. Nothing else depends on the variant. The study's LIDC has two
classes and its Chákṣu three: a fault that struck one of them strikes datasets of as many classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from segue.errors import InputError
from segue.evaluation.estimators import JACKKNIFE as BY_JACKKNIFE
from segue.evaluation.estimators import PLUGIN


@dataclass(frozen=True)
class Variant:
    """A way to compute the scores.

    Attributes:
        name: what the rows are labelled with.
        foreground_wrong: fault 1, two classes: masks of 0/255 against labels of 0/1, so that every
            pixel predicted as foreground counts as wrong in calibration (Platt scaling and errors).
        transposed_maps: fault 2: maps with y and x exchanged in NCC and calibration.
        raw_border: fault 3: in OOD detection, the border score of a prediction without a border is
            the sum of its map; else such an image has no border score and is left out.
        one_class_wrong: fault 4: the calibration of one image whose pixels are all right takes them
            for all wrong (its one class of correctness was binarised to 0).
        pixel_accuracy: fault 5, more than two classes: pixel accuracy in the place of Dice.
        estimator: which maps are scored, a key of ``segue.evaluation.estimators.ESTIMATORS``.
    """

    name: str
    foreground_wrong: bool = False
    transposed_maps: bool = False
    raw_border: bool = False
    one_class_wrong: bool = False
    pixel_accuracy: bool = False
    estimator: str = PLUGIN


CORRECTED = Variant("corrected")
JACKKNIFE = Variant("jackknife", estimator=BY_JACKKNIFE)
"""As ``corrected``, of maps without the noise of finitely many draws in their mean."""
PAPER_CODE = Variant(
    "paper_code",
    foreground_wrong=True,
    raw_border=True,
    one_class_wrong=True,
    pixel_accuracy=True,
)
PAPER_CODE_V1 = Variant(
    "paper_code_v1",
    foreground_wrong=True,
    transposed_maps=True,
    raw_border=True,
    one_class_wrong=True,
    pixel_accuracy=True,
)
"""As in version 1 of the paper on arXiv, which had fault 2 too."""

VARIANTS = {v.name: v for v in (CORRECTED, JACKKNIFE, PAPER_CODE, PAPER_CODE_V1)}


def named(names: Sequence[str]) -> tuple[Variant, ...]:
    """The variants of these names.

    Raises:
        InputError: a name is unknown.
    """
    for name in names:
        if name not in VARIANTS:
            raise InputError(f"variants: unknown {name!r}; there are: {', '.join(VARIANTS)}")
    return tuple(VARIANTS[name] for name in names)


def by_estimator(variants: Sequence[Variant]) -> dict[str, tuple[Variant, ...]]:
    """The variants of each estimator, estimators in the order in which variants name them."""
    names = dict.fromkeys(variant.estimator for variant in variants)
    return {name: tuple(v for v in variants if v.estimator == name) for name in names}
