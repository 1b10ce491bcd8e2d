from pathlib import Path

import pandas as pd
import pytest

from segue.errors import InputError
from segue.evaluation.score import intervals_beside
from segue.keys import INTERVAL_ROW, MEANS, REPLICATE, SCORE, SCORE_ROW
from segue.report.score_files import read_intervals, read_means, with_images

CELLS = [("lung", "ssn", "none", 0), ("lung", "ssn", "none", 1), ("lung", "ssn", "swag", 0)]


def _file(folder: Path, cell, images=4, drop=(), value=0.5, reason="") -> Path:
    dataset, aleatoric, epistemic, replicate = cell
    rows = []
    for metric, measure, count in (("ncc", "AU", images), ("dice", "", images), ("auroc", "EU", 0)):
        for image in range(count) if count else ["all"]:
            score = value + (image if count else 0)
            head = ("quick", "task", metric, "corrected", dataset, "id", aleatoric, epistemic)
            rows.append((*head, replicate, measure, "", image, f"name {image}", score))
    path = folder / f"{dataset}-{aleatoric}-{epistemic}-{replicate}.csv"
    table = pd.DataFrame(rows, columns=SCORE_ROW)
    table = table[~table["metric"].isin(drop)]
    table.to_csv(path, index=False)
    scores = table.drop_duplicates([*REPLICATE, *SCORE])
    of = {"images": images, "reason": reason}
    limits = scores.assign(value=scores["score"], low=0.0, high=1.0, **of)[[*INTERVAL_ROW]]
    limits.to_csv(intervals_beside(path), index=False)
    return path


@pytest.fixture
def files(tmp_path):
    return [_file(tmp_path, cell, value=i) for i, cell in enumerate(CELLS)]


def test_scores_of_images_are_averaged_and_others_kept(files):
    means = read_means(files, CELLS).set_index(["epistemic", "replicate", "metric"])["score"]
    assert means["none", 1, "ncc"] == 1 + (0 + 1 + 2 + 3) / 4
    assert means["none", 1, "auroc"] == 1


def test_rows_come_in_the_order_of_the_cells(files):
    cells = [CELLS[2], CELLS[0], CELLS[1]]
    means = read_means(files, cells)
    keys = list(REPLICATE)
    assert list(dict.fromkeys(means[keys].itertuples(index=False, name=None))) == cells
    assert means["metric"].tolist() == ["ncc", "dice", "auroc"] * 3


def test_a_method_may_be_called_none_or_na(tmp_path):
    cell = ("NA", "null", "nan", 0)
    means = read_means([_file(tmp_path, cell)], [cell])
    assert means.loc[0, ["dataset", "aleatoric", "epistemic"]].tolist() == ["NA", "null", "nan"]
    assert set(means["measure"]) == {"AU", "", "EU"}


def test_a_missing_cell_stops_it_by_name(files):
    with pytest.raises(InputError, match="lung/ssn-swag/rep0: no scores"):
        read_means(files[:2], CELLS)


def test_a_missing_file_stops_it_by_name(files):
    files[1].unlink()
    with pytest.raises(InputError, match=r"lung-ssn-none-1\.csv: no such file"):
        read_means(files, CELLS)


def test_a_cell_that_is_not_asked_for_stops_it_by_name(files):
    with pytest.raises(
        InputError, match=r"lung-ssn-swag-0\.csv: has rows of lung/ssn-swag/rep0, which is not"
    ):
        read_means(files, CELLS[:2])


def test_a_cell_scored_twice_stops_it_by_name(files):
    with pytest.raises(InputError, match="lung/ssn-none/rep0: two files"):
        read_means([*files, files[0]], CELLS)


@pytest.mark.parametrize(
    "change", [{"images": 3}, {"drop": ["dice"]}, {"drop": ["auroc"]}], ids=str
)
def test_an_unfinished_cell_stops_it_by_name(files, tmp_path, change):
    _file(tmp_path, CELLS[1], **change)
    with pytest.raises(InputError, match="lung/ssn-none/rep1: unfinished: "):
        read_means(files, CELLS)


def _change(file, line, content):
    lines = file.read_text().splitlines()
    lines[line] = lines[line].rsplit(",", 1)[0] + f",{content}"
    file.write_text("\n".join(lines))


def test_an_infinite_score_stops_it_by_name(files):
    _change(files[2], 2, "inf")
    with pytest.raises(InputError, match=r"lung/ssn-swag/rep0: ncc of id, image 1, is inf"):
        read_means(files, CELLS)


@pytest.mark.parametrize("content", ["nan", ""])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        (2, "ncc of id .* is not of as many images as the file of intervals says"),
        (-1, "auroc of id .* is no number, and no reason is given"),
    ],
)
def test_a_score_that_is_no_number_and_not_accounted_for_stops_it_by_name(
    files, content, line, message
):
    _change(files[2], line, content)
    means = read_means(files, CELLS)
    with pytest.raises(InputError, match=f"lung/ssn-swag/rep0: unfinished: {message}"):
        read_intervals(files, CELLS, means)


def test_an_undefined_score_is_left_out_of_the_mean_and_counted(tmp_path):
    path = _file(tmp_path, CELLS[0], images=2, value=1)
    _change(path, 1, "")
    limits = pd.read_csv(intervals_beside(path), keep_default_na=False)
    limits.loc[limits["metric"] == "ncc", "images"] = 1
    limits.to_csv(intervals_beside(path), index=False)
    means = read_means([path], CELLS[:1])
    whole = with_images(means, read_intervals([path], CELLS[:1], means))
    assert tuple(whole.columns) == MEANS
    found = whole.set_index("metric")[["score", "images"]]
    assert found.loc["ncc"].tolist() == [1 + 1, 1]
    assert found.loc["dice"].tolist() == [1 + 1 / 2, 2]
    assert found.loc["auroc"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: "", id="empty"),
        pytest.param(lambda text: text.splitlines()[0] + "\n", id="only a header"),
        pytest.param(lambda text: text[: len(text) // 2 - 25], id="cut within a row"),
        pytest.param(lambda text: text.replace("aggregation,", "", 1), id="a column too few"),
        pytest.param(lambda text: text.replace(",0.5", ",half"), id="words for numbers"),
    ],
)
def test_a_damaged_file_stops_it_by_name(files, damage, tmp_path):
    _file(tmp_path, CELLS[0])
    files[0].write_text(damage(files[0].read_text()))
    with pytest.raises(InputError, match=r"lung[-/]ssn-none[-/](rep)?0"):
        read_means(files, CELLS)


def test_a_score_without_its_interval_stops_it_by_name(files):
    means = read_means(files, CELLS)
    path = intervals_beside(files[1])
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    with pytest.raises(InputError, match=r"rep\d: unfinished: .* has no interval; score this cell"):
        read_intervals(files, CELLS, means)


@pytest.mark.parametrize(
    ("how", "fine"), [("draws=5", True), ("hypotheses=3", True), ("all", False)]
)
def test_cells_of_fewer_draws_than_others_are_whole_but_need_the_score_of_all(
    tmp_path, files, how, fine
):
    more = pd.read_csv(files[0], keep_default_na=False)
    more = more[more["metric"] == "ncc"].assign(task="leakage", metric="mean", aggregation=how)
    more.to_csv(files[0], mode="a", header=False, index=False)
    if fine:
        means = read_means(files, CELLS)
        assert means.loc[means["task"] == "leakage", "aggregation"].tolist() == [how]
    else:
        with pytest.raises(InputError, match="lung/ssn-none/rep1: unfinished: mean of id"):
            read_means(files, CELLS)
