"""The parts of the picture: its grid, an image's source, a cell's row, and the keys below."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from segue import dims
from segue.report import pictures, style
from segue.report.figures.qualitative.read import HYPOTHESES, SAMPLES

_GAP, _WIDE, _LINE, _EDGE = 0.03, 0.1, 0.11, 0.04  # inches


def grid(images: int, names: Sequence[str], ratio: float) -> tuple[Figure, GridSpec]:
    """An empty figure; panels and gaps are rows and columns of one grid, so that sizes are exact.

    Args:
        images: blocks.
        names: labels of the rows of a block, perhaps of several lines.
        ratio: height / width of an image.
    """
    label = _LINE * (1 + max(name.count("\n") + 1 for name in names))
    # Beside a block's panels the source is as wide as two of them, or what its rows leave it.
    share = min(len(names) / 2, 2) if len(names) > 1 else 2
    gaps = HYPOTHESES * ((SAMPLES - 1) * _GAP + _WIDE) + 2 * _WIDE + _GAP
    gaps += _WIDE if len(names) == 1 else 0
    panels = HYPOTHESES * SAMPLES + 1 + len(dims.MEASURES)
    panel = (style.PAGE - 2 * _EDGE - label - gaps) / (panels + share)
    source = share * panel + (_WIDE if len(names) == 1 else 0)
    rows = [height for _ in names for height in (panel * ratio, _GAP)][:-1]
    heights = [2.8 * _LINE, *[1.7 * _LINE, *rows] * images, 1.4 * _LINE, 0.07, 3 * _LINE]
    samples = [panel, *[_GAP, panel] * (SAMPLES - 1), _WIDE] * HYPOTHESES
    measures = [panel, _GAP, panel, _WIDE, panel]
    widths = [source, label, *samples, panel, _WIDE, *measures]
    figure = Figure(figsize=(style.PAGE, sum(heights)))
    ratios = {"width_ratios": widths, "height_ratios": heights, "wspace": 0, "hspace": 0}
    edge = _EDGE / style.PAGE
    edges = {"left": edge, "right": 1 - edge, "bottom": 0, "top": 1}
    return figure, figure.add_gridspec(len(heights), len(widths), **ratios, **edges)


def draw_source(figure: Figure, area: SubplotSpec, shown: xr.Dataset, title: str) -> None:
    """Draw the image, and the raters' outlines upon it: below, or beside where that has no room."""
    labels = shown["labels"].to_numpy()
    stacked = area.rowspan.stop - area.rowspan.start > 1
    parts = area.subgridspec(*((2, 1) if stacked else (1, 2)), hspace=0.15, wspace=0.1)
    there = labels != dims.UNLABELLED
    marked, read = (int(each.any(axis=(1, 2)).sum()) for each in ((labels > 0) & there, there))
    for part, text in zip(parts, (title, f"{marked} of {read} raters"), strict=True):
        ax = figure.add_subplot(part)
        _show(ax, pictures.picture(shown["image"].to_numpy()))
        ax.set_title(text, fontsize=style.SMALL, pad=2)
    pictures.outline(ax, labels)


def draw_cell(
    axes: Sequence[Axes],
    arrays: xr.Dataset,
    name: str,
    scales: Mapping[str, Normalize],
    scores: Mapping[str, str],
    *,
    titled: bool,
) -> None:
    """Fill the row of one cell: samples, prediction and uncertainty maps of one image."""
    places = [(h, s) for h in range(HYPOTHESES) for s in range(SAMPLES)]
    probs = arrays["probs"]
    for ax, (hypothesis, sample) in zip(axes, places, strict=False):
        if hypothesis < probs.sizes["eu_sample"] and sample < probs.sizes["au_sample"]:
            _show(ax, pictures.blend(probs[hypothesis, sample].to_numpy()))
        else:
            _show(ax, None)
    _show(axes[len(places)], pictures.blend(arrays["prediction"].to_numpy()))
    for ax, measure in zip(axes[len(places) + 1 :], dims.MEASURES, strict=True):
        _show(
            ax, arrays["uncertainty"].sel(measure=measure), cmap=pictures.HEAT, norm=scales[measure]
        )
    for ax, panel in zip(axes[len(places) :], ("prediction", *dims.MEASURES), strict=True):
        look = {"fontsize": style.SMALL, "color": "white", "transform": ax.transAxes}
        text = ax.text(0.04, 0.05, scores.get(panel, ""), **look)
        text.set_path_effects([withStroke(linewidth=1.2, foreground="black")])
    axes[0].set_ylabel(name, fontsize=style.SMALL, labelpad=2)
    if titled:
        samples = [f"hypothesis {h + 1}\nAU sample {s + 1}" for h, s in places]
        for ax, text in zip(axes, [*samples, "prediction", *dims.MEASURES], strict=True):
            ax.set_title(text, fontsize=style.SMALL, pad=2)


def _show(ax: Axes, values: np.ndarray | xr.DataArray | None, **colours: object) -> None:
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    if values is None:
        ax.text(0.5, 0.5, "–", ha="center", va="center", color="0.6", transform=ax.transAxes)
    else:
        ax.imshow(values, interpolation="none", **colours)


def draw_keys(
    figure: Figure,
    grid: GridSpec,
    attributes: Mapping[str, Any],
    numbers: tuple[int, int],
    scales: Mapping[str, Normalize],
) -> None:
    """Print what the colours of raters and classes are, and the scales of the uncertainty.

    Args:
        numbers: of classes and of raters.
    """
    classes, raters = numbers
    names = attributes.get("class_names", [f"class {i}" for i in range(classes)])
    patches = [
        Patch(facecolor=colour, edgecolor="0.5", linewidth=0.5, label=name)
        for name, colour in zip(names, pictures.class_colours(classes), strict=True)
    ]
    lines = [
        Line2D([], [], color=colour, label=f"{', '.join(map(str, who))}")
        for colour, who in pictures.raters_by_colour(raters).items()
    ]
    last = 2 + 2 * (HYPOTHESES * SAMPLES + 1)
    columns = {"Raters": (0, lines, 4), "": (slice(2, last - 1), patches, 4)}
    for title, (place, handles, ncols) in columns.items():
        ax = figure.add_subplot(grid[-2:, place])
        ax.axis("off")
        ax.legend(
            handles=handles,
            title=title,
            loc="upper center",
            ncols=ncols,
            frameon=False,
            borderpad=0,
            borderaxespad=0,
            fontsize=style.SMALL,
            title_fontsize=style.SMALL,
            handlelength=1,
            handletextpad=0.4,
            columnspacing=0.8,
        )
    for place, measure, label in (
        (slice(last, -2), "TU", "TU, AU (nats)"),
        (-1, "EU", "EU (nats)"),
    ):
        bar = figure.add_subplot(grid[-2, place])
        mappable = ScalarMappable(scales[measure], pictures.HEAT)
        ticks = MaxNLocator(5 if measure == "TU" else 2)
        figure.colorbar(mappable, cax=bar, orientation="horizontal", ticks=ticks)
        bar.set_xlabel(label, labelpad=1)
