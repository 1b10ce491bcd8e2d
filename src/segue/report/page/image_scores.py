"""Scores of single images, by which a page sorts them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from segue import plugins
from segue.evaluation.entanglement import delta
from segue.report.score_files import of_images


def by_image(scores: Path, entries: Sequence[Any]) -> dict[str, np.ndarray]:
    """NCC of the right measure with the raters' variance, Δ of ambiguity, and Dice.

    Args:
        scores: file of the scores of a cell, of which the first variant counts; where it is missing
            there are no values.
        entries: the images, with ``split`` and ``index``.

    Returns:
        A number of each entry, NaN where it has none, by what it is called.
    """
    if not scores.is_file():
        return {}
    table = of_images(scores)
    task = plugins.load("tasks", "ambiguity").TASK
    keys = [(entry.split, str(entry.index)) for entry in entries]

    def values(of: str, metric: str, measure: str) -> np.ndarray:
        mine = (table["task"] == of) & (table["metric"] == metric) & (table["measure"] == measure)
        found = table[mine].set_index(["split", "image"])["score"]
        return found.reindex(pd.MultiIndex.from_tuples(keys)).to_numpy(float)

    correct = values("ambiguity", task.metric, task.correct)
    wrong = values("ambiguity", task.metric, task.wrong[0])
    return {
        f"NCC of {task.correct}": correct,
        "Δ of ambiguity": delta(correct, wrong, task.higher_is_better),
        "Dice": values("segmentation", "dice", ""),
    }
