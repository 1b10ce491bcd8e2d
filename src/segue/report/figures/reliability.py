"""Does a confidence say how often the prediction is right? Reliability curves of single cells."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from segue import dims
from segue.evaluation.metrics.calibration import Curve, ace
from segue.evaluation.tasks import calibration
from segue.evaluation.variants import CORRECTED
from segue.report import curves, style
from segue.report.names import PLAIN, Labels, Names
from segue.report.panels import better, blank

TITLE = "Reliability"
CAPTION = (
    "How often the predicted class is a rater's, in bins of the confidence that each measure "
    "becomes by Platt scaling, of all pixels, replicates and, below, shifted splits; thin: single "
    "replicates. A dot's area grows with its bin's share of the pixels. Dashed: perfect "
    "calibration. In the corner: the average calibration error, ACE, in which all bins count alike."
)
KIND = "curves"
TASKS = ("calibration",)


def draw(
    out: Path,
    *,
    dataset: Path,
    cells: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    name: str = "",
    names: Mapping[str, Labels] | None = None,
) -> None:
    """Draw the reliability curves of some cells.

    Args:
        out: path of the files, with one of their endings or without.
        dataset: path of dataset.zarr.
        cells: see ``segue.report.curves.by_cell``.
        options: of the task ``calibration``.
        name: the dataset's in the config.
        names: see ``segue.report.names.Names``.
    """
    style.save(compose(dataset, cells, options, name, Names.of(names)), out)


@style.look()
def compose(
    dataset: Path,
    cells: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    name: str = "",
    names: Names = PLAIN,
) -> Figure:
    """A panel for each cell and region, with a curve of each measure.

    Raises:
        InputError: a store is missing, or they do not fit together.
    """
    found = {
        cell: [calibration.reliability(splits, CORRECTED, **options) for splits in replicates]
        for cell, replicates in curves.by_cell(dataset, cells).items()
    }
    splits = {split for every in found.values() for each in every for split, _ in each}
    regions = [region for region in dims.REGIONS if region in map(dims.region, splits)]
    if not regions:
        return blank(f"No rater read an image of val of {names.dataset(name)}.")
    figure, panels = curves.cell_panels(list(found), regions, names, names.dataset(name))
    for cell, region, ax in panels:
        ax.plot([0, 1], [0, 1], **curves.DIAGONAL, zorder=0)
        errors = {}
        for measure in dims.MEASURES:
            every = [_of_region(each, region, measure) for each in found[cell]]
            for each in every if len(every) > 1 else ():
                _line(ax, _sum(each), measure, lw=0.5, alpha=0.35)
            pooled = _sum([part for each in every for part in each])
            _line(ax, pooled, measure, lw=curves.WIDTHS[measure], dots=True)
            errors[measure] = float(np.nanmean([[ace(part) for part in each] for each in every]))
        curves.tell(ax, better("ACE", False), errors)
        ax.set(xlabel="confidence", ylabel="accuracy")
    curves.add_key(figure, {"perfect": Line2D([], [], **curves.DIAGONAL)})
    return figure


def _of_region(found: Mapping[tuple[str, str], Curve], region: str, measure: str) -> list[Curve]:
    return [
        each for (split, m), each in found.items() if m == measure and dims.region(split) == region
    ]


def _sum(found: Sequence[Curve]) -> Curve:
    return Curve(*map(sum, zip(*found, strict=True)))


def _line(ax: Axes, found: Curve, measure: str, *, dots: bool = False, **look: float) -> None:
    filled = found.total > 0
    total = found.total[filled]
    x, y = found.confidence[filled] / total, found.right[filled] / total
    ax.plot(x, y, color=style.MEASURES[measure], **look)
    if dots:
        sizes = 2 + 30 * total / total.sum()
        ax.scatter(
            x, y, sizes, color=style.MEASURES[measure], linewidths=0, clip_on=False, zorder=3
        )
