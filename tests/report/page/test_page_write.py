"""The page as a file: whole, the same each time, and of what there is."""

import base64
import gzip
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from handmade import SPLITS, random_split

from segue import cli
from segue.evaluation.output import new_folder
from segue.report.page import about, frame
from segue.report.page.material import read
from segue.report.page.write import render, write

SECTIONS = re.compile(r'<section id="(\w+)"')


def data_of(page: str) -> dict:
    return json.loads(re.search(r'id="json">(.*?)</script>', page, re.S)[1])


@pytest.fixture(scope="module")
def page(study) -> str:
    return render(read(study), {"study": "toy", "seed": 7})


@pytest.fixture
def copy(study, tmp_path) -> Path:
    """A copy of the study to take parts of away."""
    return shutil.copytree(study, tmp_path / "toy", ignore=shutil.ignore_patterns("work"))


def test_it_has_all_parts_in_the_order_of_reading(page):
    assert SECTIONS.findall(page) == [
        *("found", "maps", "scatter", "ranks", "leakage", "conclusions", "images", "data"),
        *("tables", "times", "provenance"),
    ]


def test_every_link_within_it_leads_somewhere(page):
    targets = {each for each in re.findall(r'href="#([\w-]+)"', page)}
    assert targets <= set(re.findall(r'id="([\w-]+)"', page))


def test_no_two_things_have_one_name(page):
    names = re.findall(r' id="([\w-]+)"', re.sub(r"<script>.*?</script>", "", page, flags=re.S))
    assert len(names) == len(set(names))


def test_a_picture_of_a_card_is_in_the_page_and_any_other_is_said(copy):
    shutil.rmtree(copy / "maps")  # which take the time
    png = b"\x89PNG\r\n\x1a\n"
    (copy / "cards/discs.png").write_bytes(png)
    text = "![own](discs.png) ![far](https://example.org/x.png) ![up](../../x.png)"
    (copy / "cards/discs.md").write_text(text)
    page = render(read(copy))
    assert base64.b64encode(png).decode() in page
    assert "example.org" not in page
    assert "> far up<" in page


def test_the_same_results_are_the_same_bytes(study, page, tmp_path):
    write(tmp_path / "report.html", study=str(study), config={"study": "toy", "seed": 7})
    assert (tmp_path / "report.html").read_text() == page


def test_it_names_nothing_that_would_be_asked_of_a_host(page):
    without = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert not re.search(r'(?:src|href)="(?!#|data:|tables/)', without)
    assert "default-src 'none'" in page


def test_tables_are_the_files_that_they_are_of(study, page):
    for name, packed in data_of(page)["tables"].items():
        if name != "provenance":
            expected = (study / f"tables/{name}.csv").read_bytes()
            assert gzip.decompress(base64.b64decode(packed)) == expected


def test_what_others_wrote_cannot_be_run(page):
    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert frame.as_json(["</script><!--"]) == '["\\u003c/script>\\u003c!--"]'
    assert "</script" not in frame.as_script("'</script>'")


def test_times_and_provenance_are_those_on_record(page):
    assert re.search(r"<td>train</td><td>2</td><td>5</td><td>7.5</td><td>10</td><td>300</td>", page)
    assert "c0ffee" in page
    assert "seed: 7" in page


def test_it_says_how_far_to_trust_intervals_over_so_many_replicates(study, page):
    three = read(study)
    assert about.trust(three) in page
    assert "84 % of five" in about.trust(three)
    two = replace(three, cells=[cell for cell in three.cells if cell[-1] < 2])
    assert about.trust(two).startswith("Fewer than three replicates")
    scored = replace(three, tables={"deltas": three.tables["deltas"]})
    assert about.trust(scored) == ""


@pytest.mark.parametrize(
    ("gone", "parts"),
    [
        ("maps cards benchmarks", {"images", "data", "times"}),
        ("scores datasets tables/provenance.json", set()),
        (
            "maps tables/leakage.csv tables/sweep.csv tables/conclusions.csv",
            {"images", "leakage", "conclusions"},
        ),
        ("maps tables/health.csv tables/validity.csv tables/published_comparison.csv", {"images"}),
    ],
)
def test_what_is_not_there_is_left_out(copy, page, gone, parts):
    for name in gone.split():
        path = copy / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    found = render(read(copy))
    assert set(SECTIONS.findall(page)) - set(SECTIONS.findall(found)) == parts
    assert set(re.findall(r'href="#([\w-]+)"', found)) <= set(re.findall(r'id="([\w-]+)"', found))


def test_the_config_of_the_workflow_is_shown_where_none_is_given(copy):
    shutil.rmtree(copy / "maps")  # which take the time
    settings = copy / "settings/page"
    settings.mkdir(parents=True)
    (settings / "page-1a2b3c4d.json").write_text(json.dumps({"config": {"study": "kept"}}))
    assert "study: kept" in render(read(copy))


def test_a_report_of_scored_predictions(tmp_path, capsys):
    store, out = tmp_path / "mine.zarr", tmp_path / "out"
    for name in SPLITS:
        split = random_split(name)[["labels", "probs"]]
        split.to_zarr(store, group=name, zarr_format=3, consolidated=False)
    assert cli.main(["score", str(store), "--out", str(out)]) == 0
    assert cli.main(["report", str(out)]) == 0
    assert capsys.readouterr().out.endswith(f"{out / 'report.html'}\n")
    page = (out / "report.html").read_text()
    assert SECTIONS.findall(page) == ["found", "scatter", "images", "tables", "provenance"]
    row = (out / "deltas.csv").read_text().splitlines()[1].split(",")
    delta, low, high = (f"{float(number):.2f}".replace("-", "−") for number in row[5:8])
    assert f"Δ {delta} [{low}, {high}]" in page
    with new_folder(out, store=store, replace=True) as folder:
        (folder / "scores.csv").write_text("")
    assert not (out / "report.html").exists()


def test_a_folder_without_results_is_one_line(tmp_path, capsys):
    assert cli.main(["report", str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"segue: error: {tmp_path}: expected the folder of a study")
    assert message.count("\n") == 1
