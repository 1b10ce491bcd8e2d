"""GED against AU NCC."""

import pandas as pd
import pytest

from segue.errors import InputError
from segue.keys import REPLICATE
from segue.report.figures.ged_ncc import compose

COLUMNS = [*REPLICATE, "split", "metric"]
TASKS = {"ged": "segmentation", "ged_bma": "segmentation"}


def _write(folder, rows, others=()):
    """Write scores.csv: (split, metric, measure, aggregation, score) of one cell.

    GEDs are of segmentation and all else of ambiguity; ``others`` end in a task of their own.
    """
    rows = [*((*row, TASKS.get(row[1], "ambiguity")) for row in rows), *others]
    table = pd.DataFrame(
        [("lung", "ssn", "none", 0, *row) for row in rows],
        columns=[*COLUMNS, "measure", "aggregation", "score", "task"],
    )
    table.to_csv(folder / "scores.csv", index=False)
    return folder


def test_ood_is_the_mean_over_the_shifted_splits_of_dice_ged_and_au_ncc(tmp_path):
    rows = [
        ("val", "ged", "", "dice", 9.0),
        ("id", "ged", "", "dice", 0.1),
        ("id", "ged", "", "iou", 9.0),
        ("id", "ged_bma", "", "dice", 9.0),
        ("ood_blur", "ged", "", "dice", 0.2),
        ("ood_noise", "ged", "", "dice", 0.4),
        ("val", "ncc", "AU", "", 9.0),
        ("id", "ncc", "AU", "", 0.8),
        ("id", "ncc", "EU", "", 9.0),
        ("id", "ncc_entropy", "AU", "", 9.0),
        ("ood_blur", "ncc", "AU", "", 0.5),
        ("ood_noise", "ncc", "AU", "", 0.7),
    ]
    others = [
        ("id", "ncc", "AU", "", 9.0, "truth_aleatoric"),
        ("id", "ncc", "AU", "draws=1", 9.0, "leakage"),
        ("ood_blur", "ncc", "AU", "all", 9.0, "leakage"),
    ]
    places = {}
    for ax in compose(_write(tmp_path, rows, others)).axes:
        (marker,) = (line for line in ax.lines if line.get_label() == "ssn × none")
        places[ax.get_title()] = (*marker.get_xdata(), *marker.get_ydata())
    assert list(places) == ["In distribution", "Out of distribution"]
    assert places["In distribution"] == pytest.approx((0.1, 0.8))
    assert places["Out of distribution"] == pytest.approx((0.3, 0.6))


def test_a_study_without_ged_is_told_so(tmp_path):
    with pytest.raises(InputError, match=r"scores\.csv: no row of the metric ged"):
        compose(_write(tmp_path, [("id", "ncc", "AU", "", 0.8)]))


def test_without_a_single_ncc_there_is_a_figure_that_says_so(tmp_path):
    rows = [("id", "ged", "", "dice", 0.1), ("id", "ncc", "AU", "", None)]
    figure = compose(_write(tmp_path, rows))
    assert [text.get_text() for text in figure.texts] == ["No cell has both a GED and an NCC."]
