"""Stage tables: the scores of all cells -> Δ, ranks and the two tables of the study (protocol §9).

A cell that is missing, unfinished or not a number stops it: a table is of all cells or is not made.
A score that is undefined, with its reason, does not: it is empty, left out of ranks, and said so.
"""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from segue import plugins
from segue.evaluation.entanglement import Ranked, deltas
from segue.evaluation.intervals import DELTA
from segue.evaluation.tasks.ood import BORDERLESS
from segue.evaluation.variants import named
from segue.files import replacing
from segue.keys import METHODS
from segue.report import html
from segue.report.findings import Study, findings
from segue.report.health import DAGGER, failing, health
from segue.report.joint import Joint, joint, read_draws, with_intervals
from segue.report.layout import Grid, latex, listing, markdown
from segue.report.names import PLAIN, Names
from segue.report.ranks import ranks, summary
from segue.report.score_files import read_intervals, read_means, with_images
from segue.report.sources import sources
from segue.report.validity import TRUTH

TITLES = {
    "performance": "Performance: mean rank of the cells (1 is best)",
    "entanglement": "Entanglement: mean rank of the cells' Δ (1 is least entangled)",
}


def tables(
    out: Path,
    *,
    scores: list[str],
    options: dict[str, Any],
    cells: list[list[Any]],
    not_applicable: list[str],
    seed: int,
    published: Mapping[str, str] | None = None,
    names: Mapping[str, Mapping[str, str]] | None = None,
    axes: Mapping[str, Mapping[str, Any]] | None = None,
    remedies: Mapping[str, Mapping[str, str]] | None = None,
    passes: Mapping[str, int] | None = None,
) -> None:
    """Write the tables to the folder ``out``.

    ``performance`` and ``entanglement``, as CSV (long), Markdown, HTML and LaTeX: mean rank over
    the replicates with its 95 % interval over other images and trainings. As CSV: ``scores`` (means
    over images), ``intervals`` (theirs and those of Δ, over images), ``deltas``, ``ranks`` (each
    task, each replicate), ``mean_ranks`` (each task) and ``aggregations`` (the ranks in one task
    under each of its aggregations). The variant that comes first in the score files has these
    names; those of another end in ``-<variant>``. Of all variants together, as CSV, Markdown and
    HTML: ``segue.report.findings``.

    Args:
        out: path of the folder.
        scores: CSV files of the stage score, those of intervals and of draws beside them.
        options: config section ``tables``. ``tasks``: the tasks that rank, by name, and which of
            their aggregations does (empty where there is none).
        cells: dataset, aleatoric, epistemic and replicate of all that must be there; the tables
            are in the order of these names here.
        not_applicable: cells to print as N/A, ``<aleatoric>-<epistemic>``.
        seed: the study's, for draws of replicates and for permutations.
        published: which published dataset (``lidc``, ``chaksu``) a dataset is compared with.
        names: see ``segue.report.names.Names``; CSV files have the config's names.
        axes, remedies, passes: see ``segue.report.sources.sources``.

    Raises:
        InputError: names the cell that is missing, unfinished, double or not a number; or a task
            that there is not, or that does not rank.
    """
    out = Path(out)
    plugins.check_ranked(options["tasks"])
    ranked = {
        name: Ranked(plugins.load("tasks", name).TASK, how)
        for name, how in options["tasks"].items()
    }
    paths = [Path(path) for path in scores]
    means = read_means(paths, cells)
    intervals = read_intervals(paths, cells, means)
    means = with_images(means, intervals)
    joints = _joints(paths, cells, ranked, intervals, seed)
    printed = Names.of(names)
    grid = Grid.of(cells, not_applicable, printed)
    alive = health(means[means["variant"] == means["variant"].iloc[0]])
    marked = failing(alive)
    rankings, summaries, every = {}, [], []
    for number, (variant, rows) in enumerate(means.groupby("variant", sort=False)):
        ending = f"-{variant}" if number else ""
        found = deltas(rows, ranked)
        ranking = ranks(found, ranked)
        rankings[variant] = ranking
        every.append(found.assign(variant=variant))
        _write_csv(out / f"scores{ending}.csv", rows)
        _write_csv(out / f"intervals{ending}.csv", intervals[intervals["variant"] == variant])
        _write_csv(out / f"deltas{ending}.csv", found)
        _write_csv(out / f"ranks{ending}.csv", ranking)
        _write_csv(out / f"aggregations{ending}.csv", _by_aggregation(rows, ranked))
        here = {dataset: each for (name, dataset), each in joints.items() if name == variant}
        by_task = with_intervals(grid.sort(summary(ranking, ["table", "task"])), here)
        notes = [
            *undefined(found, printed),
            *borderless(rows, options["tasks"], printed),
            *beyond(found, printed),
        ]
        notes += [DAGGER] if marked else []
        _write_csv(out / f"mean_ranks{ending}.csv", by_task)
        summaries.append(by_task.assign(variant=variant))
        for table, title in TITLES.items():
            chosen = (by_task["task"] == "overall") & (by_task["table"] == table)
            long = by_task[chosen].drop(columns=["table", "task"])
            title = f"{title}; scores: {variant}"
            _write_csv(out / f"{table}{ending}.csv", long)
            html.write(out / f"{table}{ending}.md", markdown(long, grid, title, notes, marked))
            _write(out / f"{table}{ending}.tex", latex(long, grid, title, notes, marked))
    study = Study(
        rankings,
        pd.concat(summaries, ignore_index=True),
        pd.concat([*every, _deltas_of_truth(intervals)]),
        joints,
        alive,
        published or {},
        seed,
    )
    of_sources = sources(
        means, study.deltas, study.summaries, axes or {}, remedies or {}, passes or {}
    )
    for name, found, title, text, shown in chain(findings(study), of_sources):
        _write_csv(out / f"{name}.csv", found)
        html.write(out / f"{name}.md", listing(shown, title, text, printed.captions))


def _joints(
    paths: list[Path],
    cells: list[list[Any]],
    ranked: Mapping[str, Ranked],
    intervals: pd.DataFrame,
    seed: int,
) -> dict[tuple[str, str], Joint]:
    """Joint draws by variant and dataset, of the tasks that rank and of those of the truth."""
    aggregations = {name: how for name, (_, how) in ranked.items()}
    drawn = read_draws(paths, cells, aggregations | _of_truth(intervals))
    return {
        (variant, dataset): joint(each, ranked, seed, dataset)
        for (variant, dataset), each in drawn.items()
    }


def _of_truth(intervals: pd.DataFrame) -> dict[str, str]:
    """The tasks of the truth that are scored, and their aggregation."""
    rows = intervals[intervals["task"].isin(TRUTH) & (intervals["metric"] == DELTA)]
    return rows.groupby("task")["aggregation"].first().to_dict()


def _deltas_of_truth(intervals: pd.DataFrame) -> pd.DataFrame:
    """Δ of the tasks of the truth, which do not rank: columns of ``segue.keys`` and delta."""
    rows = intervals[intervals["metric"] == DELTA]
    rows = rows[rows["task"].map(_of_truth(intervals)) == rows["aggregation"]]
    return rows.rename(columns={"value": "delta"})


def undefined(deltas: pd.DataFrame, names: Names = PLAIN) -> list[str]:
    """What has no Δ and why, a sentence for each task, split and reason.

    Args:
        deltas: as ``segue.evaluation.entanglement.deltas`` returns it.
        names: what is printed for datasets and methods.
    """
    lacking = deltas[deltas["delta"].isna()]
    by = ["dataset", "task", "split", "reason"]
    cells, notes = list(METHODS), []
    every = deltas.groupby("dataset")[cells].apply(lambda each: len(each.drop_duplicates()))
    for (dataset, task, split, reason), rows in lacking.groupby(by, sort=False):
        told = [names.cell(a, e) for e, a in rows[cells].drop_duplicates().itertuples(index=False)]
        which = "all cells" if len(told) == every[dataset] else ", ".join(told)
        notes.append(f"No Δ of {task} on {names.data(dataset)}, {split}, for {which}: {reason}.")
    return notes


def borderless(means: pd.DataFrame, tasks: Mapping[str, str], names: Names = PLAIN) -> list[str]:
    """How many predictions have no border, where AUROC by ``border`` ranks and leaves them out.

    Args:
        means: of one variant.
        tasks: the aggregation of each task that ranks.
        names: what is printed for datasets.
    """
    rows = means[means["metric"] == BORDERLESS]
    if tasks.get("ood") != "border" or not (rows["score"] > 0).any():
        return []
    (variant,) = named(rows["variant"].unique())
    what = "they have no score by border and are left out of its AUROC"
    if variant.raw_border:
        what = "they have the sum of their map as their score by border"
    notes = []
    for dataset, here in rows.groupby("dataset", sort=False):
        shares = here.groupby("split", sort=False)["score"].mean()
        text = ", ".join(f"{100 * share:.0f} % of {split}" for split, share in shares.items())
        notes.append(
            f"Predictions without a border, mean over the cells of {names.data(dataset)}: {text}; "
            f"{what}."
        )
    return notes


def beyond(deltas: pd.DataFrame, names: Names = PLAIN) -> list[str]:
    """How many Δ leave [-1, 1], a sentence for each task and split: a value is negative there."""
    notes = []
    for (dataset, task, split), rows in deltas.groupby(["dataset", "task", "split"], sort=False):
        if outside := int((rows["delta"].abs() > 1).sum()):
            notes.append(
                f"Δ of {task} on {names.data(dataset)}, {split}, leaves [-1, 1] in {outside} of "
                f"{len(rows)} runs: a measure's value is negative there."
            )
    return notes


def _by_aggregation(means: pd.DataFrame, ranked: Mapping[str, Ranked]) -> pd.DataFrame:
    """Summary of the ranks in each task, under each aggregation of its metric."""
    found = []
    for name, (task, _) in ranked.items():
        here = (means["task"] == name) & (means["metric"] == task.metric)
        for aggregation in means.loc[here, "aggregation"].unique():
            alone = {name: Ranked(task, aggregation)}
            ranking = ranks(deltas(means, alone), alone)
            ranking = ranking[ranking["task"] == name].assign(aggregation=aggregation)
            found.append(summary(ranking, ["table", "task", "aggregation"]))
    return pd.concat(found, ignore_index=True)


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    _write(path, table.to_csv(index=False, lineterminator="\n"))


def _write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text)
