"""Charts of where entanglement comes from: noise of the draws, their number, and the axes."""

from collections.abc import Iterator
from math import ceil, floor

import numpy as np
import pandas as pd

from segue.keys import METHODS
from segue.report.figure_data import of_draws
from segue.report.page import charts
from segue.report.page.charts import Chart, Looks
from segue.report.page.comparisons import CELL
from segue.report.page.material import Material


def leakage(material: Material, look: Looks) -> Iterator[Chart]:
    """EU of each cell as published, and without the noise of its draws."""
    columns = ("dataset", "cell", "epistemic", "eu_plugin", "eu_jackknife", "leaked")
    table = material.table("leakage", *columns)
    if table.empty:
        return
    least = _least(table["eu_plugin"])
    ends = {name: table[f"eu_{name}"].clip(lower=least) for name in ("plugin", "jackknife")}
    data = charts.rows(table.assign(**ends), *columns, *ends)
    x = {"title": "EU, nats a pixel", **_logarithmic(ends["plugin"], ends["jackknife"])}
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
                "x": charts.axis("plugin", **x),
                "x2": {"field": "jackknife"},
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70},
            "encoding": {**common, "x": charts.axis("plugin", **x)},
        },
        {
            "mark": {"type": "point", "filled": False, "size": 70, "strokeWidth": 2},
            "encoding": {**common, "x": charts.axis("jackknife", **x)},
        },
    ]
    params = {"dataset": material.datasets[0], "chosen": ""}
    heading = "EU as published (filled) and without the noise of its draws (open)"
    said = f"{heading}, a line for each cell, as in the table leakage"
    yield Chart(
        "leakage-eu",
        heading,
        said,
        charts.chart(data, params, layer, height=charts.height(table["cell"])),
    )


def sweep(material: Material, look: Looks) -> Iterator[Chart]:
    """EU of maps that are made of fewer draws or of fewer hypotheses, by each estimator."""
    columns = ("dataset", "cell", *METHODS, "estimator", "over", "number", "eu")
    table = material.table("sweep", *columns)
    swept = {"draws": of_draws(table), "hypotheses": table[table["over"] == "hypotheses"]}
    for over, every in swept.items():
        for estimator, name in (("plugin", "as published"), ("jackknife", "by the jackknife")):
            rows = every[every["estimator"] == estimator]
            if rows.empty:
                continue
            shown = rows.dropna(subset="eu")
            shown = shown.assign(shown=shown["eu"].clip(lower=_least(table["eu"])))
            data = charts.rows(shown, *columns, "shown")
            layer = _lines(
                look,
                charts.axis("number", f"{over} of each cell", axis={"tickMinStep": 1}),
                charts.axis("shown", "EU, nats a pixel", **_logarithmic(shown["shown"])),
                {"number": over, "eu": "EU"},
            )
            params = {"dataset": material.datasets[0], "chosen": ""}
            heading = f"EU {name}, with so many {over}"
            said = f"{heading}, a line for each cell, as in the table sweep"
            spec = charts.chart(data, params, layer, height=240)
            yield Chart(f"sweep-{over}-{estimator}", heading, said, spec)


def axes(material: Material, look: Looks) -> Iterator[Chart]:
    """AU and EU of each cell along each axis."""
    columns = ("axis", "quantity", "at", "cell", *METHODS, "estimator", "au", "eu")
    table = material.table("axes", *columns)
    moves = material.table("axes_error", "axis", "moves").groupby("axis")["moves"].first()
    for axis, rows in table[table["estimator"] == "plugin"].groupby("axis", sort=False):
        quantity = rows["quantity"].iloc[0]
        for measure in ("AU", "EU"):
            value = measure.lower()
            shown = rows.dropna(subset=value)
            shown = shown.assign(shown=shown[value].clip(lower=_least(rows[value])))
            names = ("cell", "epistemic", "aleatoric", "at", value, "shown")
            data = charts.rows(shown, *names)
            layer = _lines(
                look,
                charts.axis("at", quantity),
                charts.axis("shown", f"{measure}, nats a pixel", **_logarithmic(shown["shown"])),
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
    """Half the least value above 0: where a logarithmic axis shows what is 0 or below."""
    above = values[values > 0]
    return float(above.min()) / 2 if len(above) else 1e-6


def _logarithmic(*values: pd.Series) -> charts.Spec:
    """A logarithmic axis for values above 0, with a line at each power of ten."""
    ends = np.log10([min(each.min() for each in values), max(each.max() for each in values)])
    powers = [float(f"1e{power}") for power in range(ceil(ends[0]), floor(ends[1]) + 1)]
    lines = {"format": ".0e", "values": powers} if len(powers) > 1 else {"format": "~g"}
    return {"scale": {"type": "log", "nice": False}, "axis": lines}
