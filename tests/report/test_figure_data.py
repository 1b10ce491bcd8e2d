"""Reading the tables."""

import pytest

from segue.errors import InputError
from segue.report.figure_data import read_table


def test_names_that_look_like_missing_values_are_names(tmp_path):
    (tmp_path / "t.csv").write_text("method,note,score\nnone,,1\nNA,None,\n007,nan,2\n")
    table = read_table(tmp_path, "t", ("method", "note"), ("score",))
    assert list(table["method"]) == ["none", "NA", "007"]
    assert list(table["note"]) == ["", "None", "nan"]
    assert table["score"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"t\.csv: no such file"),
        ("method,note\nssn,\n", r"t\.csv: column 'score' expected, found only method, note"),
        ("method,score\n", r"t\.csv: the table has no rows"),
    ],
)
def test_a_table_that_cannot_be_drawn_is_named(text, message, tmp_path):
    if text is not None:
        (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_table(tmp_path, "t", ("method",), ("score",))
