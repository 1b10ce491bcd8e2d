"""Tables as people read them; of mean ranks, a row per EU method, a column per AU model."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from segue.report.names import Names

_KINDS = (
    (
        3,
        "over {} replicates, its 95 % interval over other images and trainings in brackets (too "
        "narrow where replicates are few, see docs/tables.md)",
    ),
    (2, "over {} replicates, their range in brackets, for they are too few for an interval"),
    (1, "of one replicate, which says nothing of other trainings"),
)
_TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "_": r"\_",
        "%": r"\%",
        "&": r"\&",
        "#": r"\#",
        "†": r"$\dagger$",
        "Δ": r"$\Delta$",
        "×": r"$\times$",
        "–": "--",
    }
)


@dataclass(frozen=True)
class Grid:
    """Names in the study's order, cells that are not applicable, and what is printed for names."""

    datasets: Sequence[str]
    epistemic: Sequence[str]
    aleatoric: Sequence[str]
    not_applicable: Sequence[str]
    names: Names

    @classmethod
    def of(
        cls,
        cells: Sequence[Sequence[Any]],
        not_applicable: Sequence[str],
        names: Names,
    ) -> "Grid":
        """The grid of ``cells`` (dataset, aleatoric, epistemic, replicate), in their order."""
        return cls(
            list(dict.fromkeys(dataset for dataset, *_ in cells)),
            _order((aleatoric, epistemic) for _, aleatoric, epistemic, _ in cells),
            _order((epistemic, aleatoric) for _, aleatoric, epistemic, _ in cells),
            not_applicable,
            names,
        )

    def sort(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows in the order of dataset, epistemic and aleatoric."""
        names = {"dataset": self.datasets, "epistemic": self.epistemic, "aleatoric": self.aleatoric}
        places = [table[column].map(list(order).index) for column, order in names.items()]
        return table.iloc[np.lexsort(places[::-1])].reset_index(drop=True)

    def wide(
        self, long: pd.DataFrame, marked: Collection[tuple[str, str, str]] = ()
    ) -> dict[str, pd.DataFrame]:
        """What is printed in each cell: rows epistemic, columns aleatoric, by dataset.

        Args:
            long: columns dataset, epistemic, aleatoric, mean_rank, low and high.
            marked: dataset, epistemic and aleatoric of the cells that get a dagger.
        """
        printed = {}
        for row in long.itertuples():
            cell = row.dataset, row.epistemic, row.aleatoric
            mark = " †" if cell in marked else ""
            printed[cell] = _print(row.mean_rank, row.low, row.high) + mark
        tables = {}
        for dataset in self.datasets:
            rows = {
                e: [printed.get((dataset, e, a), self._absent(e, a)) for a in self.aleatoric]
                for e in self.epistemic
            }
            tables[dataset] = pd.DataFrame.from_dict(
                rows, orient="index", columns=list(self.aleatoric)
            )
        return tables

    def _absent(self, epistemic: str, aleatoric: str) -> str:
        return "N/A" if f"{aleatoric}-{epistemic}" in self.not_applicable else ""


def markdown(
    long: pd.DataFrame,
    grid: Grid,
    title: str,
    notes: Sequence[str] = (),
    marked: Collection[tuple[str, str, str]] = (),
) -> str:
    """One Markdown table for each dataset, under ``title`` and ``notes``.

    Args:
        long: with the columns of the CSV.
        notes: sentences, on what has no rank for example.
        marked: see ``Grid.wide``; a note ought to say why.
    """
    parts = [f"# {title}", _explain(long), *notes]
    for dataset, table in grid.wide(long, marked).items():
        rows = [_md(grid.names.method(name)) for name in table.index]
        columns = [_md(grid.names.model(name)) for name in table.columns]
        printed = table.set_axis(rows).set_axis(columns, axis=1)
        parts += [f"## {grid.names.dataset(dataset)}", printed.to_markdown(disable_numparse=True)]
    return "\n\n".join(parts) + "\n"


def latex(
    long: pd.DataFrame,
    grid: Grid,
    title: str,
    notes: Sequence[str] = (),
    marked: Collection[tuple[str, str, str]] = (),
) -> str:
    """One LaTeX table, the datasets side by side; wants the package booktabs. Args: ``markdown``'s.

    The notes stand in its caption.
    """
    style = pd.concat(grid.wide(long, marked), axis=1).style
    style = style.format(_tex).format_index(lambda name: _tex(grid.names.method(name)), axis=0)
    style = style.format_index(lambda name: _tex(grid.names.dataset(name)), axis=1, level=0)
    style = style.format_index(lambda name: _tex(grid.names.model(name)), axis=1, level=1)
    columns = "l" + "c" * len(style.columns)
    caption = _tex(" ".join([f"{title}.", _explain(long), *notes]))
    return style.to_latex(column_format=columns, hrules=True, multicol_align="c", caption=caption)


def listing(table: pd.DataFrame, title: str, text: str, captions: Mapping[str, str]) -> str:
    """A Markdown table with all columns of ``table``, under ``title``, ``text`` and captions."""
    printed = table.map(
        lambda v: v if not isinstance(v, float) else "" if np.isnan(v) else f"{v:.3g}"
    )
    notes = [f"{dataset}: {caption}." for dataset, caption in captions.items()]
    body = printed.to_markdown(index=False, disable_numparse=True)
    return "\n\n".join([f"# {title}", text, *notes, body]) + "\n"


def _explain(long: pd.DataFrame) -> str:
    counts = sorted(set(long["n"]) - {0}, reverse=True)
    kinds = {}
    for count in counts:
        least, text = next(kind for kind in _KINDS if count >= kind[0])
        kinds.setdefault(least, text.format(count))
    text = f"Mean rank {'; or '.join(kinds.values())}." if kinds else "No cell has a rank."
    return f"{text} A dash: no rank." if long["mean_rank"].isna().any() else text


def _print(mean: float, low: float, high: float) -> str:
    """One decimal; without brackets, where one replicate has no range; a dash without a rank."""
    if np.isnan(mean):
        return "–"
    return f"{mean:.1f}" if np.isnan(low) else f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def _md(text: str) -> str:
    """Text in a cell of a Markdown table, of which a bar is the edge."""
    return text.replace("|", r"\|")


def _tex(text: str) -> str:
    return text.translate(_TEX)


def _order(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Second names of (group, name) in an order that suits each group's own.

    A name's place is the last that it has in any group: a group that lacks some names puts those
    that follow too far ahead, never too far back.
    """
    groups: dict[str, list[str]] = {}
    for group, name in dict.fromkeys(pairs):
        groups.setdefault(group, []).append(name)
    places: dict[str, int] = {}
    for names in groups.values():
        for place, name in enumerate(names):
            places[name] = max(place, places.get(name, 0))
    return sorted(places, key=places.__getitem__)
