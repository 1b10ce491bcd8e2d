"""What the numbers are made of: images, raters, samples, predictions and uncertainty maps."""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from segue import dims, store
from segue.errors import InputError
from segue.evaluation.maps import SHOWN
from segue.evaluation.probabilities import probabilities
from segue.evaluation.shown import evenly
from segue.report import pictures, style

_HYPOTHESES, _SAMPLES = 2, 2
_PANEL, _GAP, _WIDE, _LINE = 0.86, 0.04, 0.14, 0.13  # inches
_MOST_PIXELS = 172  # dots along a panel in the PNG: more pixels would not be seen
_COLOURS = colormaps["magma"].resampled(pictures.LEVELS + 1)


def draw(
    out: Path, *, dataset: Path, cells: Sequence[Mapping[str, str]], split: str, images: int
) -> None:
    """Draw images, raters, samples and uncertainty maps of some cells: SVG and PNG.

    Args:
        out: path of both files, without an ending.
        dataset: path of dataset.zarr.
        cells: of each cell to be shown ``aleatoric``, ``epistemic`` and ``maps``, the path of that
            store, which has the samples of some images.
        split: where the images are taken from.
        images: how many of these, evenly spread from agreement to disagreement of the raters.
    """
    style.save(compose(dataset, cells, split, images), out)


@style.look()
def compose(dataset: Path, cells: Sequence[Mapping[str, str]], split: str, images: int) -> Figure:
    """A block for each image, in it a row for each cell.

    On the left the image, and the raters' outlines on it. A cell's row has two AU samples of each
    of two weight hypotheses, the mean prediction, and TU, AU and EU. In the whole figure TU and AU
    share one colour scale; EU, often far smaller, has its own. A cell with fewer samples leaves
    their places empty.

    Raises:
        InputError: a store or the split is missing, or it has no samples, as where no rater marked
            anything.
    """
    dataset = Path(dataset)
    source, attributes = store.open_split(dataset, split), store.attributes(dataset)
    rows = [_read(Path(cell["maps"]), split, images) for cell in cells]
    chosen = rows[0]["shown"].values.tolist()
    shown = _thin(source[["image", "labels"]].isel(image=chosen)).load()
    ratio = shown.sizes["y"] / shown.sizes["x"]
    width = max(8, int(13 * ratio))  # letters that fit along a row
    names = [f"{fill(c['aleatoric'], width)} ×\n{fill(c['epistemic'], width)}" for c in cells]
    scales = _scales(rows)
    figure, grid = _grid(len(chosen), names, ratio)
    for block, image in enumerate(chosen):
        first = 2 + 2 * len(rows) * block  # rows with gaps between them, below a line of titles
        area = grid[first : first + 2 * len(rows) - 1, 0]
        _draw_source(figure, area, shown.isel(image=block), f"{split}, image {image}")
        for row, (name, arrays) in enumerate(zip(names, rows, strict=True)):
            axes = [figure.add_subplot(grid[first + 2 * row, i]) for i in range(2, grid.ncols, 2)]
            _draw_cell(axes, arrays.isel(image=block), name, scales, titled=block == row == 0)
    _draw_keys(figure, grid, attributes, rows[0].sizes["class"], scales)
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


def _thin(arrays: xr.Dataset | xr.DataArray) -> xr.Dataset | xr.DataArray:
    step = ceil(max(arrays.sizes["y"], arrays.sizes["x"]) / _MOST_PIXELS)
    return arrays.isel(y=slice(None, None, step), x=slice(None, None, step))


def _read(maps: Path, split: str, images: int) -> xr.Dataset:
    """``probs`` of the samples shown, ``prediction`` and ``uncertainty`` of their images."""
    found = store.open_split(maps, split)
    if SHOWN not in found:
        raise InputError(
            f"{maps}/{split}: no samples of any image to show; no rater marked anything in any, or "
            "samples.keep or samples.shown leaves none"
        )
    found = found.isel(shown=evenly(found.sizes["shown"], images))
    samples = found[SHOWN].isel(eu_sample=slice(_HYPOTHESES), au_sample=slice(_SAMPLES))
    arrays = found[["uncertainty", "prediction"]].isel(image=found["shown"].values)
    probs = probabilities(_thin(samples.rename(shown="image")).load())
    return _thin(arrays).load().assign(probs=probs.drop_vars("image"), shown=found["shown"])


def _grid(images: int, names: Sequence[str], ratio: float) -> tuple[Figure, GridSpec]:
    """An empty figure; panels and gaps are rows and columns of one grid, so that sizes are exact.

    Args:
        images: blocks.
        names: labels of the rows of a block, perhaps of several lines.
        ratio: height / width of an image.
    """
    rows = [height for _ in names for height in (_PANEL * ratio, _GAP)][:-1]
    heights = [2.5 * _LINE, *[1.7 * _LINE, *rows] * images, _LINE, 0.08, 2 * _LINE]
    stacked = min(sum(rows) / 2 / ratio, 2 * _PANEL)
    source = stacked if len(names) > 1 else 2 * _PANEL + _WIDE
    label = _LINE * (1 + max(name.count("\n") + 1 for name in names))
    samples = [_PANEL, *[_GAP, _PANEL] * (_SAMPLES - 1), _WIDE] * _HYPOTHESES
    measures = [_PANEL, _GAP, _PANEL, _WIDE, _PANEL]
    widths = [source, label, *samples, _PANEL, _WIDE, *measures]
    figure = Figure(figsize=(sum(widths), sum(heights)))
    ratios = {"width_ratios": widths, "height_ratios": heights, "wspace": 0, "hspace": 0}
    edges = {"left": 0, "right": 1, "bottom": 0, "top": 1}
    return figure, figure.add_gridspec(len(heights), len(widths), **ratios, **edges)


def _draw_source(figure: Figure, area: SubplotSpec, shown: xr.Dataset, title: str) -> None:
    """Draw the image, and the raters' outlines upon it: below, or beside where that has no room."""
    labels = shown["labels"].to_numpy()
    stacked = area.rowspan.stop - area.rowspan.start > 1
    parts = area.subgridspec(*((2, 1) if stacked else (1, 2)), hspace=0.15, wspace=0.1)
    there = labels != dims.UNLABELLED
    marked, read = (int(each.any(axis=(1, 2)).sum()) for each in ((labels > 0) & there, there))
    for part, text in zip(parts, (title, f"{marked} of {read} raters"), strict=True):
        ax = figure.add_subplot(part)
        _show(ax, pictures.picture(shown["image"].to_numpy()))
        ax.set_title(text, fontsize=7, pad=3)
    pictures.outline(ax, labels)


def _draw_cell(
    axes: Sequence[Axes],
    arrays: xr.Dataset,
    name: str,
    scales: Mapping[str, Normalize],
    *,
    titled: bool,
) -> None:
    """Fill the row of one cell: samples, prediction and uncertainty maps of one image."""
    places = [(h, s) for h in range(_HYPOTHESES) for s in range(_SAMPLES)]
    probs = arrays["probs"]
    for ax, (hypothesis, sample) in zip(axes, places, strict=False):
        if hypothesis < probs.sizes["eu_sample"] and sample < probs.sizes["au_sample"]:
            _show(ax, pictures.blend(probs[hypothesis, sample].to_numpy()))
        else:
            _show(ax, None)
    _show(axes[len(places)], pictures.blend(arrays["prediction"].to_numpy()))
    for ax, measure in zip(axes[len(places) + 1 :], dims.MEASURES, strict=True):
        _show(ax, arrays["uncertainty"].sel(measure=measure), cmap=_COLOURS, norm=scales[measure])
    axes[0].set_ylabel(name, fontsize=7)
    if titled:
        samples = [f"hypothesis {h + 1}\nAU sample {s + 1}" for h, s in places]
        for ax, text in zip(axes, [*samples, "prediction", *dims.MEASURES], strict=True):
            ax.set_title(text, fontsize=7, pad=3)


def _show(ax: Axes, values: np.ndarray | xr.DataArray | None, **colours: object) -> None:
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    if values is None:
        ax.text(0.5, 0.5, "–", ha="center", va="center", color="0.6", transform=ax.transAxes)
    else:
        ax.imshow(values, interpolation="none", **colours)


def _draw_keys(
    figure: Figure,
    grid: GridSpec,
    attributes: Mapping[str, Any],
    classes: int,
    scales: Mapping[str, Normalize],
) -> None:
    """Print the heading, what the colours of the classes are, and the scales of the uncertainty."""
    title, caption = (str(attributes.get(key, "")) for key in ("title", "caption"))
    heading = title if caption in title else f"{title} ({caption})"
    figure.suptitle(heading, x=0, y=1, ha="left", va="top", fontsize=9, fontweight="bold")
    names = attributes.get("class_names", [f"class {i}" for i in range(classes)])
    patches = [
        Patch(facecolor=colour, edgecolor="0.5", linewidth=0.5, label=name)
        for name, colour in zip(names, pictures.class_colours(classes), strict=True)
    ]
    last = 2 + 2 * (_HYPOTHESES * _SAMPLES + 1)
    ax = figure.add_subplot(grid[-2:, 2 : last - 1])
    ax.axis("off")
    ax.legend(handles=patches, loc="upper center", ncols=4, frameon=False, borderpad=0)
    for place, measure, label in (
        (slice(last, -2), "TU", "TU, AU (nats)"),
        (-1, "EU", "EU (nats)"),
    ):
        bar = figure.add_subplot(grid[-2, place])
        mappable = ScalarMappable(scales[measure], _COLOURS)
        ticks = MaxNLocator(5 if measure == "TU" else 2)
        figure.colorbar(mappable, cax=bar, orientation="horizontal", ticks=ticks)
        bar.set_xlabel(label)
