"""A stage run by hand, with and without stamps."""

import json
import shutil

import numpy as np
import pytest
from handmade import SPLITS, random_split, write_stores

from segue import stamp, store
from segue.errors import InputError
from segue.models import device
from segue.study import stages


@pytest.fixture
def settings(tmp_path):
    """Of the stage maps."""
    paths = write_stores(tmp_path, {name: random_split(name) for name in SPLITS})
    return {**paths, "none_roles": "strict", "options": {}}


def run(stage, settings, out):
    path = out.parent / f"{stage}-settings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings))
    stages.run(stage, path, out, 1)


def test_without_a_stamp_it_writes_the_result_itself(settings, tmp_path):
    run("maps", settings, tmp_path / "out/mine.zarr")
    assert store.splits(tmp_path / "out/mine.zarr") == sorted(SPLITS)
    assert not list((tmp_path / "out").glob("made.json"))


def test_with_a_stamp_it_says_what_is_whole_and_what_made_it(settings, tmp_path):
    run("maps", settings, tmp_path / "out/made.json")
    made = stamp.verified(tmp_path / "out/made.json")
    assert made.main == tmp_path / "out/maps.zarr"
    record = json.loads((tmp_path / "out/provenance.json").read_text())
    expected = {"none_roles": "strict", "bits": 23, "shown": 0, "options": {}}
    assert record["settings"] == expected
    assert record["code"]
    assert record["software"]["numpy"] == np.__version__


def test_a_training_has_its_device_on_record_which_is_no_part_of_what_it_is(tmp_path):
    images = {"train": 4, "val": 2, "id": 2}
    data = {"source": "phantom", "options": {"images": images, "side": 16}, "seed": 0}
    run("prepare", data, tmp_path / "data/made.json")
    network = {"channels": [4], "blocks": 1, "attention": 0, "heads": 1, "group_channels": 4}
    training = {"epochs": 1, "batch": 2, "learning_rate": 0.01, "weight_decay": 0, "clip": 1}
    settings = {
        "dataset": str(tmp_path / "data/made.json"),
        "aleatoric": {"method": "softmax"},
        "network": {**network, "patch": 1},
        "recipe": {"dropout": 0, "snapshots": 0},
        "training": {**training, "ema": 0.9},
        "labels": ["phantom", "softmax"],
        "seed": 0,
    }
    run("train", settings, tmp_path / "model/made.json")
    made = stamp.read(tmp_path / "model/made.json")
    record = made.folder / "provenance.json"
    found = json.loads(record.read_text())
    assert found["device"] == device.name_of(device.pick_device(1))
    record.write_text(json.dumps({**found, "device": "another GPU"}))
    written = made.main.stat().st_mtime_ns
    run("train", settings, tmp_path / "model/made.json")
    assert stamp.read(tmp_path / "model/made.json") == made
    assert made.main.stat().st_mtime_ns == written
    assert json.loads(record.read_text())["device"] == "another GPU"


def test_the_same_again_is_kept_and_other_settings_are_made(settings, tmp_path):
    out = tmp_path / "out/made.json"
    run("maps", settings, out)
    before = (tmp_path / "out/maps.zarr").stat().st_mtime_ns
    out.unlink()
    run("maps", settings, out)
    assert (tmp_path / "out/maps.zarr").stat().st_mtime_ns == before
    run("maps", settings | {"none_roles": "samples_as_hypotheses"}, out)
    assert (tmp_path / "out/maps.zarr").stat().st_mtime_ns != before


def test_a_kept_result_is_on_record_as_that_of_its_present_inputs(settings, tmp_path):
    out = tmp_path / "out/made.json"
    for name in ("a-1", "b-2"):
        link = tmp_path / name / "samples.zarr"
        link.parent.mkdir()
        link.symlink_to(settings["samples"])
        run("maps", {**settings, "samples": str(link)}, out)
        record = json.loads((tmp_path / "out/provenance.json").read_text())
        assert record["sources"] == [tmp_path.name, name]


def test_a_result_that_is_partly_gone_is_made_again(settings, tmp_path):
    run("maps", settings, tmp_path / "out/made.json")
    shutil.rmtree(tmp_path / "out/maps.zarr")
    run("maps", settings, tmp_path / "out/made.json")
    assert store.splits(tmp_path / "out/maps.zarr") == sorted(SPLITS)


def test_an_input_is_compared_with_its_stamp_before_it_is_used(settings, tmp_path):
    first = tmp_path / "first/made.json"
    run("maps", settings, first)
    settings = settings | {"samples": str(first)}
    (tmp_path / "first/maps.zarr/id/zarr.json").write_text("{}")
    with pytest.raises(InputError, match=r"maps.zarr: is damaged, or was changed .*remove the fol"):
        run("maps", settings, tmp_path / "second/made.json")
    first.write_text("{")
    with pytest.raises(InputError, match=r"made.json: is damaged; remove the folder"):
        run("maps", settings, tmp_path / "second/made.json")
    first.unlink()
    with pytest.raises(InputError, match=r"made.json: no such file"):
        run("maps", settings, tmp_path / "second/made.json")
    assert not (tmp_path / "second/maps.zarr").exists()


def test_results_may_be_moved_with_their_stamp(settings, tmp_path):
    run("maps", settings, tmp_path / "here/made.json")
    (tmp_path / "here").rename(tmp_path / "there")
    assert stamp.verified(tmp_path / "there/made.json").main == tmp_path / "there/maps.zarr"


@pytest.mark.parametrize(
    ("stage", "settings", "message"),
    [
        ("train", {"dataset": "x"}, "missing key aleatoric"),
        (
            "maps",
            {"samples": "x", "none_roles": "strict", "lr": 1},
            "unknown key lr; there are: da",
        ),
        (
            "maps",
            {
                "dataset": "nowhere.zarr",
                "samples": "nowhere.zarr",
                "none_roles": "strict",
                "options": {},
            },
            "nowhere.zarr: no Zarr store",
        ),
        ("figure", {"figure": "pie"}, "nothing named 'pie' in figures; there are: "),
    ],
)
def test_what_is_wrong_is_said_by_hand_too(stage, settings, message, tmp_path):
    with pytest.raises(InputError, match=message):
        run(stage, settings, tmp_path / "out/made.json")
