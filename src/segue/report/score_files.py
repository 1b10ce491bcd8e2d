"""Score files of all cells -> one table of means over images, known to be complete; intervals."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from segue.errors import InputError
from segue.evaluation.score import intervals_beside
from segue.evaluation.subsamples import ALL
from segue.keys import INTERVAL_ROW, LIMITS, MEANS, OF, REPLICATE, SCORE, SCORE_ROW

_REPLICATE, _SCORE = list(REPLICATE), list(SCORE)  # pandas takes a tuple for one column


def read_means(paths: Sequence[Path], cells: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Read the files of the stage score, one at a time, and average over images that have a score.

    Args:
        paths: the CSV files.
        cells: dataset, aleatoric, epistemic and replicate of all that must be there, and no others.

    Returns:
        Columns dataset, aleatoric, epistemic, replicate, variant, task, metric, split, measure,
        aggregation, score (NaN where no image has one), images (that have one; NaN where the score
        is one number of all images); in the order of ``cells``, then of the file.

    Raises:
        InputError: names the cell that is missing, double, unfinished or infinite.
    """
    expected = [tuple(cell) for cell in cells]
    found = pd.concat([_read(path, expected) for path in paths], ignore_index=True)
    present = list(found[_REPLICATE].itertuples(index=False, name=None))
    there = set(present)
    for cell in expected:
        if cell not in there:
            raise InputError(f"{_name(cell)}: no scores; run the stage score of this cell")
    double = found[found.duplicated([*_REPLICATE, *_SCORE])]
    if len(double):
        raise InputError(f"{_name(double[_REPLICATE].iloc[0])}: two files with scores of this cell")
    for _, rows in found.groupby("dataset"):
        _check_complete(rows)
    position = {cell: i for i, cell in enumerate(expected)}
    order = np.argsort([position[cell] for cell in present], kind="stable")
    return found.iloc[order].drop(columns="rows").reset_index(drop=True)


def read_intervals(
    paths: Sequence[Path], cells: Sequence[Sequence[Any]], means: pd.DataFrame
) -> pd.DataFrame:
    """Read the files of intervals beside the score files, in the order of ``cells``.

    Args:
        paths, cells: as ``read_means`` takes them.
        means: what it returned; each of these scores must have its interval.

    Returns:
        ``segue.keys.INTERVAL_ROW``.

    Raises:
        InputError: a file is missing, is damaged, has other columns or cells, lacks rows, or does
            not account for a score that is no number.
    """
    position = {tuple(cell): i for i, cell in enumerate(cells)}
    found = pd.concat([_read_intervals(intervals_beside(path), position) for path in paths])
    key = [*_REPLICATE, *_SCORE]
    both = means.merge(found[[*key, *OF]], on=key, how="left", suffixes=("_read", ""))
    other = both["images_read"].notna() & (both["images_read"] != both["images"])
    for wrong, what in (
        (both["reason"].isna(), "has no interval"),
        (both["score"].isna() & (both["reason"] == ""), "is no number, and no reason is given"),
        (other.fillna(True), "is not of as many images as the file of intervals says"),
    ):
        if wrong.any():
            row = both[wrong].iloc[0]
            raise InputError(
                f"{_name(row[_REPLICATE])}: unfinished: {row['metric']} of {row['split']} "
                f"({row['variant']}) {what}; score this cell again"
            )
    order = [position[cell] for cell in found[_REPLICATE].itertuples(index=False, name=None)]
    return found.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def with_images(means: pd.DataFrame, intervals: pd.DataFrame) -> pd.DataFrame:
    """Mean scores with how many images each is of, and why it is NaN where it is.

    Args:
        means, intervals: as ``read_means`` and ``read_intervals`` return them.

    Returns:
        ``segue.keys.MEANS``, in the order of ``means``.
    """
    key = [*_REPLICATE, *_SCORE]
    told = intervals[[*key, *OF]]
    return means.drop(columns="images").merge(told, on=key, how="left")[list(MEANS)]


def read_csv(
    path: Path, types: Mapping[str, str], numbers: Sequence[str], stage: str
) -> pd.DataFrame:
    """Read a table that a stage wrote. Only of ``numbers`` can values be missing.

    A method may well be called "none" or "NA", so names are names.

    Raises:
        InputError: there is no such file, or it is damaged.
    """
    missing = {number: ["", "nan"] for number in numbers}
    try:
        return pd.read_csv(path, dtype=dict(types), keep_default_na=False, na_values=missing)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; run the stage {stage} first") from error
    except ValueError as error:  # of pandas, or bytes that are no text
        raise InputError(
            f"{path}: expected a whole table, found: {error}; remove it and run the stage {stage} "
            "again"
        ) from error


def of_images(path: Path) -> pd.DataFrame:
    """Scores of single images under a file's first variant, ``segue.keys.SCORE_ROW``.

    Raises:
        InputError: there is no such file, or it is damaged.
    """
    types = dict.fromkeys(SCORE_ROW, "category") | {"image": "str", "score": "float64"}
    table = read_csv(path, types, ["score"], "score")
    if tuple(table.columns) != SCORE_ROW or table.empty:
        raise InputError(f"{path}: expected rows of {', '.join(SCORE_ROW)}; score this cell again")
    return table[(table["variant"] == table["variant"].iloc[0]) & (table["image"] != "all")]


def _read_intervals(path: Path, cells: Container[tuple[Any, ...]]) -> pd.DataFrame:
    types = dict.fromkeys(INTERVAL_ROW, "str")
    types |= {"replicate": "int64", "images": "Int64"} | dict.fromkeys(LIMITS, "float64")
    table = read_csv(path, types, (*LIMITS, "images"), "score")
    if tuple(table.columns) != INTERVAL_ROW:
        raise InputError(
            f"{path}: expected columns {', '.join(INTERVAL_ROW)}, found "
            f"{', '.join(table.columns)}; score this cell again"
        )
    _check_cells(table, cells, path)
    return table


def _read(path: Path, cells: Container[tuple[Any, ...]]) -> pd.DataFrame:
    """Mean score of each metric, its number of rows and of images, as far as the file tells."""
    names = dict.fromkeys(SCORE_ROW, "category")  # few that many rows share: fast to group by
    types = names | {"replicate": "int64", "score": "float64"}
    table = read_csv(path, types, ["score"], "score")
    if tuple(table.columns) != SCORE_ROW or table.empty:
        raise InputError(
            f"{path}: expected rows of {', '.join(SCORE_ROW)}, found {len(table)} rows of "
            f"{', '.join(table.columns)}; remove it and score again"
        )
    _check_cells(table, cells, path)
    if (bad := table[np.isinf(table["score"])]).size:
        row = bad.iloc[0]
        raise InputError(
            f"{path}: {_name(row[_REPLICATE])}: {row['metric']} of {row['split']}, image "
            f"{row['image']}, is {row['score']}; remove the file and score again"
        )
    number = table["score"].notna().astype(float).where(table["image"] != "all")
    key = [*_REPLICATE, *_SCORE]
    groups = table.assign(number=number).groupby(key, sort=False, observed=True)
    found = groups.agg(score=("score", "mean"), rows=("score", "size"))
    found = found.assign(images=groups["number"].sum(min_count=1)).reset_index()
    return found.astype({name: "str" for name in key if name != "replicate"})


def _check_cells(table: pd.DataFrame, cells: Container[tuple[Any, ...]], path: Path) -> None:
    for cell in table[_REPLICATE].drop_duplicates().itertuples(index=False, name=None):
        if cell not in cells:
            raise InputError(
                f"{path}: has rows of {_name(cell)}, which is not in the study; remove the file"
            )


def _check_complete(rows: pd.DataFrame) -> None:
    """Every cell of a dataset must have the scores of every other, over as many images.

    Of fewer draws or hypotheses than were sampled, a cell has scores as its numbers allow.
    """
    rows = rows[(rows["task"] != "leakage") | (rows["aggregation"] == ALL)]
    images = rows.pivot(index=_REPLICATE, columns=_SCORE, values="rows").fillna(0)
    lacking = images < images.max()
    if lacking.to_numpy().any():
        row, column = np.argwhere(lacking.to_numpy())[0]
        label = dict(zip(_SCORE, images.columns[column], strict=True))
        raise InputError(
            f"{_name(images.index[row])}: unfinished: {label['metric']} of {label['split']} "
            f"({label['variant']}) over {images.iat[row, column]:.0f} images, other cells over "
            f"{images.max().iat[column]:.0f}; score this cell again"
        )


def _name(cell: Sequence[Any]) -> str:
    dataset, aleatoric, epistemic, replicate = cell
    return f"{dataset}/{aleatoric}-{epistemic}/rep{replicate}"
