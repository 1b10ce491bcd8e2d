"""Leakage: how much of the epistemic uncertainty is noise of finitely many draws?

Maps of all samples and of fewer, by the plug-in and by the jackknife. It does not say which measure
ought to win, so it takes no part in entanglement.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr

from segue import dims
from segue.blocks import blocks
from segue.errors import InputError
from segue.evaluation.disagreement import Disagreement, at, disagreements
from segue.evaluation.maps import in_roles
from segue.evaluation.metrics.ncc import ncc
from segue.evaluation.probabilities import probabilities
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


def score(
    splits: Mapping[str, xr.Dataset],
    variants: Sequence[Variant],
    *,
    draws: Sequence[int],
    hypotheses: Sequence[int],
) -> Iterator[Score]:
    """Scores per image of ``id`` and of OOD splits, by the first variant of each estimator.

    ``mean``: of a measure's map over pixels, in nats; ``correlation``: Pearson's r of the maps of
    AU and EU over pixels, 0 where either is constant; ``ncc``: of AU's and EU's map with the
    variance of the raters' classes, as in ``ambiguity``. The aggregation names the sub-sample: the
    first draws of all hypotheses, the first hypotheses with all draws, or all (see
    ``segue.evaluation.subsamples``). The full numbers are among them, with the scores of ``all``;
    OOD splits have those of ``all`` only. Draws of a single hypothesis count as hypotheses where
    they do in the maps.

    Args:
        splits: see ``segue.evaluation.task``.
        variants: one that repeats an estimator has no scores.
        draws, hypotheses: numbers to take, at least 1; more than there are, are left out.

    Raises:
        InputError: a number is below 1.
    """
    for name, numbers in (("draws", draws), ("hypotheses", hypotheses)):
        if min(numbers, default=1) < 1:
            raise InputError(
                f"scores.leakage.{name}: expected numbers of at least 1, found {min(numbers)}"
            )
    estimators = {estimator: of_it[0].name for estimator, of_it in by_estimator(variants).items()}
    for name in filter(lambda name: dims.region(name) in dims.REGIONS, splits):
        given = splits[name]
        split = in_roles(given[["labels", "probs"]], given.attrs["none_roles"])
        chosen = [Subsample(ALL)]
        if name == _SPLIT:
            chosen = subsamples(split["probs"], draws, hypotheses)
        yield from _of_split(name, split, chosen, estimators)


def _of_split(
    name: str, split: xr.Dataset, chosen: Sequence[Subsample], estimators: Mapping[str, str]
) -> Iterator[Score]:
    """Scores of a split in roles; ``estimators``: the variant to name for each."""
    found: dict[tuple[str, ...], list[np.ndarray]] = {}
    for block in blocks(split, "labels", "probs"):
        readings = list(disagreements(block["labels"].values, split.sizes["class"]))
        probs = probabilities(block["probs"])
        for subsample, maps in sweep(probs, chosen, *estimators):
            for estimator, variant in estimators.items():
                values = maps[estimator].transpose(*dims.UNCERTAINTY).values
                for key, scores in zip(_KEYS, _score(values, readings), strict=True):
                    found.setdefault((variant, written(subsample), *key), []).append(scores)
    for (variant, how, metric, measure), parts in found.items():
        values, told = np.concatenate(parts), {}
        if metric == "ncc":
            defined = np.isfinite(values)
            told = {"defined": defined, "reason": "" if defined.any() else UNREAD}
        yield Score(metric, name, values, measure, how, variant, **told)


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
