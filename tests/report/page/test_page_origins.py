"""Charts of where entanglement comes from: which rows of the tables they show."""

from pathlib import Path

import pandas as pd

from segue.report.page import charts
from segue.report.page.material import Material
from segue.report.page.origins import sweep


def test_a_jackknife_of_one_draw_is_not_shown_for_it_is_the_plugin():
    rows = [
        (aleatoric, estimator, over, number, 0.1 / (1 + number))
        for aleatoric, numbers in (("ssn", (1, 2, 5)), ("softmax", (1,)))
        for estimator in ("plugin", "jackknife")
        for over, each in (("draws", numbers), ("hypotheses", (2, 3)))
        for number in each
    ]
    columns = ["aleatoric", "estimator", "over", "number", "eu"]
    table = pd.DataFrame(rows, columns=columns).assign(dataset="lung", epistemic="swag")
    table["cell"] = table["aleatoric"] + " × swag"
    cells = [["lung", name, "swag", 0] for name in ("softmax", "ssn")]
    material = Material(Path("lung"), "lung", ["corrected"], cells, {}, {"sweep": table})
    look = charts.looks(["swag"], ["softmax", "ssn"])
    found = {
        chart.id: [(row["aleatoric"], row["number"]) for row in chart.spec["data"]["values"]]
        for chart in sweep(material, look)
    }
    assert found["sweep-draws-plugin"] == [("ssn", 1), ("ssn", 2), ("ssn", 5)]
    assert found["sweep-draws-jackknife"] == [("ssn", 2), ("ssn", 5)]
    every = [("ssn", 2), ("ssn", 3), ("softmax", 2), ("softmax", 3)]
    assert found["sweep-hypotheses-plugin"] == found["sweep-hypotheses-jackknife"] == every
