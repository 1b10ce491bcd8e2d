"""Maps against what is true of an image whose raters' distribution p*(y | x) is known.

A split of such a dataset has ``truth`` (image, class, y, x), p* of each pixel. Aleatoric
uncertainty ought to be its entropy H(p*), and epistemic uncertainty to tell what more data would
gain: the excess risk KL(p* ‖ p̄) of the mean prediction p̄.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr
from scipy.special import entr, kl_div

from segue import dims
from segue.blocks import blocks
from segue.errors import InputError
from segue.evaluation.metrics.likelihood import LEAST
from segue.evaluation.metrics.ncc import ncc
from segue.evaluation.metrics.spearman import spearman, weighted_spearman
from segue.evaluation.task import Score

_ROUNDING = 1e-4  # how far sums of probabilities in single precision may be off

Reference = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""p* and p̄ (image, class, y, x) -> what a map ought to be, in nats (image, y, x)."""


def entropy(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """H(p*) of each pixel, in nats, (image, y, x); it does not depend on the prediction."""
    return entr(truth).sum(axis=1)


def excess(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """KL(p* ‖ p̄) of each pixel, in nats, (image, y, x).

    Probabilities p̄ below 6e-8 count as that, as in the likelihood (``metrics.likelihood``), so the
    divergence is finite where a class was predicted to be impossible.
    """
    predicted = np.maximum(prediction, LEAST)
    predicted /= predicted.sum(axis=1, keepdims=True)
    return kl_div(truth, predicted).sum(axis=1)  # p·log(p/q) - p + q: never below 0 by rounding


def scores(splits: Mapping[str, xr.Dataset], reference: Reference, mean: str) -> Iterator[Score]:
    """Scores of each measure's map u against a reference r, of every split.

    Per image: ``ncc`` of both over the pixels, ``error`` the mean of u - r and ``absolute_error``
    that of |u - r|, in nats; and the mean of r itself, which no measure has a part in. Of all
    images: ``spearman``, the rank correlation of the means (or sums) of u and r over pixels.

    Args:
        splits: with ``truth``, see ``segue.evaluation.task``.
        reference: gives r.
        mean: the metric's name for the mean of r.

    Raises:
        InputError: ``truth`` has no probabilities, or other dimensions; names the split and image.
    """
    for name, split in splits.items():
        dims.check(split["truth"], dims.PREDICTION, f"{name}/truth")
        found: dict[str, list[np.ndarray]] = {}
        start = 0
        for block in blocks(split, "truth", "uncertainty", "prediction"):
            truth = _checked(block["truth"].values, name, start)
            start += len(truth)
            right = reference(truth, block["prediction"].values.astype(np.float64))
            for metric, values in _compared(block["uncertainty"].values, right[:, None]).items():
                found.setdefault(metric, []).append(values)
        whole = {metric: np.concatenate(parts) for metric, parts in found.items()}
        given, right = whole.pop("given"), whole.pop("right")[:, 0]
        yield Score(mean, name, right)
        for i, measure in enumerate(dims.MEASURES):
            for metric, values in whole.items():
                yield Score(metric, name, values[:, i], measure)
            both = given[:, i], right
            reweighted = partial(_reweighted, split=name, both=both)
            yield Score("spearman", name, spearman(*both), measure, reweighted=reweighted)


def _compared(maps: np.ndarray, right: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of maps (image, measure, y, x) against (image, 1, y, x), and the means of both.

    Returns:
        (image, measure), of ``right`` (image, 1).
    """
    difference = maps - right
    return {
        "ncc": ncc(right, maps),
        "error": difference.mean(axis=(-1, -2)),
        "absolute_error": np.abs(difference).mean(axis=(-1, -2)),
        "given": maps.mean(axis=(-1, -2), dtype=np.float64),
        "right": right.mean(axis=(-1, -2)),
    }


def _checked(truth: np.ndarray, split: str, start: int) -> np.ndarray:
    """Probabilities (image, class, y, x) as float64, of images from ``start`` on."""
    truth = truth.astype(np.float64)
    off = np.abs(truth.sum(axis=1) - 1)
    wrong = ~((truth >= 0) & (truth <= 1)).all(axis=1) | ~(off <= _ROUNDING)  # NaN is wrong too
    if wrong.any():
        image, y, x = np.argwhere(wrong)[0].tolist()
        raise InputError(
            f"{split}/truth: image {start + image}, y {y}, x {x}: expected probabilities that sum "
            f"to 1 over 'class', found {truth[image, :, y, x].tolist()}; prepare the dataset again"
        )
    return truth


def _reweighted(
    weights: Mapping[str, np.ndarray], split: str, both: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    return weighted_spearman(*both, weights[split])
