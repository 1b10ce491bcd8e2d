import errno
import hashlib
import os
from pathlib import Path

import pytest
from damage import disk_full_after

from segue import files
from segue.errors import InputError
from segue.files import replacing


def test_a_file_written_is_there_and_alone(tmp_path):
    with replacing(tmp_path / "new" / "a.csv") as file:
        file.write("σ\n")
    assert (tmp_path / "new" / "a.csv").read_bytes() == "σ\n".encode()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.csv"]


def test_an_interrupted_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.writelines(["half of the ne", None])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(OSError, match="File too large") as caught, disk_full_after(100):  # noqa: SIM117
        with replacing(path) as file:
            file.write("x" * 1000)
    assert caught.value.filename == str(path)
    assert caught.value.errno == errno.EFBIG
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_next_writer_removes_what_a_killed_one_left_of_the_same_file(tmp_path):
    left = f"{'0' * 31}f.tmp"
    for name in (f".a.csv.{left}", f".b.csv.{left}", f".a.csv.json.{left}", ".a.csv.mine.tmp"):
        (tmp_path / name).touch()
    with replacing(tmp_path / "a.csv") as file:
        file.write("new")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a.csv", f".b.csv.{left}", f".a.csv.json.{left}", ".a.csv.mine.tmp"}


def test_work_on_another_disk_is_refused_before_it_is_done(tmp_path):
    other = Path("/dev/shm")
    if not other.exists() or os.stat(other).st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("needs a second disk")
    work = other / f"segue-{os.getpid()}"
    try:
        with (
            pytest.raises(InputError, match=f"{work}: .* the disk of {tmp_path}"),
            files.kept(work / "a", tmp_path / "a"),
        ):
            pytest.fail("work was begun")
        assert list(work.iterdir()) == list(tmp_path.iterdir()) == []
    finally:
        files.remove(work)


def test_a_digest_is_the_sha256_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert files.digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
