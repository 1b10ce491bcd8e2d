"""The charts of a page in Vega-Lite (https://vega.github.io/vega-lite): marks, scales and controls.

A chart is a specification as a dict. The page draws all with one copy of Vega and tells each what
is chosen, by its parameters: the cell, the dataset, the variant of the scores and the task.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

Spec = dict[str, Any]

COLOURS = {
    "none": "#8a8a8a",
    "dropout": "#d55e00",
    "swag_diag": "#56b4e9",
    "swag": "#0072b2",
    "ensemble": "#e69f00",
}
"""Colour of each epistemic method that the study names: Okabe and Ito's, for all eyes."""

_SPARE = ("#009e73", "#cc79a7", "#b8a800", "#7f5fc7", "#a0522d")

SHAPES = {"softmax": "circle", "ssn": "square", "prob_unet": "triangle-up", "diffusion": "diamond"}
"""Marker of each aleatoric model that the study names."""

_SPARE_SHAPES = ("cross", "triangle-down", "triangle-right", "triangle-left")

GLYPHS = {
    **{"circle": "●", "square": "■", "triangle-up": "▲", "diamond": "◆", "cross": "✚"},
    **{"triangle-down": "▼", "triangle-right": "▶", "triangle-left": "◀"},
}
"""Each marker as a letter, for the legend."""

_DIGITS = 5


class Chart(NamedTuple):
    """A chart.

    Attributes:
        id: of its place on the page.
        title: for readers.
        said: what it shows, in words, for who does not see it.
        spec: in Vega-Lite.
    """

    id: str
    title: str
    said: str
    spec: Spec


class Looks(NamedTuple):
    """How methods are shown: colour of each epistemic one, marker of each aleatoric one."""

    colours: Mapping[str, str]
    shapes: Mapping[str, str]


def looks(epistemic: Sequence[str], aleatoric: Sequence[str]) -> Looks:
    """Colours and markers of these methods, those of the study's own always the same."""
    return Looks(
        _given(epistemic, COLOURS, _SPARE),
        _given(aleatoric, SHAPES, _SPARE_SHAPES),
    )


def _given(names: Sequence[str], known: Mapping[str, str], spare: Sequence[str]) -> dict[str, str]:
    others = [name for name in names if name not in known]
    own = {name: spare[i % len(spare)] for i, name in enumerate(others)}
    return {name: known.get(name) or own[name] for name in names}


def rows(table: pd.DataFrame, *columns: str) -> list[dict[str, Any]]:
    """Rows of some columns, numbers with as many digits as are seen; what is no number is null."""
    found = table[list(columns)].copy()
    for name in found.select_dtypes("number"):
        found[name] = [_short(value) for value in found[name]]
    return found.astype(object).where(found.notna(), None).to_dict("records")


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else np.nan


def chart(data: list[dict[str, Any]], params: Mapping[str, str], layer: list[Spec], **more) -> Spec:
    """A whole chart: its data, what can be chosen with its first value, and its layers.

    Data that have a column named as a parameter are filtered by it.
    """
    have = set(data[0]) if data else set()
    filters = [{"filter": f"datum.{name} == {name}"} for name in params if name in have]
    return {
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": data},
        "params": [{"name": name, "value": value} for name, value in params.items()],
        "transform": filters,
        "layer": layer,
        **more,
    }


def axis(field: str, title: str, **more) -> Spec:
    """An encoding of a number by its place."""
    scale = {"zero": False, "nice": True} | more.pop("scale", {})
    if scale.get("type") == "log":
        del scale["zero"]  # which it has not
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, **more}


def names(field: str, **more) -> Spec:
    """An encoding of a name by its place."""
    return {"field": field, "type": "nominal", "title": None, **more}


def height(named: Iterable[str]) -> int:
    """Height of a chart with a line for each name, in pixels."""
    return 22 + 19 * len(set(named))


def colour(look: Looks) -> Spec:
    """Colour by epistemic method; its legend is the page's."""
    scale = {"domain": list(look.colours), "range": list(look.colours.values())}
    return {"field": "epistemic", "type": "nominal", "scale": scale, "legend": None}


def shape(look: Looks) -> Spec:
    """Marker by aleatoric model; its legend is the page's."""
    scale = {"domain": list(look.shapes), "range": list(look.shapes.values())}
    return {"field": "aleatoric", "type": "nominal", "scale": scale, "legend": None}


def chosen(yes: float, no: float, none: float) -> Spec:
    """A value for the chosen cell, for others, and for all where none is chosen."""
    tests = [
        {"test": "chosen == ''", "value": none},
        {"test": "datum.cell == chosen", "value": yes},
    ]
    return {"condition": tests, "value": no}


def tooltip(names: Mapping[str, str], numbers: Mapping[str, str]) -> list[Spec]:
    """What is said of a mark: fields and their titles; numbers have three digits."""
    return [
        *({"field": field, "title": title, "type": "nominal"} for field, title in names.items()),
        *(
            {"field": field, "title": title, "type": "quantitative", "format": ".3~g"}
            for field, title in numbers.items()
        ),
    ]
