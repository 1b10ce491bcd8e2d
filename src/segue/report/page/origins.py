"""Charts of where entanglement comes from: noise of the draws, their number, and the axes."""

from collections.abc import Iterator

import pandas as pd

from segue.report.page import charts
from segue.report.page.charts import Chart, Looks
from segue.report.page.comparisons import CELL
from segue.report.page.material import Material

_SCALE = {"type": "symlog", "zero": False}


def leakage(material: Material, look: Looks) -> Iterator[Chart]:
    """EU of each cell as published, and without the noise of its draws."""
    columns = ("dataset", "cell", "epistemic", "eu_plugin", "eu_jackknife", "leaked")
    table = material.table("leakage", *columns)
    if table.empty:
        return
    data = charts.rows(table, *columns)
    x = {"title": "EU, nats a pixel", "scale": _SCALE | {"constant": _least(table["eu_plugin"])}}
    order = {"field": "eu_plugin", "op": "max", "order": "descending"}
    common = {
        "y": charts.names("cell", sort=order, axis={"labelLimit": 170}),
        "color": charts.colour(look),
        "opacity": charts.chosen(1, 0.2, 0.9),
        "tooltip": charts.tooltip(
            CELL,
            {"eu_plugin": "as published", "eu_jackknife": "without noise", "leaked": "share"},
        ),
    }
    layer = [
        {
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {
                **common,
                "x": charts.axis("eu_plugin", **x),
                "x2": {"field": "eu_jackknife"},
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70},
            "encoding": {**common, "x": charts.axis("eu_plugin", **x)},
        },
        {
            "mark": {"type": "point", "filled": False, "size": 70, "strokeWidth": 2},
            "encoding": {**common, "x": charts.axis("eu_jackknife", **x)},
        },
    ]
    params = {"dataset": material.datasets[0], "chosen": ""}
    heading = "EU as published (filled) and without the noise of its draws (open)"
    said = f"{heading}, a line for each cell, as in the table leakage"
    yield Chart("leakage", heading, said, charts.chart(data, params, layer, height={"step": 19}))


def sweep(material: Material, look: Looks) -> Iterator[Chart]:
    """EU of maps that are made of fewer draws or of fewer hypotheses, by each estimator."""
    columns = ("dataset", "cell", "epistemic", "estimator", "over", "number", "eu")
    table = material.table("sweep", *columns)
    for over in ("draws", "hypotheses"):
        for estimator, name in (("plugin", "as published"), ("jackknife", "jackknife")):
            rows = table[(table["over"] == over) & (table["estimator"] == estimator)]
            if rows.empty:
                continue
            data = charts.rows(rows.dropna(subset="eu"), *columns)
            scale = _SCALE | {"constant": _least(table["eu"])}
            layer = _lines(
                look,
                charts.axis("number", f"{over} of each cell", axis={"tickMinStep": 1}),
                charts.axis("eu", "EU, nats a pixel", scale=scale),
                {"number": over, "eu": "EU"},
            )
            params = {"dataset": material.datasets[0], "chosen": ""}
            heading = f"EU {name}, by the number of {over}"
            said = f"{heading}, a line for each cell, as in the table sweep"
            spec = charts.chart(data, params, layer, height=240)
            yield Chart(f"sweep-{over}-{estimator}", heading, said, spec)


def axes(material: Material, look: Looks) -> Iterator[Chart]:
    """AU and EU of each cell along each axis."""
    columns = ("axis", "quantity", "at", "cell", "epistemic", "estimator", "au", "eu")
    table = material.table("axes", *columns)
    moves = material.table("axes_error", "axis", "moves").groupby("axis")["moves"].first()
    for axis, rows in table[table["estimator"] == "plugin"].groupby("axis", sort=False):
        quantity = rows["quantity"].iloc[0]
        for measure in ("AU", "EU"):
            value = measure.lower()
            data = charts.rows(rows.dropna(subset=value), "cell", "epistemic", "at", value)
            scale = _SCALE | {"constant": _least(rows[value])}
            layer = _lines(
                look,
                charts.axis("at", quantity),
                charts.axis(value, f"{measure}, nats a pixel", scale=scale),
                {"at": quantity, value: measure},
            )
            ought = "ought to follow" if moves.get(axis) == measure else "ought not to follow"
            heading = f"{measure}, which {ought} the {quantity}"
            said = f"{heading}, a line for each cell, as in the table axes"
            spec = charts.chart(data, {"chosen": ""}, layer, height=220)
            yield Chart(f"axis-{axis}-{measure}", heading, said, spec)


def _lines(look: Looks, x: charts.Spec, y: charts.Spec, numbers: dict[str, str]) -> list:
    """A line for each cell, with a point at each place that was measured."""
    common = {"x": x, "y": y, "color": charts.colour(look), "detail": charts.names("cell")}
    line = {
        "mark": {"type": "line", "strokeWidth": 1.5},
        "encoding": {**common, "opacity": charts.chosen(1, 0.12, 0.6)},
    }
    point = {
        "mark": {"type": "point", "filled": True},
        "encoding": {
            **common,
            "shape": charts.shape(look),
            "opacity": charts.chosen(1, 0.12, 0.8),
            "size": charts.chosen(90, 25, 35),
            "tooltip": charts.tooltip(CELL, numbers),
        },
    }
    return [line, point]


def _least(values: pd.Series) -> float:
    """Where a logarithmic scale turns linear: three decades below the greatest value."""
    return float(f"{max(values.max(), 1e-6) / 1e3:.3g}")
