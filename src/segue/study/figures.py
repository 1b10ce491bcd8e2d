"""The figures of a study: which there are, and the job that draws each.

A figure is a plug-in, a module of ``segue.report.figures``, with the literals ``TITLE`` and
``CAPTION``, what is said of it; ``KIND``, a key of ``KINDS``, what it is drawn from; and where it
needs them ``TABLES`` and ``TASKS``, names of tables and of scored tasks without which a study does
not have it.
"""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from segue import plugins
from segue.study import grid, jobs
from segue.study import settings as of
from segue.study.grid import Cell
from segue.study.jobs import Job

KINDS = {"tables": of.Figure, "pictures": of.Qualitative, "curves": of.Curves}
"""Record of the settings of a figure, by its kind: drawn from the tables, one a study; from images
and samples, one a dataset; or from maps, one a dataset."""


def said(figure: str, what: str) -> str:
    """The ``TITLE`` or ``CAPTION`` of a figure, read without importing it."""
    return plugins.literal(plugins.module("figures", figure), what, "")


def kind(figure: str) -> type[of.Figure | of.Qualitative | of.Curves]:
    """Record of the settings of a figure."""
    return KINDS[plugins.literal(plugins.module("figures", figure), "KIND", "tables")]


def figures(study: Any) -> Iterator[Job]:
    """The jobs of all figures of a ``segue.study.study.Study``.

    Of a dataset of which no cell is to be shown there are neither pictures nor curves, and of one
    without samples no pictures.
    """
    config = study.config
    tables = {PurePath(name).stem for name in grid.tables(config)}
    shown = {name: grid.shown(config, name) for name in config.datasets}
    for figure in plugins.available("figures"):
        module = plugins.module("figures", figure)
        needs = {what: {*plugins.literal(module, what, ())} for what in ("TABLES", "TASKS")}
        if not (needs["TABLES"] <= tables and needs["TASKS"] <= config.scores.keys()):
            continue
        if kind(figure) is of.Figure:
            yield _of_tables(study, figure)
            continue
        for name, cells in shown.items():
            first = [cell for cell in cells if cell.replicate == 0]
            if kind(figure) is of.Curves and cells:
                yield _curves(study, figure, name, cells)
            elif kind(figure) is of.Qualitative and study.kept_shown and first:
                yield _pictures(study, figure, name, first)


def _of_tables(study: Any, figure: str) -> Job:
    settings = of.Figure(
        figure=figure,
        tables=f"{study.folder}/tables",
        names=study.names,
        tasks=study.config.tables.tasks,
    )
    trigger = jobs.trigger(study.config, "figure", settings)
    return Job("figure", figure, settings, _made(study, figure), (study.ranking.made,), trigger)


def _pictures(study: Any, figure: str, name: str, cells: list[Cell]) -> Job:
    shown = study.config.figures.qualitative
    settings = of.Qualitative(
        figure=figure,
        dataset=study.dataset[name].made,
        name=name,
        cells=[_pictured(study, cell) for cell in cells],
        scores=[study.scoring[cell].made for cell in cells],
        splits=shown.splits,
        images=shown.images,
        names=study.names,
    )
    id = f"{figure}-{name}"
    return jobs.job(study.config, "figure", id, settings, _made(study, id))


def _curves(study: Any, figure: str, name: str, cells: list[Cell]) -> Job:
    config = study.config
    (task,) = plugins.literal(plugins.module("figures", figure), "TASKS", ())
    settings = of.Curves(
        figure=figure,
        dataset=study.dataset[name].made,
        name=name,
        cells=[_pictured(study, cell) for cell in cells],
        aggregation=config.tables.tasks.get(task, ""),
        options=plugins.taken(plugins.SCORE, config.scores)[task],
        names=study.names,
    )
    id = f"{figure}-{name}"
    return jobs.job(config, "figure", id, settings, _made(study, id))


def _pictured(study: Any, cell: Cell) -> of.Pictured:
    return of.Pictured(
        aleatoric=cell.aleatoric,
        epistemic=cell.epistemic,
        replicate=cell.replicate,
        maps=study.mapping[cell].made,
    )


def _made(study: Any, id: str) -> str:
    return f"{study.folder}/figures/{id}.svg"
