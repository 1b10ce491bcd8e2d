import numpy as np
import pandas as pd
import pytest

from segue.report.layout import Grid, latex, markdown

CELLS = [
    (dataset, aleatoric, epistemic, replicate)
    for dataset in ("lung", "eye")
    for aleatoric in ("softmax", "prob_unet")
    for epistemic in ("none", "swag_diag", "ensemble")
    if (aleatoric, epistemic) != ("softmax", "none")
    for replicate in (0, 1)
]
GRID = Grid.of(CELLS, ["softmax-none"], {"lung": "simulated CT"})


@pytest.fixture
def long():
    pairs = list(dict.fromkeys(cell[:3] for cell in CELLS))
    rows = [(d, e, a, i + 1.25, 0.96, 2) for i, (d, a, e) in enumerate(pairs)]
    columns = ["dataset", "epistemic", "aleatoric", "mean_rank", "ci95_halfwidth", "n"]
    return pd.DataFrame(rows, columns=columns)


def test_the_grid_has_the_order_of_the_cells_though_one_is_not_applicable():
    assert GRID.datasets == ["lung", "eye"]
    assert GRID.aleatoric == ["softmax", "prob_unet"]
    assert GRID.epistemic == ["none", "swag_diag", "ensemble"]


def test_the_grid_is_the_same_whichever_name_varies_first():
    cells = sorted(CELLS, key=lambda c: (GRID.epistemic.index(c[2]), GRID.aleatoric.index(c[1])))
    grid = Grid.of(cells, [], {})
    assert (grid.aleatoric, grid.epistemic) == (GRID.aleatoric, GRID.epistemic)


def test_rows_are_sorted_by_the_grid(long):
    shuffled = long.sample(frac=1, random_state=0)
    found = GRID.sort(shuffled)
    assert list(found["dataset"]) == ["lung"] * 5 + ["eye"] * 5
    assert list(found["epistemic"][:5]) == ["none", "swag_diag", "swag_diag", *["ensemble"] * 2]
    assert list(found["aleatoric"][1:3]) == ["softmax", "prob_unet"]


def test_markdown_has_a_table_for_each_dataset_with_na_and_caption(long):
    text = markdown(long, GRID, "Ranks")
    expected = (
        "## lung (simulated CT)\n\n"
        "|           | softmax   | prob_unet   |\n"
        "|:----------|:----------|:------------|\n"
        "| none      | N/A       | 3.2 ± 1.0   |\n"
        "| swag_diag | 1.2 ± 1.0 | 4.2 ± 1.0   |\n"
        "| ensemble  | 2.2 ± 1.0 | 5.2 ± 1.0   |\n"
    )
    assert expected in text
    assert "## eye\n" in text
    assert text.startswith("# Ranks\n\nMean ± half-width of the 95 % confidence interval, over 2 ")


def test_without_an_interval_only_the_mean_is_printed(long):
    alone = long.assign(ci95_halfwidth=np.nan, n=1)
    assert "| swag_diag | 1.2       | 4.2         |" in markdown(alone, GRID, "Ranks")


def test_latex_escapes_names_and_sets_datasets_side_by_side(long):
    text = latex(long, GRID, "Ranks of Δ, a_b")
    assert (
        r"\caption{Ranks of $\Delta$, a\_b. Mean $\pm$ half-width of the 95 \% confidence" in text
    )
    assert r"\multicolumn{2}{c}{lung (simulated CT)} & \multicolumn{2}{c}{eye} \\" in text
    assert r" & softmax & prob\_unet & softmax & prob\_unet \\" in text
    assert r"none & N/A & 3.2 $\pm$ 1.0 & N/A & 8.2 $\pm$ 1.0 \\" in text
    assert text.isascii()


def test_a_cell_that_is_neither_there_nor_na_is_blank(long):
    text = markdown(long.iloc[1:], GRID, "Ranks")
    assert "| swag_diag |           | 4.2 ± 1.0   |" in text


def test_a_cell_without_a_rank_is_a_dash_and_a_note_says_why():
    long = pd.DataFrame(
        [("lung", "swag", "ssn", np.nan, np.nan, 0), ("lung", "none", "ssn", 1.0, 0.5, 2)],
        columns=["dataset", "epistemic", "aleatoric", "mean_rank", "ci95_halfwidth", "n"],
    )
    grid = Grid.of([("lung", "ssn", "none", 0), ("lung", "ssn", "swag", 0)], [], {})
    assert grid.wide(long)["lung"]["ssn"].tolist() == ["1.0 ± 0.5", "–"]
    notes = ["No Δ for ssn × swag: a_reason."]
    assert "A dash: no rank." in markdown(long, grid, "Δ", notes)
    assert notes[0] in markdown(long, grid, "Δ", notes)
    assert r"No $\Delta$ for ssn $\times$ swag: a\_reason." in latex(long, grid, "Δ", notes)
    assert "dash" not in markdown(long[1:], grid, "Δ")
