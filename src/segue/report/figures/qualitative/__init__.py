"""What the numbers are made of: images, raters, samples, predictions and uncertainty maps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from segue import dims, store
from segue.report import style
from segue.report.figures.qualitative.parts import draw_cell, draw_keys, draw_source, grid
from segue.report.figures.qualitative.read import blocks
from segue.report.names import PLAIN, Labels, Names

TITLE = "Images, samples and maps"
CAPTION = (
    "Images with each rater's outlines and, for each cell, samples of two weight hypotheses, the "
    "mean prediction and the maps of total, aleatoric and epistemic uncertainty. In the panels: "
    "Dice of the prediction, mean over raters, and NCC of the map with the raters' variance."
)
KIND = "pictures"


def draw(
    out: Path,
    *,
    dataset: Path,
    cells: Sequence[Mapping[str, Any]],
    splits: Sequence[str],
    images: int,
    name: str = "",
    scores: Sequence[str] = (),
    names: Mapping[str, Labels] | None = None,
) -> None:
    """Draw images, raters, samples and uncertainty maps of some cells.

    Args:
        out: path of the files, with one of their endings or without.
        dataset: path of dataset.zarr.
        cells: of each cell to be shown ``aleatoric``, ``epistemic`` and ``maps``, the path of that
            store, which has the samples of some images.
        splits: where the images are taken from; ``ood`` stands for all shifted splits.
        images: how many of each, evenly spread from agreement to disagreement of the raters.
        name: the dataset's in the config.
        scores: the file of scores of each cell; without them no score is printed.
        names: see ``segue.report.names.Names``.
    """
    style.save(compose(dataset, cells, splits, images, name, scores, Names.of(names)), out)


@style.look()
def compose(
    dataset: Path,
    cells: Sequence[Mapping[str, Any]],
    splits: Sequence[str],
    images: int,
    name: str = "",
    scores: Sequence[str] = (),
    names: Names = PLAIN,
) -> Figure:
    """A block for each image, in it a row for each cell.

    On the left the image, and the raters' outlines on it. A cell's row has two AU samples of each
    of two weight hypotheses, the mean prediction, and TU, AU and EU, with the scores of the image.
    In the whole figure TU and AU share one colour scale; EU, often far smaller, has its own. A cell
    with fewer samples leaves their places empty.

    Raises:
        InputError: a store or a split is missing, or it has no samples, as where no rater marked
            anything.
    """
    dataset = Path(dataset)
    shown = blocks(dataset, cells, splits, images, scores)
    ratio = shown[0].source.sizes["y"] / shown[0].source.sizes["x"]
    width = max(8, int(11 * ratio))  # letters that fit along a row
    labels = [
        f"{fill(names.model(c['aleatoric']), width)} ×\n{fill(names.method(c['epistemic']), width)}"
        for c in cells
    ]
    scales = _scales([each for block in shown for each in block.cells])
    figure, places = grid(len(shown), labels, ratio)
    for i, block in enumerate(shown):
        first = 2 + 2 * len(cells) * i  # rows with gaps between them, below a line of titles
        draw_source(
            figure, places[first : first + 2 * len(cells) - 1, 0], block.source, block.title
        )
        for row, (label, arrays, told) in enumerate(
            zip(labels, block.cells, block.scores, strict=True)
        ):
            line = range(2, places.ncols, 2)
            axes = [figure.add_subplot(places[first + 2 * row, column]) for column in line]
            draw_cell(axes, arrays, label, scales, told, titled=i == row == 0)
    attributes = store.attributes(dataset)
    title, caption = (str(attributes.get(key, "")) for key in ("title", "caption"))
    heading = title if caption in title else f"{title} ({caption})"
    heading = names.dataset(name) if name in names.datasets else heading
    figure.suptitle(heading, x=0, y=1, ha="left", va="top", fontsize=8, fontweight="bold")
    raters = shown[0].source.sizes["rater"]
    draw_keys(figure, places, attributes, (shown[0].cells[0].sizes["class"], raters), scales)
    return figure


def _scales(rows: Sequence[xr.Dataset]) -> dict[str, Normalize]:
    """Colour scale of each measure, from 0 to the greatest of all cells and images.

    That of EU is the others' where there is no EU at all.
    """
    most = {
        m: max(float(r["uncertainty"].sel(measure=m).max()) for r in rows) for m in dims.MEASURES
    }
    shared = Normalize(0, max(most["TU"], most["AU"]))
    return {"TU": shared, "AU": shared, "EU": Normalize(0, most["EU"] or shared.vmax)}
