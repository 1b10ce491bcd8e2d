"""Whether draws are alive, and as diverse as raters."""

import numpy as np
import pandas as pd

from segue.keys import MEANS
from segue.report.health import COLUMNS, failing, health


def _means(cells):
    """Scores of cells: (aleatoric, epistemic, replicate) -> information, draws, raters."""
    metrics = ("draw_information", "diversity", "diversity_raters")
    rows = [
        {
            **dict(zip(("aleatoric", "epistemic", "replicate"), cell, strict=True)),
            "metric": metric,
            "aggregation": "" if metric == "draw_information" else "dice",
            "score": value,
            "split": split,
        }
        for cell, values in cells.items()
        for metric, value in zip(metrics, values, strict=True)
        for split in ("id", "ood_x")
    ]
    table = pd.DataFrame(rows).assign(dataset="lung", task="segmentation", variant="corrected")
    table.loc[table["split"] == "ood_x", "score"] = 0  # which does not count
    return table.reindex(columns=list(MEANS))


CELLS = {
    ("ssn", "swag", 0): (0.2, 0.42, 0.42),
    ("ssn", "swag", 1): (0.2, 0.63, 0.42),
    ("prob_unet", "none", 0): (0.019, 0.3, 0.42),
    ("prob_unet", "none", 1): (0.02, 0.21, 0.42),
    ("prob_unet", "swag", 0): (0.001, 0.02, 0.4),
    ("diffusion", "none", 0): (0.2, 0.7, 0.4),
    ("softmax", "none", 0): (np.nan, np.nan, 0.42),
    ("ssn", "none", 0): (0.2, 0.1, 0.0),
}


def test_draws_that_are_alike_or_of_another_diversity_fail_and_say_why():
    found = health(_means(CELLS))
    assert tuple(found.columns) == COLUMNS
    assert found["ok"].tolist() == ["yes", "yes", "no", "yes", "no", "no", "", ""]
    assert found["reason"].tolist() == [
        "",
        "",
        "draws are alike: MI/TU 0.019 < 0.02",
        "",
        "draws are alike: MI/TU 0.001 < 0.02; draws differ less than raters: ratio 0.05 < 0.5",
        "draws differ more than raters: ratio 1.75 > 1.5",
        "",
        "",
    ]
    np.testing.assert_allclose(found["ratio"][:6], [1, 1.5, 0.3 / 0.42, 0.5, 0.05, 1.75])
    assert found["ratio"][6:].isna().all()


def test_a_cell_that_fails_in_one_replicate_is_marked():
    marked = failing(health(_means(CELLS)))
    assert marked == {
        ("lung", "none", "prob_unet"),
        ("lung", "swag", "prob_unet"),
        ("lung", "none", "diffusion"),
    }


def test_where_diversity_was_not_scored_there_is_no_row():
    found = health(_means(CELLS).iloc[:0])
    assert found.empty
    assert failing(found) == set()
