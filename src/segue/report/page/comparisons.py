"""Charts that compare cells: right against wrong measure, mean ranks, and Δ against the truth."""

from collections.abc import Iterator

import pandas as pd

from segue import plugins
from segue.report.figure_data import TASKS, rivals
from segue.report.page import charts
from segue.report.page.charts import Chart, Looks, Spec
from segue.report.page.grids import OVERALL, TITLES, of_split
from segue.report.page.material import Material
from segue.report.style import ordered

CELL = {"cell": "cell"}


def scatters(material: Material, look: Looks) -> Iterator[Chart]:
    """The measure that ought to win against the one that ought not to, of each task and split."""
    columns = ("cell", "variant", "dataset", "task", "split", "correct", "wrong", "delta")
    table = material.table("deltas", *columns)
    table = table.dropna(subset=["correct", "wrong"]) if len(table) else table
    splits = table.groupby("task")["split"].unique()
    for task in ordered(table["task"], TASKS):
        for split in ordered(splits[task], ("id", "ood")):
            rows = table[(table["task"] == task) & (table["split"] == split)]
            name = of_split(task, split)
            contract = plugins.load("tasks", task).TASK
            wrong = " or ".join(contract.wrong)
            said = (
                f"{name}: {contract.metric.upper()} of {contract.correct}, which ought to win, "
                f"against that of {wrong}, a point for each cell, as in the table deltas"
            )
            yield Chart(f"scatter-{task}-{split}", name, said, _scatter(rows, task, look, material))


def _scatter(rows: pd.DataFrame, task: str, look: Looks, material: Material) -> Spec:
    contract = plugins.load("tasks", task).TASK
    key = ["variant", "dataset", "cell", "epistemic", "aleatoric"]
    means = rows.groupby(key, sort=False)[["wrong", "correct", "delta"]].mean().reset_index()
    single = rows.assign(kind="replicate")[[*key, "wrong", "correct", "delta", "kind"]]
    every = pd.concat([single, means.assign(kind="mean")], ignore_index=True)
    data = charts.rows(every, *key, "wrong", "correct", "delta", "kind")
    metric = contract.metric.upper()
    square = {"scale": {"nice": False}, "axis": {"tickCount": 5}}
    x = charts.axis("wrong", f"{metric} of {rivals(contract)}", **square)
    y = charts.axis("correct", f"{metric} of {contract.correct}", **square)
    ends = {
        "x": {"field": "low", "type": "quantitative"},
        "x2": {"field": "high"},
        "y": {"field": "low", "type": "quantitative"},
        "y2": {"field": "high"},
    }
    corner = "high" if contract.higher_is_better else "low"
    shade = {
        "transform": [*_ends(), {"fold": ["low", "high"], "as": ["end", "along"]}],
        "mark": {"type": "area", "color": "#009e73", "opacity": 0.12, "tooltip": False},
        "encoding": {
            "x": {"field": "along", "type": "quantitative"},
            "y": {"field": "along", "type": "quantitative"},
            "y2": {"field": corner},
        },
    }
    diagonal = {
        "transform": _ends(),
        "mark": {"type": "rule", "strokeDash": [4, 3], "opacity": 0.5, "tooltip": False},
        "encoding": ends,
    }
    places = {"x": x, "y": y, "color": charts.colour(look), "shape": charts.shape(look)}
    faint = {
        "transform": [{"filter": "datum.kind == 'replicate'"}],
        "mark": {"type": "point", "filled": True, "size": 18},
        "encoding": {**places, "opacity": charts.chosen(0.9, 0.08, 0.3)},
    }
    bold = {
        "transform": [{"filter": "datum.kind == 'mean'"}],
        "mark": {"type": "point", "filled": True, "stroke": "#fff", "strokeWidth": 0.7},
        "encoding": {
            **places,
            "opacity": charts.chosen(1, 0.25, 0.95),
            "size": charts.chosen(190, 75, 90),
            "tooltip": charts.tooltip(CELL, {"correct": "right", "wrong": "wrong", "delta": "Δ"}),
        },
    }
    params = {"dataset": material.datasets[0], "variant": material.main, "chosen": ""}
    return charts.chart(data, params, [shade, diagonal, faint, bold], height=250)


def _ends() -> list[Spec]:
    """Both ends of the diagonal: somewhat beyond the least and the greatest value that is shown."""
    both = [
        {"op": op, "field": field, "as": f"{op}_{field}"}
        for op in ("min", "max")
        for field in ("correct", "wrong")
    ]
    return [
        {"aggregate": both},
        {"calculate": "min(datum.min_correct, datum.min_wrong)", "as": "least"},
        {"calculate": "max(datum.max_correct, datum.max_wrong)", "as": "most"},
        {"calculate": "(datum.most - datum.least) * .07 || .05", "as": "margin"},
        {"calculate": "datum.least - datum.margin", "as": "low"},
        {"calculate": "datum.most + datum.margin", "as": "high"},
    ]


def ranks(material: Material, look: Looks) -> Iterator[Chart]:
    """Mean rank of each cell with its interval, the best on top."""
    columns = ("table", "task", "variant", "dataset", "cell", "mean_rank", "low", "high")
    table = material.table("mean_ranks", *columns)
    table = table.dropna(subset="mean_rank") if len(table) else table
    for name, heading in TITLES.items():
        rows = table[table["table"] == name]
        if rows.empty:
            continue
        data = charts.rows(rows, *columns[1:], "epistemic", "aleatoric")
        order = {"field": "mean_rank", "op": "min", "order": "ascending"}
        y = charts.names("cell", sort=order, axis={"labelLimit": 170})
        scale = {"domain": [1, max(rows["cell"].nunique(), 2)], "nice": False}
        encodings = {"y": y, "color": charts.colour(look), "opacity": charts.chosen(1, 0.25, 0.9)}
        numbers = {"mean_rank": "mean rank", "low": "from", "high": "to"}
        tip = charts.tooltip(CELL, numbers)
        bar = {
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {
                **encodings,
                "x": charts.axis("low", "mean rank, 1 is best", scale=scale),
                "x2": {"field": "high"},
                "tooltip": tip,
            },
        }
        point = {
            "mark": {"type": "point", "filled": True},
            "encoding": {
                **encodings,
                "x": charts.axis("mean_rank", "mean rank, 1 is best", scale=scale),
                "shape": charts.shape(look),
                "size": charts.chosen(160, 70, 80),
                "tooltip": tip,
            },
        }
        params = {"dataset": material.datasets[0], "variant": material.main, "task": OVERALL}
        spec = charts.chart(
            data, params | {"chosen": ""}, [bar, point], height=charts.height(rows["cell"])
        )
        said = f"{heading}: mean rank of each cell with its interval, as in the table mean_ranks"
        yield Chart(f"ranks-{name}", heading, said, spec)


def validity(material: Material) -> Iterator[Chart]:
    """How far Δ of each task agrees with Δ where the truth is known."""
    columns = ("dataset", "variant", "task", "split", "truth", "spearman", "low", "high")
    table = material.table("validity", *columns)
    table = table.dropna(subset="spearman") if len(table) else table
    for truth in dict.fromkeys(table["truth"]):
        measure = plugins.load("tasks", truth).TASK.correct
        rows = table[table["truth"] == truth]
        named = [of_split(*each) for each in zip(rows["task"], rows["split"], strict=True)]
        data = charts.rows(rows.assign(name=named), "name", "dataset", "variant", *columns[5:])
        x = {"title": "Spearman's ρ", "scale": {"domain": [-1, 1]}}
        tip = charts.tooltip({"name": "Δ of"}, {"spearman": "ρ", "low": "from", "high": "to"})
        zero = {"mark": {"type": "rule", "opacity": 0.5}, "encoding": {"x": {"datum": 0}}}
        y = charts.names("name", sort=None, axis={"labelLimit": 170})
        bar = {
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {
                "y": y,
                "x": charts.axis("low", **x),
                "x2": {"field": "high"},
                "tooltip": tip,
            },
        }
        point = {
            "mark": {"type": "point", "filled": True, "size": 80},
            "encoding": {"y": y, "x": charts.axis("spearman", **x), "tooltip": tip},
        }
        with_truth = [name for name in material.datasets if name in set(rows["dataset"])]
        params = {"dataset": with_truth[0], "variant": material.main}
        heading = f"Agreement with Δ of the true {measure}"
        said = f"{heading}: Spearman's correlation with its interval, as in the table validity"
        spec = charts.chart(data, params, [zero, bar, point], height=charts.height(named))
        yield Chart(f"validity-{truth}", heading, said, spec)
