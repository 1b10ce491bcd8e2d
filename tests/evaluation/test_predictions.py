"""Predictions of another program get the scores that a hand computes."""

import re
import shutil
import subprocess
import sys
from math import atan2, log, pi
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from handmade import SPLITS, random_split
from scipy.special import expit, logit

from segue import cli, dims, plugins, store
from segue.errors import InputError
from segue.evaluation.predictions import deltas, score_predictions, settings
from segue.evaluation.score import score as score_stage
from segue.keys import SCORE_ROW

ROOT = Path(__file__).parents[2]

# Pixels by what two weight hypotheses say of the foreground: sure background, sure foreground,
# ambiguous (AU = ln 2), disputed (EU = ln 2), and a mixture (AU = ln 2 / 2, TU = H(1/4)).
PIXELS = {"B": (0, 0), "F": (1, 1), "A": (0.5, 0.5), "E": (1, 0), "M": (0.5, 0)}
COLUMNS = ["dataset", "task", "split"]
LN2 = log(2)
H = -0.25 * log(0.25) - 0.75 * log(0.75)

# Images of 2 x 2 pixels, row by row, and the pixels that each of two raters marks.
IMAGES = {
    "val": [("BAFE", ("AFE", "FE")), ("BAFE", ("FE", "F"))],
    "id": [("BAFE", ("AF", "F")), ("BMFB", ("MF", "F"))],
    "ood_x": [("EEFB", ("F", "F")), ("AAFB", ("F", "F")), ("EEFB", ("F", "F"))],
}


def by_hand(path):
    """Write the store of ``IMAGES``."""
    for split, images in IMAGES.items():
        foreground = np.array([[PIXELS[p] for p in pixels] for pixels, _ in images])
        foreground = foreground.transpose(0, 2, 1).reshape(-1, 2, 1, 1, 2, 2)
        labels = [[[p in mark for p in pixels] for mark in marks] for pixels, marks in images]
        probs = np.concatenate([1 - foreground, foreground], axis=3)
        content = {
            "probs": (dims.SAMPLES, probs.astype(np.float16)),
            "labels": (dims.LABELS, np.array(labels, np.uint8).reshape(-1, 2, 2, 2)),
        }
        xr.Dataset(content).to_zarr(path, group=split, mode="a", zarr_format=3, consolidated=False)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What ``segue score`` writes for ``IMAGES``."""
    folder = tmp_path_factory.mktemp("hand")
    path = by_hand(folder / "hand.zarr")
    names = ["--dataset", "squares", "--aleatoric", "mine", "--epistemic", "pair"]
    assert cli.main(["score", str(path), "--out", str(folder / "out"), *names]) == 0
    return folder / "out"


@pytest.fixture(scope="module")
def rows(folder):
    table = pd.read_csv(folder / "scores.csv", keep_default_na=False, na_values={"score": ""})
    assert tuple(table.columns) == SCORE_ROW
    return table[table["variant"] == "corrected"]


@pytest.fixture(scope="module")
def found(folder):
    table = pd.read_csv(folder / "deltas.csv", keep_default_na=False, na_values={"delta": ""})
    limits = ["delta", "low", "high"]
    assert list(table.columns) == [*COLUMNS, "correct", "wrong", *limits, "reason"]
    assert set(table["dataset"]) == {"squares"}
    return table.set_index(["task", "split"])


def scores(rows, metric, split, measure="", aggregation=""):
    here = rows["metric"].eq(metric) & rows["split"].eq(split) & rows["measure"].eq(measure)
    return rows.loc[here & rows["aggregation"].eq(aggregation), "score"].tolist()


def delta(correct, wrong, sign=1):
    return sign * (atan2(correct, wrong) - pi / 4) / (pi / 4)


def test_rows_carry_the_names_that_were_given(rows):
    assert set(rows["dataset"]) == {"squares"}
    assert set(rows["aleatoric"]) == {"mine"}
    assert set(rows["epistemic"]) == {"pair"}
    assert set(rows["replicate"]) == {0}


def test_ncc_is_that_of_indicators_of_pixels(rows, found):
    # Pearson's correlation of two of four pixels is 1 where they are the same and -1/3 where not;
    # NCC is 3/4 of it.
    assert scores(rows, "ncc", "id", "AU") == pytest.approx([3 / 4, 3 / 4])
    assert scores(rows, "ncc", "id", "EU") == pytest.approx([-1 / 4, 3 / 4])
    assert found.loc[("ambiguity", "id"), "delta"] == pytest.approx(delta(3 / 4, 1 / 4))
    assert scores(rows, "ncc", "ood_x", "AU") == [0, 0, 0]  # the raters agree
    assert found.loc[("ambiguity", "ood"), "delta"] == 0


def test_ged_is_the_mean_over_hypotheses(rows):
    # Raters AF and F: E d(G, G') = 1/6. A draw EF is 1/2 and 1/3 from them, F is 1/3 and 0.
    first = ((5 / 6 - 1 / 6) + (1 / 3 - 1 / 6)) / 2
    assert scores(rows, "ged", "id", aggregation="dice") == pytest.approx([first, 1 / 6])


def test_the_area_counts_pairs_of_images(rows, found):
    # Every mask is one corner pixel, of border 2. EU: ln 2, 0, ln 2 against ln 2 / 2 and less.
    assert scores(rows, "auroc", "ood_x", "EU", "border") == pytest.approx([2 / 3])
    assert scores(rows, "auroc", "ood_x", "AU", "border") == pytest.approx([1 / 3])
    assert found.loc[("ood", "ood"), ["correct", "wrong"]].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert found.loc[("ood", "ood"), "delta"] == pytest.approx(delta(2 / 3, 1 / 3))


def calibration_error(val, test):
    """ACE of one measure from samples (right, all) at each uncertainty, in val and in a split.

    In val it has two values, so that Platt's line goes through the mean target at both.
    """
    right = sum(r for r, _ in val.values())
    wrong = sum(n for _, n in val.values()) - right
    up, down = (right + 1) / (right + 2), 1 / (wrong + 2)
    at_zero, at_ln2 = (logit((r * up + (n - r) * down) / n) for r, n in (val[0], val[LN2]))
    bins = {}
    for u, (r, n) in test.items():
        confidence = expit(at_zero + u / LN2 * (at_ln2 - at_zero))
        total = bins.setdefault(int(np.ceil(20 * confidence)), np.zeros(3))
        total += [r, n, n * confidence]
    return np.mean([abs(r - c) / n for r, n, c in bins.values()])


def test_ace_is_that_of_counted_samples(rows, found):
    # val: B and F 8 of 8 right, A 3 of 4, E 1 of 4;
    # id: B and F 10 of 10, A 1 of 2, E 2 of 2, M 1 of 2.
    expected = {
        "TU": calibration_error({0: (8, 8), LN2: (4, 8)}, {0: (10, 10), LN2: (3, 4), H: (1, 2)}),
        "AU": calibration_error({0: (9, 12), LN2: (3, 4)}, {0: (12, 12), LN2: (2, 4)}),
        "EU": calibration_error(
            {0: (11, 12), LN2: (1, 4)}, {0: (11, 12), LN2: (2, 2), H - LN2 / 2: (1, 2)}
        ),
    }
    for measure, value in expected.items():
        ace = scores(rows, "ace", "id", measure, "pooled")
        assert ace == pytest.approx([value], rel=1e-5), measure
    wrong = min(expected["AU"], expected["EU"])
    value = delta(expected["TU"], wrong, sign=-1)
    assert found.loc[("calibration", "id"), "delta"] == pytest.approx(value, rel=1e-5)


def test_intervals_hold_what_is_between_them(found):
    assert (found["low"] <= found["high"]).all()
    assert set(found.index) == {
        ("ood", "ood"),
        *((task, split) for task in ("ambiguity", "calibration") for split in ("id", "ood")),
    }


def test_it_is_what_the_stages_of_the_workflow_write(folder, tmp_path):
    path = str(folder.parent / "hand.zarr")
    key = {"study": "predictions", "dataset": "squares", "aleatoric": "mine", "epistemic": "pair"}
    score_stage(
        tmp_path / "scores.csv",
        dataset=path,
        maps=str(folder / "maps.zarr"),
        key=key | {"replicate": 0},
        variants=["corrected", "jackknife", "paper_code"],
        options=plugins.taken(plugins.SCORE, settings(None)["scores"]),
        seed=0,
    )
    for name in ("scores.csv", "scores-intervals.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_the_defaults_are_those_of_the_config():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    defaults = settings(None)
    assert defaults == {name: config[name] for name in defaults}


def test_a_config_replaces_the_sections_that_it_has(tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text("study: mine\nscores: {ambiguity: {}}\ntables: {tasks: {ambiguity: ''}}\n")
    path, out = by_hand(tmp_path / "hand.zarr"), tmp_path / "out"
    score_predictions(path, out, config=config)
    table = pd.read_csv(out / "deltas.csv")
    assert set(table["task"]) == {"ambiguity"}
    assert set(table["dataset"]) == {"hand"}
    assert set(pd.read_csv(out / "scores.csv")["task"]) == {"ambiguity"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "expected a YAML mapping, found list"),
        ("scores: {", "expected YAML, found"),
        ("tables: {tasks: {odd: border}}", "tables.tasks: unknown key odd"),
        ("tables:", "tables: expected a mapping, found None"),
        ("scores: {ood: {pach: 3}}", "scores.ood: unknown key pach; there are: patch"),
        ("scores: {odd: {}}", "scores: nothing named 'odd' in tasks"),
        ("scores: {ood:}", "scores.ood: expected a mapping, found None"),
        ("variants: []", "variants: expected a list that is not empty"),
        ("variants: [papercode]", "variants: unknown 'papercode'"),
        ("uncertainty: {none_rolls: strict}", "uncertainty: unknown key none_rolls"),
        ("seed: a", "seed: expected an integer, found 'a'"),
        (
            "tables: {tasks: {ood: edge}}",
            "tables.tasks.ood: no aggregation 'edge'; there are: 'bord",
        ),
    ],
)
def test_a_config_that_is_wrong_is_refused_before_anything_is_written(text, message, tmp_path):
    config, out = tmp_path / "mine.yaml", tmp_path / "out"
    config.write_text(text)
    with pytest.raises(InputError, match=message):
        score_predictions(by_hand(tmp_path / "hand.zarr"), out, config=config)
    assert not out.exists()


def test_a_store_is_checked_before_anything_is_written(tmp_path, capsys):
    path = by_hand(tmp_path / "hand.zarr")
    (path / "id/probs/c").rename(tmp_path / "lost")
    out = tmp_path / "out"
    assert cli.main(["score", str(path), "--out", str(out)]) == 1
    assert "id/probs: 1 of 1 chunks are missing (c/0/0/0/0/0/0)" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(("hypotheses", "draws"), [(1, 5), (5, 1)])
def test_one_hypothesis_or_one_draw_will_do(hypotheses, draws, tmp_path):
    path = tmp_path / "mine.zarr"
    for name in SPLITS:
        split = random_split(name, classes=3, hypotheses=hypotheses, draws=draws)
        how = {"mode": "a", "zarr_format": 3, "consolidated": False}
        split[["labels", "probs"]].to_zarr(path, group=name, **how)
    score_predictions(path, tmp_path / "out")
    assert np.isfinite(pd.read_csv(tmp_path / "out/deltas.csv")["delta"]).all()


def test_the_worked_example_runs_as_it_is_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs/predictions.md").read_text(encoding="utf-8")
    text = text.partition("## A worked example")[2]
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(code, "docs/predictions.md", "exec"), {})
    commands = [
        line.removeprefix("segue ").split()
        for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("segue ")
    ]
    assert [command[0] for command in commands] == ["check", "score"]
    for command in commands:
        subprocess.run([sys.executable, "-m", "segue.cli", *command], check=True)
    assert len(pd.read_csv("my_scores/deltas.csv")) == 5
    assert set(store.splits(Path("my_predictions.zarr"))) == {"val", "id", "ood_scanner"}


def limits(folder, rows, **more):
    """A file of scores' intervals of one variant; returns the path of the scores."""
    head = {"variant": "corrected", "dataset": "d", "aleatoric": "a", "epistemic": "e"}
    table = pd.DataFrame([{**head, "replicate": 0, "aggregation": "", **row} for row in rows])
    table.assign(**more).to_csv(folder / "scores-intervals.csv", index=False)
    return folder / "scores.csv"


def ncc(split, measure, value):
    row = {"task": "ambiguity", "metric": "ncc", "split": split, "measure": measure}
    return {**row, "value": value, "low": 0, "high": 1}


def test_the_right_and_the_wrong_value_of_ood_are_means_over_splits(tmp_path):
    rows = [
        ncc(split, measure, value)
        for split, values in {"ood_a": (0.4, 0.1), "ood_b": (0.2, 0.3), "id": (0.5, 0.5)}.items()
        for measure, value in zip(("AU", "EU"), values, strict=True)
    ]
    of_delta = {**ncc("ood", "", 0.2), "metric": "delta", "low": -0.5, "high": 0.75}
    path = limits(tmp_path, [*rows, of_delta])
    table = deltas(path, "corrected", {"ambiguity": ""}).set_index("split")
    numbers = table.loc["ood", ["correct", "wrong", "delta", "low", "high"]].astype(float)
    assert numbers.tolist() == pytest.approx([0.3, 0.2, 0.2, -0.5, 0.75])
    assert table.loc["ood", "reason"] == ""
    assert table.loc["id", "reason"] == "it was not scored"


def test_why_there_is_no_delta_is_said(tmp_path):
    rows = [ncc("id", measure, value) for measure, value in (("AU", 0.1), ("EU", ""))]
    undefined = {**ncc("id", "", ""), "metric": "delta", "low": "", "high": "", "reason": "flat"}
    path = limits(tmp_path, [*rows, undefined])
    tasks = {"ood": "border", "ambiguity": "", "calibration": "pooled"}
    table = deltas(path, "corrected", tasks).set_index(["task", "split"])
    assert table["reason"].to_dict() == {
        ("ood", "ood"): "there is no OOD split",
        ("ambiguity", "id"): "flat",
        ("ambiguity", "ood"): "there is no OOD split",
        ("calibration", "id"): "there is no val",
        ("calibration", "ood"): "there is no OOD split",
    }
    assert table.loc[("ambiguity", "id"), ["correct", "wrong", "delta"]].tolist() == ["0.1", "", ""]
    assert set(table["dataset"]) == {"d"}


def test_val_and_id_alone_are_scored_for_what_they_allow(tmp_path, capsys, caplog):
    caplog.set_level("INFO")
    path, out = by_hand(tmp_path / "hand.zarr"), tmp_path / "out"
    shutil.rmtree(path / "ood_x")
    assert cli.main(["score", str(path), "--out", str(out)]) == 0
    assert "no split ood_<shift>: OOD detection, and everything under shift" in caplog.text
    assert capsys.readouterr().out.count("– (there is no OOD split)") == 3
    table = pd.read_csv(out / "deltas.csv").set_index(["task", "split"])
    assert np.isfinite(table.loc[[("ambiguity", "id"), ("calibration", "id")], "delta"]).all()
    assert table["delta"].count() == 2
