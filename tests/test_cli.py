"""The command passes settings on by name, and says what is wrong with them in one line."""

import json
from importlib.metadata import version

import pytest

from segue import cli
from segue.study.stages import STAGES


@pytest.fixture
def settings(tmp_path):
    """Write settings to a file and return its path."""

    def write(content: object) -> str:
        path = tmp_path / "settings.json"
        path.write_text(json.dumps(content))
        return str(path)

    return write


def test_a_stage_is_called_with_the_keys_of_its_file(settings, tmp_path, capsys):
    key = {"study": "s", "dataset": "d", "aleatoric": "a", "epistemic": "e", "replicate": 0}
    path = settings(
        {
            "dataset": str(tmp_path / "none"),
            "maps": str(tmp_path / "none"),
            "key": key,
            "variants": ["corrected"],
            "options": {},
            "seed": 0,
        }
    )
    assert cli.main(["stage", "score", "--settings", path, "--out", str(tmp_path / "out.csv")]) == 1
    assert f"{tmp_path / 'none'}: no Zarr store" in capsys.readouterr().err


def test_an_error_of_the_user_is_one_line_and_no_traceback(tmp_path, capsys):
    missing = str(tmp_path / "missing.json")
    assert cli.main(["stage", "tables", "--settings", missing, "--out", str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"segue: error: {missing}: no such file")
    assert message.count("\n") == 1


def test_a_defect_of_the_program_keeps_its_traceback(settings, tmp_path):
    content = {
        "scores": [],
        "cells": [],
        "not_applicable": [],
        "seed": 0,
        "options": {"tasks": {"ood": "border"}},
    }
    with pytest.raises(ValueError, match="No objects to concatenate"):
        cli.main(["stage", "tables", "--settings", settings(content), "--out", str(tmp_path)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1], "settings.json: expected a mapping, found [1]"),
        (
            {"dataset": "d", "samples": "s", "none_rolls": "strict"},
            "shown, options; did you mean none_roles?",
        ),
        (
            {"dataset": "d", "samples": 3, "none_roles": "strict", "options": {}},
            "settings.json: samples: expected text, found 3",
        ),
        ({"dataset": "d", "samples": "s", "options": {}}, "missing key none_roles"),
    ],
)
def test_settings_that_do_not_fit_are_refused_by_name(content, message, settings, tmp_path, capsys):
    status = cli.main(["stage", "maps", "--settings", settings(content), "--out", str(tmp_path)])
    assert status == 1
    assert message in capsys.readouterr().err


TRAIN = {
    "dataset": "no/dataset.zarr",
    "aleatoric": {"method": "softmax"},
    "network": {
        "channels": [8, 16],
        "blocks": 1,
        "attention": 0,
        "heads": 2,
        "group_channels": 4,
        "patch": 1,
    },
    "recipe": {"dropout": 0.0, "snapshots": 0},
    "training": {
        "epochs": 1,
        "batch": 2,
        "learning_rate": 0.001,
        "weight_decay": 0.0,
        "clip": 0.5,
        "ema": 0.9,
    },
    "labels": ["mine"],
    "seed": 0,
}


@pytest.mark.parametrize(
    ("section", "changed", "message"),
    [
        ("training", {"lr": 0.1}, "settings.json: training: unknown key lr; there are: epochs, "),
        ("network", {"chanels": [8]}, "settings.json: network: unknown key chanels; there are: "),
        ("recipe", {}, "no/dataset.zarr: no Zarr store"),
    ],
)
def test_a_training_by_hand_says_what_is_wrong_in_one_line(
    section, changed, message, settings, tmp_path, capsys
):
    path = settings(TRAIN | {section: TRAIN[section] | changed})
    out = tmp_path / "results/model.pt"
    assert cli.main(["stage", "train", "--settings", path, "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("segue: error: ")
    assert message in said
    assert said.count("\n") == 1
    assert not out.exists()


def test_text_that_is_no_json_is_refused(tmp_path, capsys):
    path = tmp_path / "settings.json"
    path.write_text("{")
    assert cli.main(["stage", "tables", "--settings", str(path), "--out", str(tmp_path)]) == 1
    assert f"{path}: expected JSON" in capsys.readouterr().err


def test_a_figure_is_named_in_its_settings(settings, tmp_path, capsys):
    path = settings({"figure": "scatter_grit"})
    assert cli.main(["stage", "figure", "--settings", path, "--out", str(tmp_path / "f")]) == 1
    assert "'scatter_grit'" in (message := capsys.readouterr().err)
    assert "scatter_grid" in message


def test_a_figure_is_drawn_by_its_module(settings, tmp_path, capsys):
    path = settings({"figure": "scatter_grid", "tables": str(tmp_path)})
    assert cli.main(["stage", "figure", "--settings", path, "--out", str(tmp_path / "f")]) == 1
    assert f"{tmp_path / 'deltas.csv'}: no such file" in capsys.readouterr().err


def test_the_version_is_that_of_the_project_and_of_what_computes(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"segue {version('segue')}"
    for package in ("numpy", "torch", "zarr"):
        assert f"{package} {version(package)}" in second


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_explains_its_settings(stage, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["stage", stage, "--help"])
    text = capsys.readouterr().out
    assert "keys of the settings file:" in text
    assert "Args:" in text
