import numpy as np
import pandas as pd
import pytest

from segue.report.layout import Grid, latex, markdown
from segue.report.names import PLAIN, Names

CELLS = [
    (dataset, aleatoric, epistemic, replicate)
    for dataset in ("lung", "eye")
    for aleatoric in ("softmax", "prob_unet")
    for epistemic in ("none", "swag_diag", "ensemble")
    if (aleatoric, epistemic) != ("softmax", "none")
    for replicate in (0, 1)
]
GRID = Grid.of(CELLS, ["softmax-none"], Names(captions={"lung": "simulated CT"}))


@pytest.fixture
def long():
    pairs = list(dict.fromkeys(cell[:3] for cell in CELLS))
    rows = [(d, e, a, i + 1.25, i + 0.25, i + 2.0, 3) for i, (d, a, e) in enumerate(pairs)]
    columns = ["dataset", "epistemic", "aleatoric", "mean_rank", "low", "high", "n"]
    return pd.DataFrame(rows, columns=columns)


def test_the_grid_has_the_order_of_the_cells_though_one_is_not_applicable():
    assert GRID.datasets == ["lung", "eye"]
    assert GRID.aleatoric == ["softmax", "prob_unet"]
    assert GRID.epistemic == ["none", "swag_diag", "ensemble"]


def test_the_grid_is_the_same_whichever_name_varies_first():
    cells = sorted(CELLS, key=lambda c: (GRID.epistemic.index(c[2]), GRID.aleatoric.index(c[1])))
    grid = Grid.of(cells, [], PLAIN)
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
        "|           | softmax        | prob_unet      |\n"
        "|:----------|:---------------|:---------------|\n"
        "| none      | N/A            | 3.2 [2.2, 4.0] |\n"
        "| swag_diag | 1.2 [0.2, 2.0] | 4.2 [3.2, 5.0] |\n"
        "| ensemble  | 2.2 [1.2, 3.0] | 5.2 [4.2, 6.0] |\n"
    )
    assert expected in text
    assert "## eye\n" in text
    assert text.startswith("# Ranks\n\nMean rank over 3 replicates, its 95 % interval over other ")


def test_without_an_interval_only_the_mean_is_printed(long):
    alone = long.assign(low=np.nan, high=np.nan, n=1)
    assert "| swag_diag | 1.2       | 4.2         |" in markdown(alone, GRID, "Ranks")


def test_latex_escapes_names_and_sets_datasets_side_by_side(long):
    text = latex(long, GRID, "Ranks of Δ, a_b")
    assert (
        r"\caption{Ranks of $\Delta$, a\_b. Mean rank over 3 replicates, its 95 \% interval over"
        in text
    )
    assert r"\multicolumn{2}{c}{lung (simulated CT)} & \multicolumn{2}{c}{eye} \\" in text
    assert r" & softmax & prob\_unet & softmax & prob\_unet \\" in text
    assert r"none & N/A & 3.2 [2.2, 4.0] & N/A & 8.2 [7.2, 9.0] \\" in text
    assert text.isascii()


def test_labels_are_printed_and_tex_reads_them_as_they_are(long):
    names = Names(
        captions={"lung": "simulated CT"},
        datasets={"lung": "LIDC_{a}"},
        aleatoric={"softmax": "U-Net", "prob_unet": "PU-Net|z"},
        epistemic={"swag_diag": r"SWAG $\sigma$ ~5^2"},
    )
    grid = Grid.of(CELLS, ["softmax-none"], names)
    text = markdown(long, grid, "Ranks")
    assert "## LIDC_{a} (simulated CT)\n\n|" in text
    assert r"| U-Net          | PU-Net\|z      |" in text
    assert r"| SWAG $\sigma$ ~5^2 | 1.2 [0.2, 2.0] | 4.2 [3.2, 5.0] |" in text
    text = latex(long, grid, "Ranks")
    assert r"\multicolumn{2}{c}{LIDC\_\{a\} (simulated CT)} & \multicolumn{2}{c}{eye} \\" in text
    assert r" & U-Net & PU-Net|z & U-Net & PU-Net|z \\" in text
    tex = r"SWAG \$\textbackslash{}sigma\$ \textasciitilde{}5\textasciicircum{}2"
    assert f"{tex} & 1.2 [0.2, 2.0] & 4.2 [3.2, 5.0] & " in text


def test_a_cell_that_is_neither_there_nor_na_is_blank(long):
    text = markdown(long.iloc[1:], GRID, "Ranks")
    assert "| swag_diag |                | 4.2 [3.2, 5.0] |" in text


def test_a_cell_without_a_rank_is_a_dash_and_a_note_says_why():
    long = pd.DataFrame(
        [
            ("lung", "swag", "ssn", np.nan, np.nan, np.nan, 0),
            ("lung", "none", "ssn", 1.0, 0.5, 2.0, 2),
        ],
        columns=["dataset", "epistemic", "aleatoric", "mean_rank", "low", "high", "n"],
    )
    grid = Grid.of([("lung", "ssn", "none", 0), ("lung", "ssn", "swag", 0)], [], PLAIN)
    assert grid.wide(long)["lung"]["ssn"].tolist() == ["1.0 [0.5, 2.0]", "–"]
    notes = ["No Δ for ssn × swag: a_reason."]
    assert "A dash: no rank." in markdown(long, grid, "Δ", notes)
    assert notes[0] in markdown(long, grid, "Δ", notes)
    assert r"No $\Delta$ for ssn $\times$ swag: a\_reason." in latex(long, grid, "Δ", notes)
    assert "dash" not in markdown(long[1:], grid, "Δ")


def test_marked_cells_have_a_dagger(long):
    marked = {("lung", "swag_diag", "prob_unet")}
    assert "| 4.2 [3.2, 5.0] † |" in markdown(long, GRID, "Ranks", marked=marked)
    text = latex(long, GRID, "Ranks", marked=marked)
    assert r"4.2 [3.2, 5.0] $\dagger$" in text
    assert text.isascii()


def test_cells_of_few_replicates_are_explained_beside_those_of_many(long):
    text = markdown(long.assign(n=[3] * 9 + [2]), GRID, "Ranks")
    assert "see docs/tables.md); or over 2 replicates, their range in brackets" in text
