"""The benchmarks run, on sizes that say nothing of speed; no time is checked here."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from segue import dims, store

ROOT = Path(__file__).parent.parent
MODELS = ("softmax", "ssn", "prob_unet", "diffusion")
COLUMNS = "s\th:m:s\tmax_rss\tmean_load\tcpu_time"
JOBS = {
    "train/a/rep0.tsv": "30.0\t0:00:30\t200.5\t90.0\t27.0",
    "train/b/rep0.tsv": "50.0\t0:00:50\t100.0\t90.0\t45.0",
    "score/a/rep0.tsv": "0.1\t0:00:00\tNA\tNA\tNA",
    "tables.tsv": "19.9\t0:00:19\t50.0\t50.0\t10.0",
}
NAMES = {
    "imports": {("tables", "s wall"), ("tables", "s CPU")},
    "training": {
        ("peak of matrix products", "GFLOP/s"),
        *((f"{name}, 16²", unit) for name in MODELS for unit in ("ms a step", "% of peak")),
    },
    "sampling": {
        ("softmax, one pass", "ms an image"),
        *((name, "passes of softmax") for name in ("ssn", "prob_unet")),
        ("diffusion", "of its passes"),
    },
    "store": {
        *((name, "MB/s") for name in ("stage sample, drawing included", "writing", "reading")),
        *(("on disk", unit) for unit in ("bytes a sample", "% of 16 bits a class")),
    },
    "scores": {
        *(
            (name, f"ms {kind} an image")
            for name in ("maps", "score", "maps and score")
            for kind in ("CPU", "wall")
        ),
        ("plain evaluation", "ms CPU an image"),
        ("plain evaluation", "times the CPU of maps and score"),
        ("greatest difference of a score", "between the two"),
    },
    "memory": {
        (f"{stage}{of}", unit)
        for stage in ("maps", "score")
        for of, unit in (
            *((", 8 images", "MiB"), (", 16 images", "MiB")),
            *(("", "times as much"), ("", "MiB more an image")),
        )
    },
    "scaling": {(name, "exponent") for name in ("maps", "score", "maps and score")},
    "tables": {
        *((f"{count} cells and replicates", "s CPU") for count in (2, 4)),
        ("all of these", "exponent"),
    },
    "workflow": {
        (name, "s wall") for name in ("nothing to be done", "dry run of it", "dry run of quick")
    },
    "budget": {
        (stage, unit)
        for stage in ("train", "score", "tables")
        for unit in ("s wall", "s CPU", "% of all wall", "MiB at most")
    },
    "bits": {
        ("samples, both classes", "bytes a pixel"),
        *(
            (f"samples, {bits} bits", unit)
            for bits in (10, 8, 7, 6)
            for unit in (
                *("bytes a pixel", "least ρ of the images' EU"),
                *(f"nats, mean error of {measure}" for measure in ("TU", "EU")),
            )
        ),
        *((f"maps, {bits} bits", "bytes a pixel") for bits in (23, 12, 10, 8)),
    },
    "forecast": {
        *(
            (f"{name}, 32²", unit)
            for name in MODELS
            for unit in (
                *("ms a step of 5 images", "ms an image of 10 draws"),
                *("h to train", "h to sample"),
            )
        ),
        *(("all", unit) for unit in ("h to train", "h to sample")),
    },
}


def benchmarks(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess:
    """Run the program on this checkout, its numbers and files in a folder."""
    where = ("--json", folder / "found.json", "--folder", folder)
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *where, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the numbers of all subjects, and with a study that has run."""
    folder = tmp_path_factory.mktemp("benchmarks")
    for name, line in JOBS.items():
        file = folder / "study" / "benchmarks" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{COLUMNS}\n{line}\n")
    second = np.random.default_rng(0).random((6, 2, 3, 1, 8, 8), np.float32)
    probs = np.concatenate([1 - second, second], axis=3)
    with store.publish(folder / "study/samples/d/ssn-dropout/rep0/samples.zarr") as new:
        array = store.create(new, "id", "probs", dims.SAMPLES, probs.shape, "float32", chunk=2)
        array[:] = probs
    done = benchmarks("--tiny", "--study", folder / "study", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return json.loads((folder / "found.json").read_text())


def test_every_subject_gives_its_rows_and_leaves_no_files(folder, found):
    assert {n: {(r["name"], r["unit"]) for r in each["rows"]} for n, each in found.items()} == NAMES
    rows = [row for each in found.values() for row in each["rows"]]
    assert all(math.isfinite(row["value"]) and row["on"] for row in rows)
    assert sorted(path.name for path in folder.iterdir()) == ["found.json", "study"]


def test_a_plain_evaluation_finds_the_same_scores(found):
    (row,) = (r for r in found["scores"]["rows"] if r["unit"] == "between the two")
    assert row["value"] < 1e-5


def test_the_budget_sums_up_what_snakemake_wrote(found):
    rows = {(row["name"], row["unit"]): row["value"] for row in found["budget"]["rows"]}
    wanted = {"s wall": 80, "s CPU": 72, "% of all wall": 80, "MiB at most": 200.5}
    for unit, value in wanted.items():
        assert rows["train", unit] == pytest.approx(value)
    assert rows["score", "s CPU"] == 0  # it ended before Snakemake looked at it


def test_the_page_has_all_numbers_and_what_they_were_measured_on(folder, found):
    page = folder / "page.md"
    done = benchmarks("--markdown", page, folder=folder)
    text = page.read_text()
    page.unlink()
    assert done.returncode == 0, done.stderr
    assert all(f"## {name}\n" in text for name in NAMES)
    assert "| train | jobs of study: 2 | 80.0 | 72.0 | 80.0 | 200 |" in text
    facts = found["imports"]["machine"]
    assert f"CPU {facts['CPU']}, cores {facts['cores']}" in text
    assert f"torch {facts['torch']}" in text
    assert "Of tiny sizes" in text


def test_one_subject_keeps_the_numbers_of_the_others(folder, found, tmp_path):
    (tmp_path / "found.json").write_text(json.dumps(found))
    arguments = ("--only", "budget", "--study", folder / "nothing")
    done = benchmarks(*arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no study that has run" in done.stderr
    left = json.loads((tmp_path / "found.json").read_text())
    assert left.pop("budget")["rows"] == []
    assert left == {name: each for name, each in found.items() if name != "budget"}


@pytest.mark.parametrize(
    ("arguments", "content", "message"),
    [
        (["--only", "speed"], "{}", "--only: invalid choice: 'speed'"),
        (["--markdown", "page.md"], "{}", "no numbers in"),
        ([], "no numbers", "expected numbers of this program"),
        (["--folder", "nowhere"], "{}", "nowhere; make it"),
        (["--only", "forecast", "--config", "nowhere.yaml"], "{}", "nowhere.yaml: no such file"),
    ],
)
def test_what_cannot_be_measured_is_refused_and_nothing_lost(tmp_path, arguments, content, message):
    (tmp_path / "found.json").write_text(content)
    done = benchmarks(*arguments, folder=tmp_path)
    assert done.returncode
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]
    assert (tmp_path / "found.json").read_text() == content
