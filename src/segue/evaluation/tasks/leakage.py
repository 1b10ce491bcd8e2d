"""Leakage: how much of the epistemic uncertainty is noise of finitely many draws?

Maps of all samples and of fewer, by the plug-in and by the jackknife. It does not say which measure
ought to win, so it takes no part in entanglement.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr

from segue import dims
from segue.errors import InputError
from segue.evaluation.disagreement import Disagreement, at, disagreements
from segue.evaluation.drawn import Drawn
from segue.evaluation.estimators import ESTIMATORS
from segue.evaluation.metrics.ncc import ncc
from segue.evaluation.subsamples import ALL, Subsample, subsamples, sweep, written
from segue.evaluation.task import Score, Task
from segue.evaluation.variants import Variant, by_estimator

TASK = Task(
    metric="mean", higher_is_better=False, references=("id",), aggregations=("all",), reads=()
)

UNREAD = "no image that two raters read"

_SPLIT = "id"
_KEYS = (
    *(("mean", measure) for measure in dims.MEASURES),
    ("correlation", ""),
    *(("ncc", measure) for measure in ("AU", "EU")),
)
_DIMS = ("image", "estimator", "subsample", "leakage_score")


def summarise(
    split: str, drawn: Drawn, *, draws: Sequence[int], hypotheses: Sequence[int]
) -> dict[str, xr.DataArray]:
    """``leakage`` (image, estimator, subsample, leakage_score): the scores of ``score``, float64.

    Of all samples, and of fewer on the split ``id``; none of splits that have no Δ.

    Args:
        split: its name.
        drawn: samples and labels; draws of a single hypothesis count as hypotheses where they do
            in the maps.
        draws, hypotheses: numbers to take, at least 1; more than there are, are left out.

    Raises:
        InputError: a number is below 1.
    """
    for name, numbers in (("draws", draws), ("hypotheses", hypotheses)):
        if min(numbers, default=1) < 1:
            raise InputError(
                f"scores.leakage.{name}: expected numbers of at least 1, found {min(numbers)}"
            )
    if dims.region(split) not in dims.REGIONS:
        return {}
    samples = drawn.hypotheses
    chosen = subsamples(samples, draws, hypotheses) if split == _SPLIT else [Subsample(ALL)]
    readings = list(disagreements(drawn.labels, drawn.classes))
    found = [
        [np.stack(list(_score(drawn.as_maps(maps), readings)), axis=-1) for maps in by_each]
        for by_each in sweep(samples, chosen, list(ESTIMATORS))
    ]
    coordinates = {
        "estimator": list(ESTIMATORS),
        "subsample": [written(each) for each in chosen],
        "leakage_score": [" ".join(filter(None, key)) for key in _KEYS],
    }
    # subsample, estimator, image, score -> image, estimator, subsample, score
    return {"leakage": xr.DataArray(np.array(found).transpose(2, 1, 0, 3), coordinates, _DIMS)}


def score(splits: Mapping[str, xr.Dataset], variants: Sequence[Variant]) -> Iterator[Score]:
    """Scores per image of ``id`` and of OOD splits, by the first variant of each estimator.

    ``mean``: of a measure's map over pixels, in nats; ``correlation``: Pearson's r of the maps of
    AU and EU over pixels, 0 where either is constant; ``ncc``: of AU's and EU's map with the
    variance of the raters' classes, as in ``ambiguity``. The aggregation names the sub-sample: the
    first draws of all hypotheses, the first hypotheses with all draws, or all (see
    ``segue.evaluation.subsamples``). The full numbers are among them, with the scores of ``all``;
    OOD splits have those of ``all`` only.

    Args:
        splits: see ``segue.evaluation.task``.
        variants: one that repeats an estimator has no scores.
    """
    for name in filter(lambda name: dims.region(name) in dims.REGIONS, splits):
        scores = splits[name]["leakage"].load()
        for estimator, (variant, *_) in by_estimator(variants).items():
            for how in scores["subsample"].values:
                values = scores.sel(estimator=estimator, subsample=how).values
                for (metric, measure), each in zip(_KEYS, values.T, strict=True):
                    told = {}
                    if metric == "ncc":
                        defined = np.isfinite(each)
                        told = {"defined": defined, "reason": "" if defined.any() else UNREAD}
                    yield Score(metric, name, each, measure, str(how), variant.name, **told)


def _score(maps: np.ndarray, readings: Sequence[Disagreement]) -> Iterator[np.ndarray]:
    """Scores (image,) of maps (image, measure, y, x), in the order of ``_KEYS``."""
    yield from maps.mean(axis=(-1, -2), dtype=np.float64).T
    _, aleatoric, epistemic = np.moveaxis(maps, 1, 0)
    pixels = aleatoric[0].size
    yield ncc(aleatoric, epistemic) * pixels / (pixels - 1)
    correlations = np.full((len(maps), 2), np.nan)
    for each in readings:
        compared = at(maps[each.images, 1:], each.pixels)
        correlations[each.images] = ncc(each.variance[:, None], compared)
    yield from correlations.T
