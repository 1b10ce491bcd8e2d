"""The tables of a page: packed as they are, to be shown, sorted and downloaded there."""

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from segue.report.page import texts
from segue.report.page.material import Material

_MOST = 1_000_000  # bytes of a table that a page can show

_ORDER = (
    *("performance", "entanglement", "mean_ranks", "ranks", "deltas", "variants", "conclusions"),
    *("published_comparison", "friedman", "validity", "health", "leakage", "sweep", "axes"),
    *("axes_error", "mitigation", "aggregations"),
)


class Table(NamedTuple):
    """A table.

    Attributes:
        name: of its file, without the ending.
        title: for readers; perhaps empty.
        said: what is said above it, HTML.
        rows: how many it has.
        packed: the CSV file, by gzip and base64; empty where it is too large for a page.
        place: path of the file from the folder of the results; empty where there is none.
    """

    name: str
    title: str
    said: str
    rows: int
    packed: str
    place: str


def tables(material: Material, results: pd.DataFrame) -> Iterator[Table]:
    """The tables of the folder, the most read ones first; then the digests of all results.

    Args:
        material: of the page.
        results: what made each, see ``segue.report.page.records.results``.
    """
    folder = material.folder / "tables"
    if not folder.is_dir():
        folder = material.folder
    yield from (_table(path, material.folder) for path in sorted(folder.glob("*.csv"), key=_place))
    if len(results):
        text = results.to_csv(index=False, lineterminator="\n").encode()
        title = "What made each result, and a digest of what it holds"
        yield Table("provenance", title, "", len(results), _packed(text), "")


def _place(path: Path) -> tuple[int, str]:
    name = path.stem.partition("-")[0]
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER)), path.stem


def _table(path: Path, folder: Path) -> Table:
    content = path.read_bytes()
    title, said = texts.introduction(path.with_suffix(".md"))
    packed = _packed(content) if len(content) <= _MOST else ""
    rows = max(content.count(b"\n") - 1, 0)
    return Table(path.stem, title, said, rows, packed, str(path.relative_to(folder)))


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()
