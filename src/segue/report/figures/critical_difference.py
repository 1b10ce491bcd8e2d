"""Which cells differ? Critical-difference diagram of their mean ranks (Demšar 2006)."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from segue.keys import METHODS, REPLICATE
from segue.report import friedman, style
from segue.report.figure_data import read_table

_TITLES = {"performance": "Performance", "entanglement": "Entanglement (Δ)"}


def draw(out: Path, *, tables: Path, captions: Mapping[str, str] | None = None) -> None:
    """Draw the critical-difference diagrams of both tables: SVG and PNG.

    Args:
        out: path of both files, without an ending.
        tables: folder of ``ranks.csv``.
        captions: what is printed beside a dataset's name.
    """
    style.save(compose(tables, captions), out)


@style.look()
def compose(tables: Path, captions: Mapping[str, str] | None = None) -> Figure:
    """A row for each dataset, and one for all where there are several; a column for each table.

    Cells stand at their mean rank over blocks: a block is a replicate of one dataset, and ranks the
    cells by the mean over tasks. A pale bar is the range over blocks. The bars on the right join
    cells that do not differ at 5 %, by Nemenyi's test. Where there is no test, as with one block,
    or no two cells can differ by the critical difference, the title says so.

    Raises:
        InputError: ``ranks.csv`` or one of its columns is missing.
    """
    ranking = read_table(tables, "ranks", (*REPLICATE, "table", "task"), ("rank",))
    ranking = ranking[ranking["task"] == "overall"]
    names = friedman.datasets(ranking)
    cells = len(ranking[list(METHODS)].drop_duplicates())
    figure = Figure(figsize=(7.2, (0.14 * cells + 0.9) * len(names)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1)
    parts = figure.subfigures(len(names), 1, squeeze=False)[:, 0]
    for dataset, part in zip(names, parts, strict=True):
        style.head(part, dataset, captions)
        for ax, (table, title) in zip(part.subplots(1, 2), _TITLES.items(), strict=True):
            ranks = friedman.block_ranks(ranking[ranking["table"] == table], dataset)
            _diagram(ax, ranks)
            ax.set_title(f"{title}\n{ax.get_title()}")
    return figure


def _diagram(ax: Axes, ranks: pd.DataFrame) -> None:
    """One line a cell, the best on top."""
    blocks, cells = ranks.shape
    if not cells:
        ax.set_axis_off()
        ax.set_title("no cell has a rank in every block")
        return
    mean = ranks.mean().sort_values(kind="stable")
    colour = style.colours(mean.index.get_level_values("epistemic"))
    marker = style.markers(mean.index.get_level_values("aleatoric"))
    for line, ((epistemic, aleatoric), rank) in enumerate(mean.items()):
        ax.plot([0.5, rank], [line, line], color=colour[epistemic], lw=0.7, alpha=0.5)
        look = {"color": colour[epistemic], "marker": marker[aleatoric], "markersize": 4.5}
        ax.plot(rank, line, **look, label=f"{aleatoric} × {epistemic}", clip_on=False)
        ends = ranks[epistemic, aleatoric].agg(["min", "max"])
        ax.plot(ends, [line, line], color=colour[epistemic], lw=1.6, alpha=0.35, label="range")
    ax.set_yticks(range(cells), [f"{a} × {e}" for e, a in mean.index])
    ax.set(xlim=(0.5, cells + 0.5), ylim=(cells - 0.4, -0.6))
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right"]].set_visible(False)
    if note := friedman.no_test(ranks):
        ax.set(title=note, xlabel="rank (1 = best)")
        return
    difference = friedman.critical_difference(cells, blocks)
    title = f"{blocks} blocks, critical difference {difference:.1f}"
    if friedman.cannot_separate(cells, blocks):
        ax.set_title(f"{title} > {cells - 1}:\nthis study cannot separate any two cells")
        ax.set_xlabel("mean rank over blocks (1 = best)\npale: range over blocks")
        return
    ax.set_title(title)
    ax.set_xlabel(
        "mean rank over blocks (1 = best); pale: range over blocks\n"
        "bars on the right join cells that do not differ"
    )
    for i, run in enumerate(friedman.alike(mean.to_numpy(), difference)):
        x = [cells + 0.5 + 0.035 * cells * (i + 1)] * 2
        ends = [run[0] - 0.25, run[1] + 0.25]
        ax.plot(x, ends, color="0.25", lw=2, solid_capstyle="butt", clip_on=False, label="alike")
