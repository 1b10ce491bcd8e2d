"""Which cells differ? Critical-difference diagram of their mean ranks (Demšar 2006)."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from segue.keys import REPLICATE
from segue.report import friedman, panels, style
from segue.report.figure_data import read_table
from segue.report.names import PLAIN, Labels, Names

TITLE = "Critical differences"
CAPTION = (
    "Mean rank of each cell over blocks, a block being one replicate of one dataset; pale: the "
    "range over blocks. Bars on the right join cells that do not differ at 5 % (Friedman's test "
    "with Nemenyi's critical difference); where blocks are too few to tell any cells apart, the "
    "title says so and there are none. Hollow: cells without a rank in some blocks, not tested."
)
KIND = "tables"
TABLES = ("ranks",)

_TITLES = {"performance": "Performance", "entanglement": "Entanglement (Δ)"}


def draw(out: Path, *, tables: Path, names: Mapping[str, Labels] | None = None) -> None:
    """Draw the critical-difference diagrams of both tables.

    Args:
        out: path of the files, with one of their endings or without.
        tables: folder of ``ranks.csv``.
        names: see ``segue.report.names.Names``.
    """
    style.save(compose(tables, Names.of(names)), out)


@style.look()
def compose(tables: Path, names: Names = PLAIN) -> Figure:
    """A row for each dataset, and one for all where there are several; a column for each table.

    Cells stand at their mean rank over blocks: a block is a replicate of one dataset, and ranks the
    cells by the mean over tasks. A pale bar is the range over blocks. The bars on the right join
    cells that do not differ at 5 %, by Nemenyi's test. Where there is no test, as with one block,
    or no two cells can differ by the critical difference, the title says so. Below, hollow, are
    cells that have no rank in some blocks, at the mean of those that they have.

    Raises:
        InputError: ``ranks.csv`` or one of its columns is missing.
    """
    ranking = read_table(tables, "ranks", (*REPLICATE, "table", "task"), ("rank",))
    ranking = ranking[ranking["task"] == "overall"]
    cells = len(ranking[["aleatoric", "epistemic"]].drop_duplicates())
    figure, parts = panels.by_dataset(friedman.datasets(ranking), 0.125 * cells + 1.0, names)
    for dataset, part in parts.items():
        for ax, (table, title) in zip(part.subplots(1, 2), _TITLES.items(), strict=True):
            rows = ranking[ranking["table"] == table]
            _diagram(
                ax, friedman.block_ranks(rows, dataset), friedman.unranked(rows, dataset), names
            )
            ax.set_title(f"{title}\n{ax.get_title()}")
    return figure


def _diagram(ax: Axes, ranks: pd.DataFrame, others: pd.DataFrame, names: Names) -> None:
    """One line a cell, the best on top; below those that are not tested."""
    if ranks.empty and others.empty:
        ax.set_axis_off()
        ax.set_title("no cell has a rank")
        return
    blocks, cells = ranks.shape
    mean = ranks.mean().sort_values(kind="stable")
    every = pd.concat([mean, others.mean().sort_values(kind="stable")])
    colour = style.colours(every.index.get_level_values("epistemic"))
    marker = style.markers(every.index.get_level_values("aleatoric"))
    for line, ((epistemic, aleatoric), rank) in enumerate(every.items()):
        own = (ranks if line < cells else others)[epistemic, aleatoric]
        ax.plot([0.5, rank], [line, line], color=colour[epistemic], lw=0.7, alpha=0.5)
        look = {"color": colour[epistemic], "marker": marker[aleatoric], "markersize": 3.5}
        look |= {"markerfacecolor": "white"} if line >= cells else {}
        ax.plot(rank, line, **look, label=f"{aleatoric} × {epistemic}", clip_on=False)
        ends = own.agg(["min", "max"])
        ax.plot(ends, [line, line], color=colour[epistemic], lw=1.6, alpha=0.35, label="range")
    ax.set_yticks(range(len(every)), [panels.short(names.cell(a, e)) for e, a in every.index])
    most = len(every) + 0.5
    ax.set(xlim=(0.5, most), ylim=(len(every) - 0.4, -0.6))
    ticks = MaxNLocator(6, integer=True).tick_values(1, len(every))
    ax.set_xticks([tick for tick in ticks if 1 <= tick <= len(every)])
    ax.spines["bottom"].set_bounds(0.5, most)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right"]].set_visible(False)
    hollow = "; hollow: without a rank in some blocks" if len(others.columns) else ""
    ax.set_xlabel(f"{panels.better('mean rank', False)}, pale: range over blocks{hollow}")
    if note := friedman.no_test(ranks):
        ax.set_title(note)
        return
    difference = friedman.critical_difference(cells, blocks)
    if friedman.cannot_separate(cells, blocks):
        ax.set_title(
            f"{blocks} blocks are too few to tell any two cells apart:\n"
            f"critical difference {difference:.1f}, ranks differ by {cells - 1} at most"
        )
        return
    ax.set_title(f"{blocks} blocks, critical difference {difference:.1f}")
    ax.set_xlabel(f"{ax.get_xlabel()}\nbars on the right join cells that do not differ")
    runs, step = friedman.alike(mean.to_numpy(), difference), 0.035 * len(every)
    for i, run in enumerate(runs):
        x, ends = [most + step * (i + 1)] * 2, [run[0] - 0.25, run[1] + 0.25]
        ax.plot(x, ends, color="0.25", lw=2, solid_capstyle="butt", label="alike")
    ax.set_xlim(right=most + step * (len(runs) + 0.5))
