"""The folder of scores is whole or not there, of one run, and never written over other files."""

import signal
import subprocess
import sys
import threading
import time

import pytest
from handmade import SPLITS, random_split

from segue import cli
from segue.errors import InputError
from segue.evaluation import predictions
from segue.evaluation.output import NAMES, new_folder


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A store of predictions."""
    path = tmp_path_factory.mktemp("store") / "mine.zarr"
    for name in SPLITS:
        split = random_split(name)[["labels", "probs"]]
        split.to_zarr(path, group=name, zarr_format=3, consolidated=False)
    return path


def score(path, out, *more):
    return cli.main(["score", str(path), "--out", str(out), *more])


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_it_holds_what_it_says(path, tmp_path, capsys):
    assert score(path, tmp_path / "new/out") == 0
    assert {p.name for p in (tmp_path / "new/out").iterdir()} == NAMES
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["out"]
    assert (tmp_path / "new/out/summary.md").read_text().endswith(capsys.readouterr().out)


def test_a_finished_folder_is_replaced_if_told_only(path, tmp_path, capsys):
    out = tmp_path / "out"
    assert score(path, out, "--aleatoric", "first") == 0
    before = contents(out)
    assert score(path, out, "--aleatoric", "second") == 1
    assert f"{out}: exists already; replace it with --replace" in capsys.readouterr().err
    assert contents(out) == before
    assert score(path, out, "--aleatoric", "second", "--replace") == 0
    assert "second" in (out / "scores.csv").read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_anything_else_in_it_is_left_alone(path, tmp_path, capsys):
    out = tmp_path / "out"
    assert score(path, out) == 0
    (out / "thesis.tex").write_text("mine")
    before = contents(out)
    for more in ([], ["--replace"]):
        assert score(path, out, *more) == 1
        assert "expected a new or an empty folder, found thesis.tex" in capsys.readouterr().err
    assert contents(out) == before


def test_a_file_is_left_alone_and_an_empty_folder_is_taken(path, tmp_path, capsys):
    out = tmp_path / "out"
    out.write_text("mine")
    assert score(path, out, "--replace") == 1
    assert "out: expected a folder, found a file" in capsys.readouterr().err
    assert out.read_text() == "mine"
    out.unlink()
    out.mkdir()
    assert score(path, out) == 0


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("mine.zarr", "lies in the store"),
        ("mine.zarr/id", "lies in the store"),
        ("mine.zarr/new/out", "lies in the store"),
        ("link", "lies in the store"),
        (".", "holds the store that is read, mine.zarr"),
        ("..", "holds the store that is read, mine.zarr"),
    ],
)
def test_the_store_is_not_written_to(where, message, path, tmp_path, capsys):
    if where == "link":
        out = tmp_path / "link"
        out.symlink_to(path)
    else:
        out = path.parent / where
    before = contents(path.parent)
    assert score(path, out, "--replace") == 1
    assert message in capsys.readouterr().err
    assert contents(path.parent) == before


def test_a_second_run_into_the_same_folder_is_refused(path, tmp_path, capsys):
    out = tmp_path / "out"
    with new_folder(out, store=path) as folder:
        (folder / "scores.csv").write_text("first")
        assert score(path, out) == 1
        assert f"{out}: another run is writing to it; wait for it, or" in capsys.readouterr().err
    assert (out / "scores.csv").read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_two_runs_at_once_leave_the_whole_result_of_one(path, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "segue.cli", "score", str(path), "--out", str(out)]
    runs = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [run.communicate()[1] for run in runs]
    assert sorted(run.returncode for run in runs) == [0, 1], said
    assert not any("Traceback" in each for each in said), said
    assert {p.name for p in out.iterdir()} == NAMES
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_run_left_is_removed(path, tmp_path):
    left = tmp_path / ".out.unfinished/maps.zarr"
    left.mkdir(parents=True)
    (left / "zarr.json").write_text("half")
    assert score(path, tmp_path / "out") == 0
    assert {p.name for p in (tmp_path / "out").iterdir()} == NAMES
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_nothing_that_blocks_the_next_run(path, tmp_path, monkeypatch, capsys):
    def fail(*arguments, **keywords):
        raise InputError("the scores went wrong")

    monkeypatch.setattr(predictions, "score", fail)
    assert score(path, tmp_path / "new/out") == 1
    assert "the scores went wrong" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    assert score(path, tmp_path / "new/out") == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_one_line_and_leaves_nothing(number, tmp_path):
    path, out = tmp_path / "mine.zarr", tmp_path / "new/out"
    big = random_split("id", images=60, side=96, hypotheses=4, draws=4)[["labels", "probs"]]
    how = {"chunks": (1, *big["probs"].shape[1:])}
    for name in ("val", "id", "ood_a"):
        big.to_zarr(path, group=name, zarr_format=3, consolidated=False, encoding={"probs": how})
    command = [sys.executable, "-m", "segue.cli", "score", str(path), "--out", str(out)]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    work = out.with_name(".out.unfinished")
    while run.poll() is None and not any(work.rglob("uncertainty/c/0")):
        time.sleep(0.005)
    run.send_signal(number)
    said = run.communicate(timeout=60)[1]
    assert run.returncode == 128 + number, said
    assert said.splitlines()[-1] == "segue: stopped"
    assert "Traceback" not in said
    assert [p.name for p in tmp_path.iterdir()] == ["mine.zarr"]


def test_a_chunk_that_is_still_being_written_is_removed_too(path, tmp_path):
    """As Zarr's threads do after an interruption: they make their folders again."""

    def write(folder):
        for i in range(20):
            time.sleep(0.005)
            (folder / f"maps.zarr/c/{i}").mkdir(parents=True, exist_ok=True)
            (folder / f"maps.zarr/c/{i}/0").write_bytes(bytes(10))

    def interrupted():
        with new_folder(tmp_path / "out", store=path) as folder:
            thread.append(threading.Thread(target=write, args=[folder]))
            thread[0].start()
            raise KeyboardInterrupt

    thread = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    thread[0].join()
    assert list(tmp_path.iterdir()) == []
