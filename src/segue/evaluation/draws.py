"""The file of bootstrap draws beside a file of scores: U_c and Δ of each task in each draw.

They are what tables rank cells by. Cells of a dataset share their draws, so that ranks can be taken
draw by draw: a digest tells whether they do.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from segue.errors import InputError
from segue.evaluation.intervals import DRAWS, Compared
from segue.files import unfinished
from segue.keys import REPLICATE

KEY = ("variant", "task", "aggregation", "split")
"""What a row is of; ``split`` is ``id`` or, for the mean of the OOD splits, ``ood``."""

_VALUES = ("correct", "delta")


class CellDraws(NamedTuple):
    """What one file holds.

    Attributes:
        cell: dataset, aleatoric, epistemic and replicate.
        rows: where each row is, by its ``KEY``.
        correct, delta: U_c, the right measure's value, and Δ, (row, draw); NaN where undefined.
        weights: digest of how often each image counts in each draw.
    """

    cell: tuple[str, str, str, int]
    rows: dict[tuple[str, ...], int]
    correct: np.ndarray
    delta: np.ndarray
    weights: str


def draws_beside(scores: Path) -> Path:
    """Path of the file of draws that belongs to a file of scores."""
    return scores.with_name(f"{scores.stem}-draws.npz")


def write(
    path: Path,
    cell: Mapping[str, Any],
    compared: Sequence[Compared],
    variants: Sequence[str],
    weights: Mapping[str, np.ndarray],
) -> None:
    """Write the draws of one cell and replicate, whole or not at all; equal draws, equal bytes.

    Args:
        path: of the file.
        cell: value of each of ``segue.keys.REPLICATE``.
        compared: of all tasks; an empty variant stands for all.
        variants: names of all.
        weights: see ``segue.evaluation.intervals.weights``.
    """
    keys, values = [], []
    for each in compared:
        for variant in [each.variant] if each.variant else variants:
            keys.append((variant, each.task, each.aggregation, each.split))
            values.append([getattr(each, name)[1:] for name in _VALUES])
    stacked = np.reshape(np.array(values, np.float64), (len(keys), len(_VALUES), DRAWS))
    arrays = dict(zip(_VALUES, np.moveaxis(stacked, 1, 0), strict=True))
    table = np.reshape(np.array(keys, np.str_), (len(keys), len(KEY)))
    name = np.array([str(cell[column]) for column in REPLICATE])
    with unfinished(path) as new, new.open("wb") as file:
        np.savez(file, cell=name, keys=table, weights=np.array(_digest(weights)), **arrays)


def read(path: Path) -> CellDraws:
    """Read a file that ``write`` wrote.

    Raises:
        InputError: there is none, or it is damaged.
    """
    try:
        with path.open("rb") as whole, np.load(whole, allow_pickle=False) as file:
            (*methods, replicate), keys = file["cell"].tolist(), file["keys"]
            cell, weights = (*methods, int(replicate)), str(file["weights"][()])
            correct, delta = (file[name] for name in _VALUES)
        if keys.shape != (len(keys), len(KEY)):
            raise ValueError(f"keys of shape {keys.shape}")
        for array in (correct, delta):
            if array.shape != (len(keys), DRAWS) or array.dtype != np.float64:
                raise ValueError(f"an array of {array.dtype} and shape {array.shape}")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; run the stage score of this cell") from error
    except (BadZipFile, ValueError, LookupError, EOFError, OSError, TypeError) as error:
        raise InputError(
            f"{path}: expected bootstrap draws, found: {error}; remove it and score this cell again"
        ) from error
    rows = {tuple(key): row for row, key in enumerate(keys.tolist())}
    return CellDraws(cell, rows, correct, delta, weights)


def _digest(weights: Mapping[str, np.ndarray]) -> str:
    found = hashlib.sha256()
    for split in sorted(weights):
        found.update(f"{split} {weights[split].shape} ".encode())
        found.update(np.ascontiguousarray(weights[split], np.float32).tobytes())
    return found.hexdigest()
