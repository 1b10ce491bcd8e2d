"""How well does each measure tell shifted images from familiar ones? ROC curves of single cells."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from segue import dims
from segue.evaluation.metrics.auroc import auroc
from segue.evaluation.tasks import ood
from segue.report import curves, style
from segue.report.names import PLAIN, Labels, Names
from segue.report.panels import better, blank

TITLE = "ROC of OOD detection"
CAPTION = (
    "Share of shifted images that are found against the share of images of `id` that are mistaken "
    "for them, as the threshold on an image's score falls. Mean over the shifted splits and "
    "replicates; pale: the range over replicates. In the corner: the area under the curve, AUROC."
)
KIND = "curves"
TASKS = ("ood",)

_RATES = np.linspace(0, 1, 201)


def draw(
    out: Path,
    *,
    dataset: Path,
    cells: Sequence[Mapping[str, Any]],
    aggregation: str,
    options: Mapping[str, Any],
    name: str = "",
    names: Mapping[str, Labels] | None = None,
) -> None:
    """Draw the ROC curves of some cells.

    Args:
        out: path of the files, with one of their endings or without.
        dataset: path of dataset.zarr.
        cells: see ``segue.report.curves.by_cell``.
        aggregation: how a map becomes an image score; empty: the task's first.
        options: of the task ``ood``.
        name: the dataset's in the config.
        names: see ``segue.report.names.Names``.
    """
    style.save(compose(dataset, cells, aggregation, options, name, Names.of(names)), out)


@style.look()
def compose(
    dataset: Path,
    cells: Sequence[Mapping[str, Any]],
    aggregation: str,
    options: Mapping[str, Any],
    name: str = "",
    names: Names = PLAIN,
) -> Figure:
    """A panel for each cell. As in the scores, images without a border have no score by ``border``.

    Raises:
        InputError: a store is missing, or they do not fit together.
    """
    how = aggregation or ood.TASK.aggregations[0]
    found = {
        cell: [_replicate(splits, how, options["patch"]) for splits in replicates]
        for cell, replicates in curves.by_cell(dataset, cells).items()
    }
    found = {cell: [each for each in every if each] for cell, every in found.items()}
    if not any(found.values()):
        return blank(f"No cell of {names.dataset(name)} has a score of OOD detection.")
    shown = [cell for cell, every in found.items() if every]
    heading = f"{names.dataset(name)}, image score: {how}"
    figure, panels = curves.cell_panels(shown, ["ood"], names, heading)
    for cell, _, ax in panels:
        ax.plot([0, 1], [0, 1], **curves.DIAGONAL, zorder=0)
        curves.draw_measures(ax, _RATES, found[cell], better("AUROC", True))
        ax.set(xlabel="false positive rate", ylabel="true positive rate")
    curves.add_key(figure, {"chance": Line2D([], [], **curves.DIAGONAL)})
    return figure


def _replicate(splits: curves.Splits, how: str, patch: int) -> dict[str, tuple[np.ndarray, float]]:
    """True positive rates at ``_RATES`` and AUROC of each measure, means over the shifted splits.

    Empty where no split has a score.
    """
    least = ood.thresholds(splits["val"]) if how == "threshold" else None
    scores = {}
    for name, split in splits.items():
        if dims.region(name) in dims.REGIONS:
            images = ood.image_scores(split, patch, least)
            scores[name] = images.scores[how][images.bordered if how == "border" else ...]
    inside = scores.pop("id")
    shifted = [each for each in scores.values() if len(each) and len(inside)]
    found = {}
    for i, measure in enumerate(dims.MEASURES if shifted else ()):
        sides = [(inside[:, i], outside[:, i]) for outside in shifted]
        rates = [np.interp(_RATES, *curves.roc(*both)) for both in sides]
        found[measure] = np.mean(rates, axis=0), float(np.mean([auroc(*both) for both in sides]))
    return found
