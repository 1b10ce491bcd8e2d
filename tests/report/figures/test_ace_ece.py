"""ACE against ECE."""

import pandas as pd
import pytest

from segue.errors import InputError
from segue.report.figures.ace_ece import compose


def test_it_is_of_total_uncertainty_and_the_aggregation_that_ranks(write_tables):
    tables = write_tables(replicates=2)
    rows = pd.read_csv(tables / "intervals.csv", keep_default_na=False)
    rows = rows[(rows["aleatoric"] == "ssn") & (rows["epistemic"] == "none")]
    rows = rows[(rows["split"] == "id") & (rows["measure"] == "TU")]
    means = rows[rows["task"] == "calibration"].groupby("metric")["value"].mean()
    ax = compose(tables).axes[0]
    (marker,) = (line for line in ax.lines if line.get_label() == "ssn × none")
    assert marker.get_xydata()[0] == pytest.approx([means["ece"], means["ace"]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("TU ECE ↓", "TU ACE ↓")
    with pytest.raises(InputError, match=r"no row of the metric ece \(aggregation image\)"):
        compose(tables, tasks={"calibration": "image"})


def test_the_line_of_equal_errors_widens_no_panel(write_tables):
    tables = write_tables()
    path = tables / "intervals.csv"
    table = pd.read_csv(path, keep_default_na=False)
    table.loc[table["metric"] == "ece", ["value", "low", "high"]] /= 100
    table.to_csv(path, index=False)
    for ax in compose(tables).axes:
        assert ax.get_xlim()[1] < 0.1 < ax.get_ylim()[1]
