"""What is finished is kept: looked at again, it is neither made anew nor lost."""

import pytest
from harness import root, targets

pytestmark = pytest.mark.workflow


def times(study, name):
    """When each file of that name was written."""
    return {path: path.stat().st_mtime_ns for path in root(study).rglob(name)}


@pytest.fixture
def study(finished, tmp_path):
    return finished.study.copy(tmp_path / "project")


def test_data_prepared_again_with_the_same_bytes_train_nothing(study, finished):
    models, chunks = times(study, "model.pt"), times(study, "samples.zarr")
    said = study.run("--forcerun", "prepare", *targets(study))
    assert said.count("was made of the same settings and inputs; kept") == 4  # train to score
    assert times(study, "model.pt") == models
    assert times(study, "samples.zarr") == chunks
    assert study.files("tables") == finished.tables


def test_a_result_that_is_asked_for_by_force_is_kept_unless_its_folder_is_gone(study):
    models = times(study, "model.pt")
    assert "kept" in study.run("--forcerun", "train", *targets(study))
    assert times(study, "model.pt") == models


def test_a_finished_training_whose_stamp_was_lost_is_not_trained_again(study, finished):
    models = times(study, "model.pt")
    for path in root(study).glob("shared/models/**/made.json"):
        path.unlink()
    # For its own sake what is gone is not made again.
    assert "kept" in study.run("--forcerun", "train", *targets(study))
    assert times(study, "model.pt") == models
    assert study.files("tables") == finished.tables


def test_a_damaged_training_is_made_again_when_it_is_looked_at(study, finished):
    (path,) = root(study).glob("shared/models/**/[0-9a-f]*/model.pt")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    next(root(study).glob("shared/models/**/made.json")).unlink()
    assert "is damaged" in study.run("--forcerun", "train", *targets(study))
    assert study.files("tables") == finished.tables
