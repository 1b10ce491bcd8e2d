"""GED against AU NCC."""

import pandas as pd
import pytest

from segue.errors import InputError
from segue.keys import REPLICATE
from segue.report.figures.ged_ncc import compose

COLUMNS = [*REPLICATE, "split", "metric"]
TASKS = {"ged": "segmentation", "ged_bma": "segmentation"}


def _write(folder, rows, others=()):
    """Write intervals.csv: (split, metric, measure, aggregation, value) of one cell, ± 0.01.

    GEDs are of segmentation and all else of ambiguity; ``others`` end in a task of their own.
    """
    rows = [*((*row, TASKS.get(row[1], "ambiguity")) for row in rows), *others]
    table = pd.DataFrame(
        [("lung", "ssn", "none", 0, *row) for row in rows],
        columns=[*COLUMNS, "measure", "aggregation", "value", "task"],
    )
    table["value"] = table["value"].astype(float)
    table = table.assign(low=table["value"] - 0.01, high=table["value"] + 0.01)
    table.to_csv(folder / "intervals.csv", index=False)
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
    places, bars = {}, {}
    for ax in compose(_write(tmp_path, rows, others)).axes:
        (marker,) = (line for line in ax.lines if line.get_label() == "ssn × none")
        places[ax.get_title()] = (*marker.get_xdata(), *marker.get_ydata())
        across, up = (line for line in ax.lines if line.get_label() == "interval")
        bars[ax.get_title()] = (*across.get_xdata(), *up.get_ydata())
    assert list(places) == ["In distribution", "Out of distribution"]
    assert places["In distribution"] == pytest.approx((0.1, 0.8))
    assert places["Out of distribution"] == pytest.approx((0.3, 0.6))
    assert bars["In distribution"] == pytest.approx((0.09, 0.11, 0.79, 0.81))
    assert bars["Out of distribution"] == pytest.approx((0.29, 0.31, 0.59, 0.61))


def test_a_study_without_ged_is_told_so(tmp_path):
    with pytest.raises(InputError, match=r"intervals\.csv: no row of the metric ged"):
        compose(_write(tmp_path, [("id", "ncc", "AU", "", 0.8)]))


def test_without_a_pair_there_is_a_figure_that_says_so(tmp_path):
    rows = [("id", "ged", "", "dice", 0.1), ("ood_blur", "ncc", "AU", "", 0.5)]
    figure = compose(_write(tmp_path, rows))
    assert [text.get_text() for text in figure.texts] == ["No cell has both scores."]
