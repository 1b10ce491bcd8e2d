"""The end of `segue score`: a small table and a figure of Δ, or why there is none."""

import pandas as pd
import pytest

from segue.report import summary

HEAD = "dataset,task,split,correct,wrong,delta,low,high,reason\n"
ROWS = (
    "squares,ood,ood,0.75,0.5,0.2513,-0.1,0.5,\n"
    "squares,ambiguity,id,0.3,,,,,one rater\n"
    "squares,calibration,ood,0.125,0.25,0.41,,,\n"
    "squares,mine,id,,,,,,there is no val\n"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deltas.csv").write_text(HEAD + ROWS)
    return tmp_path


def test_each_task_and_region_has_a_line(folder):
    text = summary.write(folder)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert cells[0] == ["task", "split", "U_c", "U_w", "Δ"]
    assert cells[2:] == [
        ["OOD detection", "ood", "0.750", "0.500", "0.25 [-0.10, 0.50]"],
        ["Ambiguity", "id", "0.300", "–", "– (one rater)"],
        ["Calibration", "ood", "0.125", "0.250", "0.41 (no interval)"],
        ["mine", "id", "–", "–", "– (there is no val)"],
    ]
    written = (folder / "summary.md").read_text(encoding="utf-8")
    assert written.startswith("# squares\n")
    assert written.endswith(f"{text}\n")


def test_the_figure_shows_each_delta_its_interval_and_each_reason(folder):
    rows = pd.read_csv(folder / "deltas.csv", keep_default_na=False, na_values={"reason": []})
    numbers = ["correct", "wrong", "delta", "low", "high"]
    rows[numbers] = rows[numbers].apply(pd.to_numeric, errors="coerce")
    (ax,) = summary.compose(rows).axes
    lines = {tuple(line.get_ydata()): tuple(line.get_xdata()) for line in ax.lines}
    assert lines[(0, 0)] == (-0.1, 0.5)
    assert lines[(0,)] == (0.2513,)
    assert lines[(2,)] == (0.41,)
    assert {text.get_text() for text in ax.texts} == {"no Δ: one rater", "no Δ: there is no val"}
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["OOD detection, ood", "Ambiguity, id", "Calibration, ood", "mine, id"]


def test_all_files_are_written(folder):
    summary.write(folder)
    assert (folder / "summary.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / "summary.svg").read_text()
    assert (folder / "summary.pdf").read_bytes().startswith(b"%PDF")


def test_a_long_reason_stays_in_the_figure(folder):
    rows = pd.DataFrame({"task": ["ood"], "split": ["ood"], "reason": ["no " + "such image " * 7]})
    figure = summary.compose(rows.assign(delta=None, low=None, high=None).astype({"delta": float}))
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert -0.01 <= box.x0 < box.x1 <= figure.get_figwidth() + 0.01
