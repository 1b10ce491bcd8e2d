"""Estimators of uncertainty from finitely many draws: the plug-in, and the jackknife over draws.

The mean p̂ of S draws is noisy, and entropy is concave, so the plug-in H(p̂) is too low by about
Σ_c Var(p_c)/(2·S·p̄_c). Of TU, a mean over hypotheses too, less is lost than of AU; the difference
is counted as EU, in the very pixels where draws differ. The jackknife (Quenouille 1956) takes the
term in 1/S away: Û_J = S·Û_S - (S-1)·mean_i Û_{S-1, without i}.
"""

import numpy as np
import xarray as xr

from segue.evaluation.metrics.entropy import fast_entropy

PLUGIN, JACKKNIFE = "plugin", "jackknife"

ESTIMATORS = {PLUGIN: "uncertainty", JACKKNIFE: "uncertainty_jackknife"}
"""Name of each estimator, and of the array of a store of maps that holds what it gives."""


def corrections(probs: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """What the jackknife adds to the plug-in estimates of TU and of H(p̄_e), in nats.

    That is (S-1)·mean_i (Û_S - Û_{S-1, without i}), i over the draws. For TU draw i is left out of
    every hypothesis at once, so that what varies are the S means of draws over hypotheses. They are
    independent and alike however the draws of different hypotheses depend on each other, so the
    term in 1/S vanishes for noise that is each hypothesis's own as for noise that all have in
    common. To leave out the draws of one hypothesis at a time would be right for the former alone.

    To first order the variance of an estimate stays that of the plug-in,
    Var(Σ_c p_c·log p̄_c)/S for one hypothesis. Of M equal hypotheses with draws of their own and two
    classes, EU has the mean 0 and a standard deviation of about √(2/(M-1)) times what the plug-in
    shows there: single pixels stay noisy, and EU may be negative in them.

    Args:
        probs: class probabilities with dims eu_sample, au_sample (S of them), class and any others.

    Returns:
        Both without au_sample and class: of TU without eu_sample too, of the entropy H(p̄_e) of each
        hypothesis with it. All 0 where S = 1: one draw says nothing of the noise.
    """
    draws = probs.transpose("eu_sample", "au_sample", "class", ...)
    count, values = draws.sizes["au_sample"], draws.values
    mean = values.mean(axis=1)
    total, single = np.zeros(mean[0, 0].shape), np.zeros(mean[:, 0].shape)
    if count > 1:
        # In double precision, since its error would count once a draw.
        exact = mean.astype(np.float64)
        whole = fast_entropy(exact.mean(axis=0), axis=0), fast_entropy(exact, axis=1)
        for draw in np.moveaxis(values, 1, 0):  # one at a time: no more memory than the mean takes
            less = mean + (mean - draw) / (count - 1)  # exactly the mean where draws are equal
            total += whole[0] - fast_entropy(less.mean(axis=0), axis=0)
            single += whole[1] - fast_entropy(less, axis=1)
        total *= (count - 1) / count
        single *= (count - 1) / count
    one = draws.isel(au_sample=0, **{"class": 0}, drop=True)
    found = (one.isel(eu_sample=0, drop=True), total), (one, single)
    return tuple(like.copy(data=data.astype(values.dtype)) for like, data in found)
