import pytest

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
