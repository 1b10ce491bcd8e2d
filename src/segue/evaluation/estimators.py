"""Estimators of uncertainty from finitely many draws: the plug-in, and the jackknife over draws.

The mean p̂ of S draws is noisy, and entropy is concave, so the plug-in H(p̂) is too low by about
Σ_c Var(p_c)/(2·S·p̄_c). Of TU, a mean over hypotheses too, less is lost than of AU; the difference
is counted as EU, in the very pixels where draws differ. The jackknife (Quenouille 1956) takes the
term in 1/S away: Û_J = S·Û_S - (S-1)·mean_i Û_{S-1, without i}.
"""

from typing import NamedTuple

import numpy as np

from segue.evaluation.metrics.entropy import plane_entropy

PLUGIN, JACKKNIFE = "plugin", "jackknife"

ESTIMATORS = {PLUGIN: "uncertainty", JACKKNIFE: "uncertainty_jackknife"}
"""Name of each estimator, and of the array of a store of maps that holds what it gives."""


class Hypotheses(NamedTuple):
    """Samples, and what the maps of any number of their weight hypotheses have in common.

    Attributes:
        planes: class probabilities (eu_sample, au_sample, plane, ...), without the first class
            where there are two of them (``segue.evaluation.metrics.entropy.planes``).
        means: p̄_e, over au_sample, (eu_sample, plane, ...).
        entropies: H(p̄_e) in nats, (eu_sample, ...), float64: EU is a small difference of them.
        corrections: what the jackknife adds to them.
    """

    planes: np.ndarray
    means: np.ndarray
    entropies: np.ndarray
    corrections: np.ndarray


def hypotheses(planes: np.ndarray) -> Hypotheses:
    """What maps need of each hypothesis; a hypothesis at a time, so that it stays in the cache."""
    means = planes.mean(axis=1)
    entropies = plane_entropy(means.astype(np.float64), axis=1)
    corrections = np.zeros_like(entropies)
    if planes.shape[1] > 1:
        for found, draws, mean in zip(corrections, planes, means, strict=True):
            found[...] = _correction(mean, draws)
    return Hypotheses(planes, means, entropies, corrections)


def measures(samples: Hypotheses, estimator: str, number: int | None = None) -> np.ndarray:
    """TU, AU and EU, (3, ...), float64, by an estimator, of the first hypotheses or of all.

    TU is corrected by leaving draw i out of every hypothesis at once, so that what varies are the S
    means of draws over hypotheses. They are independent and alike however the draws of different
    hypotheses depend on each other, so the term in 1/S vanishes for noise that is each hypothesis's
    own as for noise that all have in common. To leave out the draws of one hypothesis at a time
    would be right for the former alone.

    To first order the variance of the jackknife stays that of the plug-in,
    Var(Σ_c p_c·log p̄_c)/S for one hypothesis. Of M equal hypotheses with draws of their own and two
    classes, EU has the mean 0 and a standard deviation of about √(2/(M-1)) times what the plug-in
    shows there: single pixels stay noisy, and EU may be negative in them. By the plug-in EU is
    clipped at 0, where rounding leaves it below. One draw says nothing of the noise: both estimates
    are the same.
    """
    first = slice(number)
    # In double precision, as each hypothesis: what rounding does to TU alone counts as EU.
    mean = samples.means[first].mean(axis=0, dtype=np.float64)
    total = plane_entropy(mean, axis=0)
    aleatoric = samples.entropies[first].mean(axis=0)
    if estimator == PLUGIN or samples.planes.shape[1] == 1:
        return np.stack([total, aleatoric, np.maximum(total - aleatoric, 0)])
    total = total + _correction(mean, samples.planes[first].mean(axis=0))
    aleatoric = aleatoric + samples.corrections[first].mean(axis=0)
    return np.stack([total, aleatoric, total - aleatoric])


def _correction(mean: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """What the jackknife adds to H(p̂), in nats: (S-1)·mean_i (H(p̂) - H(p̂ without draw i)).

    Args:
        mean: p̂ of the draws, (plane, ...).
        draws: (S, plane, ...), S > 1.
    """
    count, mean = len(draws), mean.astype(draws.dtype)
    entropy = plane_entropy(mean.astype(np.float64), axis=0)  # its error would count S times
    less = mean - draws
    less /= count - 1
    less += mean  # exactly the mean where draws are equal
    without = plane_entropy(less, axis=1).sum(axis=0, dtype=np.float64)
    return (count - 1) * (entropy - without / count)
