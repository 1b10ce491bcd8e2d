"""How every figure looks and is written: widths, type, colours, markers, files.

Figures are built from ``matplotlib.figure.Figure`` alone: no pyplot, no global state, no display.
The bytes of a figure depend on its data only, so a figure that is made again is the same file.
"""

import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import numpy as np
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from matplotlib.style import context
from numpy.typing import ArrayLike

from segue.files import unfinished

COLUMN, PAGE = 3.5, 7.2
"""Width in inches of a figure for one column and for two.

Journals' columns are 88 to 90 mm wide and their pages 178 to 183 mm, so a figure is printed at the
size that it has, and its type at the size that it says.
"""

SMALL = 6
"""Size in points of the smallest type; below 5 journals refuse it."""

COLOURS = {
    "none": "#7f7f7f",
    "dropout": "#d62728",
    "swag_diag": "#17becf",
    "swag": "#1f57b4",
    "ensemble": "#ff8c1a",
}
"""Colour of each epistemic method that the study names; others get one of their own."""

LINES = {"plugin": "-", "jackknife": (0, (2, 1.5))}
"""Line of each estimator, where a figure compares them."""

MEASURES = {"TU": "#4d4d4d", "AU": "#e66101", "EU": "#5e3c99"}
"""Colour of each measure, where a figure compares them."""

MARKERS = {"softmax": "o", "ssn": "s", "prob_unet": "^", "diffusion": "D"}
"""Marker of each aleatoric model that the study names; others get one of their own."""

_SPARE_MARKERS = ("v", "P", "X", "p", "h", "*", "<", ">", "d")

STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same on every machine
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "axes.edgecolor": "0.35",
    "axes.linewidth": 0.6,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": "0.25",
    "ytick.color": "0.25",
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "savefig.dpi": 300,
    "svg.hashsalt": "segue",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,  # fonts as TrueType: text stays text, which type 3 is not to some journals
    "path.simplify_threshold": 0.4,
}
"""Settings of matplotlib that every figure is built and written under."""


def look() -> AbstractContextManager[None]:
    """Context or decorator in which ``STYLE`` holds, and else the defaults: no user's settings."""
    return context(STYLE, after_reset=True)


def ordered(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Distinct ``names``: those in ``known`` in its order, then the others, sorted."""
    distinct = set(names)
    first = [name for name in known if name in distinct]
    return first + sorted(distinct - set(first))


def colours(epistemic: Iterable[str]) -> dict[str, str | tuple[float, ...]]:
    """Colour of each epistemic method, in the order of the legend."""
    names = ordered(epistemic, COLOURS)
    spare = map(spare_colour, count())
    return {name: COLOURS.get(name) or next(spare) for name in names}


def spare_colour(index: int) -> tuple[float, ...]:
    """Colour number ``index`` of an endless row of colours that differ from the named ones."""
    # Steps of the golden ratio never come back to where they were; the hues run over the two arcs
    # that the named colours leave free, green (0.14 to 0.45) and purple (0.68 to 0.93).
    along = (0.34 + 0.618034 * index) % 1 * 0.56
    hue = 0.14 + along if along < 0.31 else 0.37 + along
    return tuple(float(c) for c in hsv_to_rgb((hue, 0.75, 0.45 if index % 2 else 0.65)))


def markers(aleatoric: Iterable[str]) -> dict[str, str | tuple[int, int, int]]:
    """Marker of each aleatoric model, in the order of the legend."""
    names = ordered(aleatoric, MARKERS)
    spare = iter([*_SPARE_MARKERS, *((points, 1, 0) for points in range(6, 6 + len(names)))])
    return {name: MARKERS.get(name) or next(spare) for name in names}


def linear_below(values: ArrayLike, decades: int) -> float:
    """A power of ten, so many decades below the largest value: where a symlog axis turns linear."""
    largest = max(np.nanmax(np.asarray(values, float), initial=0), 1e-6)
    return 10 ** (np.floor(np.log10(largest)) - decades)


FORMATS = {
    "svg": {"Date": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""What every figure is written as, and of each format what would differ between two writings."""


def save(figure: Figure, out: Path) -> None:
    """Write ``figure`` to ``out`` + ``.svg``, ``.png`` and ``.pdf``, each whole or not at all.

    Nothing is cut off around it: its files have the size that it has. An ``out`` that has one of
    these endings is as good as one without.
    """
    out = Path(out)
    out = out.with_suffix("") if out.suffix[1:] in FORMATS else out
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # else it tells of every glyph
    for ending, metadata in FORMATS.items():
        with unfinished(out.with_name(f"{out.name}.{ending}")) as part, look():
            figure.savefig(part, format=ending, metadata=metadata)
