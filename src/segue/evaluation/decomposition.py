"""Samples -> total, aleatoric and epistemic uncertainty: the split that all maps are made by.

The information-theoretic one of Depeweg et al. (2018), https://arxiv.org/abs/1710.07283.
"""

import numpy as np
import xarray as xr

from segue import dims
from segue.errors import InputError
from segue.evaluation.estimators import ESTIMATORS, PLUGIN, hypotheses, measures
from segue.evaluation.metrics.entropy import planes


def decompose(probs: xr.DataArray, estimator: str = PLUGIN) -> xr.DataArray:
    """Information-theoretic split TU = AU + EU, in nats.

    p̄_e, the mean over ``au_sample``, is the predictive distribution of weight hypothesis e;
    TU = H(E_e p̄_e), AU = E_e H(p̄_e), EU = TU - AU.

    Args:
        probs: class probabilities with dims eu_sample, au_sample, class and any others. They are
            computed with in single precision, or in double if they have it.
        estimator: ``plugin`` takes the means of the draws for p̄_e, and clips EU at 0, where
            rounding leaves it below; ``jackknife`` corrects TU and AU for the noise of these means
            (see ``segue.evaluation.estimators``), so any measure may leave its range in a pixel,
            and EU is negative in some. Both are equal where there is one draw a hypothesis.

    Returns:
        The others' dims with ``measure`` (TU, AU, EU) before y and x; by ``plugin`` in
        [0, ln classes].

    Raises:
        InputError: there is no such estimator.
    """
    if estimator not in ESTIMATORS:
        raise InputError(f"estimator: unknown {estimator!r}; there are: {', '.join(ESTIMATORS)}")
    samples = probs.transpose("eu_sample", "au_sample", "class", ...)
    samples = samples.astype(np.result_type(samples.dtype, np.float32), copy=False)
    found = measures(hypotheses(planes(samples.values, axis=2)), estimator)
    one = samples.isel({"eu_sample": 0, "au_sample": 0, "class": 0}, drop=True)
    maps = one.expand_dims(measure=list(dims.MEASURES)).copy(data=found.astype(samples.dtype))
    return maps.transpose(..., "measure", "y", "x")
