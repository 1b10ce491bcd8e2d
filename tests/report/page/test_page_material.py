"""What a page is made of."""

import shutil

import pandas as pd
import pytest
from conftest import CELLS

from segue.errors import InputError
from segue.report.page.material import read


def test_a_study_has_its_cells_variants_and_datasets_in_their_order(study):
    found = read(study)
    assert found.name == "toy"
    assert found.datasets == ["discs"]
    assert list(found.variants) == ["corrected", "jackknife"]
    assert [tuple(cell) for cell in found.cells] == [
        ("discs", aleatoric, epistemic, replicate)
        for aleatoric, epistemic in CELLS
        for replicate in range(3)
    ]
    ranks = found.table("mean_ranks", "mean_rank")
    assert set(ranks["variant"]) == {"corrected", "jackknife"}
    assert set(ranks["cell"]) == {f"{a} × {e}" for a, e in CELLS}


def test_a_table_that_is_not_there_has_no_rows(study):
    assert read(study).table("axes", "axis").empty


def test_a_folder_of_neither_kind_says_what_is_missing(tmp_path):
    with pytest.raises(InputError, match=r"neither tables/mean_ranks\.csv nor deltas\.csv"):
        read(tmp_path)


def test_names_are_names_whatever_they_are(study, tmp_path):
    shutil.copytree(study / "tables", tmp_path / "tables")
    for path in tmp_path.glob("tables/*.csv"):
        path.write_text(path.read_text().replace("ssn", "NA"))
    assert set(read(tmp_path).table("deltas", "cell")["cell"]) == {
        "softmax × ensemble",
        "NA × none",
        "NA × ensemble",
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deltas", "dataset,delta\ndiscs,high\n"),
        ("deltas", b"\xff\xfe\x00"),
        ("leakage", "dataset,cell\ndiscs\ndiscs,a,b,c\n"),
    ],
)
def test_a_damaged_table_is_named(study, tmp_path, name, content):
    shutil.copytree(study / "tables", tmp_path / "tables")
    content = content if isinstance(content, bytes) else content.encode()
    (tmp_path / f"tables/{name}.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}\.csv: .*make the tables again"):
        read(tmp_path)


def test_a_lost_column_is_named(study, tmp_path):
    shutil.copytree(study / "tables", tmp_path / "tables")
    path = tmp_path / "tables/conclusions.csv"
    pd.read_csv(path).drop(columns="chance").to_csv(path, index=False)
    with pytest.raises(InputError, match="table conclusions: expected a column 'chance'"):
        read(tmp_path).table("conclusions", "chance")
