"""Stage page: tables, cards, maps and records of a study -> one page, whole in one file.

It opens from the disk, asks no host for anything, and has the same bytes where what it shows is the
same. What there is not, such as the truth, or images of maps that are gone, is left out.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from segue.files import replacing
from segue.report.page import about, charts, comparisons, data_tables, grids, origins, records
from segue.report.page import sentences as findings
from segue.report.page.browser import browser
from segue.report.page.charts import Chart, Looks
from segue.report.page.frame import framed
from segue.report.page.material import Material, read
from segue.report.page.texts import card
from segue.report.page.verdicts import verdicts

NAME = "report.html"


class Part(NamedTuple):
    """A part of the page with charts; ``kind`` says how many are side by side."""

    id: str
    short: str
    title: str
    note: str
    kind: str
    charts: list[Chart]


def write(out: Path, *, study: str, config: Mapping[str, Any] | None = None) -> None:
    """Write the page of a study, or of predictions that ``segue score`` scored.

    Args:
        out: path of the new page.
        study: path of the folder of the study's results, or of the one that ``segue score`` wrote.
        config: of the study, to be shown; where it is not given, that on record is.

    Raises:
        InputError: there are no tables in the folder, one is damaged, or a library is missing.
    """
    text = render(read(Path(study)), config)
    with replacing(Path(out)) as file:
        file.write(text)


def render(material: Material, config: Mapping[str, Any] | None = None) -> str:
    """The page as text."""
    look = charts.looks(list(material.grid.epistemic), list(material.grid.aleatoric))
    parts = [part for part in _parts(material, look) if part.charts]
    ranked = material.ranked
    images, verdict = browser(material), verdicts(material)
    paths = {name: material.folder / "cards" / f"{name}.md" for name in material.datasets}
    cards = [(name, card(path)) for name, path in paths.items() if path.is_file()]
    results, times = records.results(material), records.times(material)
    tables = list(data_tables.tables(material, results))
    there = {
        "found": "Findings",
        **({"maps": "Cells"} if ranked else {}),
        **{part.id: part.short for part in parts},
        **({"conclusions": "Conclusions"} if verdict else {}),
        **({"images": "Images"} if images else {}),
        **({"data": "Data"} if cards else {}),
        "tables": "Tables",
        **({"times": "Times"} if len(times) else {}),
        "provenance": "Provenance",
    }
    first = {"dataset": material.datasets[0], "variant": material.main, "task": grids.OVERALL}
    data = {
        "choice": first,
        "charts": [_drawn(chart) for part in parts for chart in part.charts],
        "tables": {table.name: table.packed for table in tables if table.packed},
        "images": images,
    }
    return framed(
        data,
        name=material.name,
        lead=about.lead(material),
        ranked=ranked,
        trust=about.trust(material),
        parts=there,
        findings=findings.sentences(material),
        datasets=material.datasets,
        variants=material.variants,
        tasks=[(task, grids.title(task)) for task in grids.tasks(material)] if ranked else [],
        look=look,
        glyphs=charts.GLYPHS,
        panels=list(_panels(material)) if ranked else [],
        charts=parts,
        verdicts=verdict,
        cards=cards,
        tables=tables,
        times=_listed(times),
        origin=about.origin(material),
        software=_listed(records.software(results)),
        settings=about.settings(material, config),
    )


def _parts(material: Material, look: Looks) -> Iterator[Part]:
    yield Part(
        "scatter",
        "Right and wrong",
        "The right measure against the wrong one",
        "Each large marker is a cell's mean over replicates, each small one a replicate. On the "
        "dashed line both measures do equally well (Δ = 0); on the shaded side the right one wins.",
        "",
        list(comparisons.scatters(material, look)),
    )
    yield Part(
        "ranks",
        "Ranks",
        "Mean ranks with intervals",
        "Of the task chosen above; 1 is best. Lines: 95 % intervals over other images and "
        "trainings; with two replicates their range.",
        "two",
        list(comparisons.ranks(material, look)),
    )
    yield Part(
        "validity",
        "Validity of Δ",
        "Does Δ measure what it names?",
        "Where the raters' true distribution is known: Spearman's correlation over the cells of Δ "
        "of each task with Δ against the truth, and its 95 % interval. Near 1 the task tells which "
        "cells are disentangled; near 0 it does not.",
        "two",
        list(comparisons.validity(material)),
    )
    yield Part(
        "leakage",
        "Leakage",
        "Noise of the draws",
        "With few draws the mean prediction of a hypothesis is noisy, and the published estimate "
        "counts that noise as epistemic uncertainty; the jackknife computes it away. What is 0 or "
        "below is at the edge of the logarithmic axis.",
        "two",
        [*origins.leakage(material, look), *origins.sweep(material, look)],
    )
    yield Part(
        "axes",
        "Axes",
        "What each measure does along an axis",
        "AU and EU, as published, along a quantity that one of them ought to follow.",
        "two",
        list(origins.axes(material, look)),
    )


def _panels(material: Material) -> Iterator[dict[str, Any]]:
    """The maps of each dataset and variant, those that are shown first ahead."""
    for dataset in material.datasets:
        for variant in material.variants:
            maps = list(grids.maps(material, dataset, variant))
            yield {"dataset": dataset, "variant": variant, "maps": maps}


def _drawn(chart: Chart) -> dict[str, Any]:
    """What the page's script draws a chart from, and which datasets it has."""
    values = chart.spec["data"]["values"]
    datasets = dict.fromkeys(row["dataset"] for row in values if "dataset" in row)
    return {"id": chart.id, "spec": chart.spec, "datasets": list(datasets)}


def _listed(table: pd.DataFrame) -> dict[str, list] | None:
    """Columns and rows as text; None where there are no rows."""
    if table.empty:
        return None
    rows = [[_text(value) for value in row] for row in table.itertuples(index=False, name=None)]
    return {"columns": list(table.columns), "rows": rows}


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.4g}"
    return str(value)
