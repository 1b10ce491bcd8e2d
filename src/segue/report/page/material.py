"""What a page is made of: the tables of a study, or of scored predictions, as far as there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from json import loads
from pathlib import Path
from typing import Any

import pandas as pd

from segue.errors import InputError
from segue.keys import REPLICATE
from segue.report.layout import Grid
from segue.report.names import Names

JOIN = " × "
"""Between the two methods of a cell, where it is named."""

_TEXT = frozenset(
    {
        *("dataset", "aleatoric", "epistemic", "variant", "task", "metric", "split", "measure"),
        *("aggregation", "table", "reason", "note", "truth", "statement", "conclusion", "quantity"),
        *("rule", "holds", "ok", "estimator", "over", "axis", "moves", "remedy", "before", "after"),
    }
)
_OF_EACH_VARIANT = (
    *("performance", "entanglement", "scores", "intervals", "deltas", "ranks", "mean_ranks"),
    "aggregations",
)
_SUMMARY = ("dataset", "task", "split", "correct", "wrong", "delta", "low", "high", "reason")


@dataclass(frozen=True)
class Material:
    """Tables and what is on record of a folder of results.

    Attributes:
        folder: of the results.
        name: of the study, or of the folder of scored predictions.
        variants: names of the variants of the scores, the main one first.
        cells: dataset, aleatoric, epistemic and replicate of all, in the study's order.
        record: what is on record of how the tables were made; empty where nothing is.
        tables: those that there are, by name. Those of each variant are one table, with a column
            ``variant``; a cell has its name in the column ``cell``.
    """

    folder: Path
    name: str
    variants: Sequence[str]
    cells: Sequence[Sequence[Any]]
    record: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame] = field(repr=False)

    @property
    def main(self) -> str:
        """The first variant, which the plain names of tables mean."""
        return self.variants[0]

    @property
    def datasets(self) -> list[str]:
        """Names of the datasets, in the study's order."""
        return list(self.grid.datasets)

    @property
    def ranked(self) -> bool:
        """Whether cells are ranked, as in a study; those of scored predictions are not."""
        return "mean_ranks" in self.tables

    @property
    def replicates(self) -> int:
        """How many replicates there are."""
        return len({cell[-1] for cell in self.cells})

    @property
    def grid(self) -> Grid:
        """Order of the names, cells that are not applicable, captions of datasets."""
        found = self.record.get("settings", {})
        captions = found.get("names", {}).get("captions", {})
        return Grid.of(self.cells, found.get("not_applicable", []), Names(captions=captions))

    def table(self, name: str, *columns: str) -> pd.DataFrame:
        """A table; one without rows where there is none.

        Raises:
            InputError: a column that is needed is missing.
        """
        found = self.tables.get(name, pd.DataFrame(columns=list(columns)))
        if missing := [column for column in columns if column not in found]:
            raise InputError(
                f"{self.folder}: table {name}: expected a column {missing[0]!r}, found "
                f"{', '.join(found.columns)}; make the tables again"
            )
        return found


def read(folder: Path) -> Material:
    """Read the tables of ``results/<study>``, or what ``segue score`` wrote to a folder.

    Raises:
        InputError: there is no such folder, it is neither of both, or a table is damaged.
    """
    if (folder / "tables" / "mean_ranks.csv").is_file():
        return _study(folder)
    if all((folder / name).is_file() for name in ("deltas.csv", "scores-intervals.csv")):
        return _predictions(folder)
    raise InputError(
        f"{folder}: expected the folder of a study with tables in it, results/<study>, or one that "
        "`segue score` wrote; found neither tables/mean_ranks.csv nor deltas.csv with "
        "scores-intervals.csv. Run the study or `segue score` first"
    )


def _study(folder: Path) -> Material:
    tables = folder / "tables"
    ends = sorted(p.stem.removeprefix("mean_ranks") for p in tables.glob("mean_ranks-*.csv"))
    intervals = _read(tables / "intervals.csv")
    if intervals.empty:
        raise InputError(f"{tables / 'intervals.csv'}: has no rows; run the stage `tables` again")
    main = intervals["variant"].iloc[0]
    endings = {main: ""} | {end[1:]: end for end in ends}
    found = {"intervals": intervals}
    for name in ("mean_ranks", "deltas"):
        parts = {v: _read(tables / f"{name}{ending}.csv") for v, ending in endings.items()}
        found[name] = pd.concat([part.assign(variant=v) for v, part in parts.items()])
    there = {path.stem for path in tables.glob("*.csv")}
    of_each = {f"{name}{end}" for end in endings.values() for name in _OF_EACH_VARIANT}
    for name in sorted(there - of_each):
        found[name] = _read(tables / f"{name}.csv")
    cells = found["deltas"].loc[found["deltas"]["variant"] == main, list(REPLICATE)]
    cells = cells.drop_duplicates().astype({"replicate": int})
    record = read_json(tables / "provenance.json", "make the tables again")
    ordered = [list(cell) for cell in cells.itertuples(index=False, name=None)]
    named = {name: _named(table) for name, table in found.items() if len(table)}
    return Material(folder, folder.resolve().name, list(endings), ordered, record, named)


def _predictions(folder: Path) -> Material:
    intervals = _read(folder / "scores-intervals.csv")
    deltas = _read(folder / "deltas.csv")
    if missing := [name for name in _SUMMARY if name not in deltas]:
        raise InputError(f"{folder / 'deltas.csv'}: column {missing[0]!r} expected; score again")
    cell = intervals[list(REPLICATE)].iloc[0].to_dict() | {"replicate": 0}
    variants = list(dict.fromkeys(intervals["variant"]))
    deltas = deltas.assign(**cell, variant=variants[0])
    tables = {"deltas": deltas, "intervals": intervals[intervals["variant"] == variants[0]]}
    named = {name: _named(table) for name, table in tables.items()}
    return Material(folder, folder.resolve().name, variants[:1], [list(cell.values())], {}, named)


def _read(path: Path) -> pd.DataFrame:
    """A CSV file: names are text, whatever they are, and all else numbers, perhaps missing."""
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
        return table.assign(
            **{name: pd.to_numeric(table[name]) for name in table if name not in _TEXT}
        )
    except pd.errors.EmptyDataError:  # a table of nothing, as `leakage` where it was not scored
        return pd.DataFrame()
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; make the tables again") from error
    except ValueError as error:  # of pandas: no number, no table, or bytes that are no text
        said = " ".join(str(error).split())
        raise InputError(
            f"{path}: expected a whole table, found: {said}; make the tables again"
        ) from error


def _named(table: pd.DataFrame) -> pd.DataFrame:
    if not {"aleatoric", "epistemic"} <= set(table):
        return table.reset_index(drop=True)
    return table.assign(cell=table["aleatoric"] + JOIN + table["epistemic"]).reset_index(drop=True)


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """What is on record in a file; nothing where there is none.

    Raises:
        InputError: it is no JSON; says the remedy.
    """
    try:
        return loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InputError(f"{path}: expected JSON, found: {error}; {remedy}") from error
