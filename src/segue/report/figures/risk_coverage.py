"""Are images with much uncertainty segmented badly? Risk-coverage curves of single cells."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from segue import dims
from segue.evaluation.metrics.aurc import aurc
from segue.evaluation.tasks import failure
from segue.report import curves, style
from segue.report.names import PLAIN, Labels, Names
from segue.report.panels import better, blank

TITLE = "Risk and coverage"
CAPTION = (
    "Mean risk (1 - Dice) of the most certain images against their share, in distribution and out "
    "of it (mean over the shifted splits); an image's score is the mean of its map. Mean over "
    "replicates; pale: their range. In the corner: the area under the curve, AURC."
)
KIND = "curves"
TASKS = ("failure",)

_SHARES = np.linspace(0.02, 1, 99)
_HOW = "mean"  # which every image has, whatever is predicted in it


def draw(
    out: Path,
    *,
    dataset: Path,
    cells: Sequence[Mapping[str, Any]],
    name: str = "",
    names: Mapping[str, Labels] | None = None,
) -> None:
    """Draw the risk-coverage curves of some cells.

    Args:
        out: path of the files, with one of their endings or without.
        dataset: path of dataset.zarr.
        cells: see ``segue.report.curves.by_cell``.
        name: the dataset's in the config.
        names: see ``segue.report.names.Names``.
    """
    style.save(compose(dataset, cells, name, Names.of(names)), out)


@style.look()
def compose(
    dataset: Path, cells: Sequence[Mapping[str, Any]], name: str = "", names: Names = PLAIN
) -> Figure:
    """A panel for each cell and region; images that nobody read are left out, as in the scores.

    Raises:
        InputError: a store is missing, or they do not fit together.
    """
    found = {
        cell: [_replicate(splits) for splits in replicates]
        for cell, replicates in curves.by_cell(dataset, cells).items()
    }
    regions = [
        r for r in dims.REGIONS if all(r in each for every in found.values() for each in every)
    ]
    if not regions:
        return blank(f"No rater read an image of {names.dataset(name)}.")
    heading = f"{names.dataset(name)}, image score: {_HOW}"
    figure, panels = curves.cell_panels(list(found), regions, names, heading)
    for cell, region, ax in panels:
        every = [each[region] for each in found[cell]]
        curves.draw_measures(ax, _SHARES, every, better("AURC", False))
        ax.set(xlabel="coverage", ylabel=better("risk (1 - Dice)", False))
    curves.add_key(figure)
    return figure


def _replicate(splits: curves.Splits) -> dict[str, dict[str, tuple[np.ndarray, float]]]:
    """By region and measure risks at ``_SHARES`` and AURC, means over splits with a read image."""
    found: dict[str, dict[str, list[tuple[np.ndarray, float]]]] = {}
    for name, split in splits.items():
        if (region := dims.region(name)) not in dims.REGIONS:
            continue
        images = failure.image_risks(split)
        if not images.read.any():
            continue
        risk, scores = images.risk[images.read], images.scores[_HOW][images.read]
        shares = np.arange(1, len(risk) + 1) / len(risk)
        for measure, each in zip(dims.MEASURES, scores.T, strict=True):
            risks = np.interp(_SHARES, shares, curves.risk_coverage(each, risk))
            of_region = found.setdefault(region, {}).setdefault(measure, [])
            of_region.append((risks, aurc(each, risk)))
    return {
        region: {
            measure: (np.mean([r for r, _ in each], axis=0), float(np.mean([a for _, a in each])))
            for measure, each in measures.items()
        }
        for region, measures in found.items()
    }
