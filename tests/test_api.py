"""The Python API: light to import, and the numbers of the stages."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from handmade import SPLITS, random_split, write_stores

import segue
from segue import store
from segue.errors import InputError
from segue.evaluation import decomposition, entanglement
from segue.evaluation.estimators import ESTIMATORS
from segue.evaluation.maps import write_maps
from segue.evaluation.predictions import score_predictions

DOCUMENT = Path(__file__).parent.parent / "docs/api.md"
KEY = ["task", "metric", "variant", "split", "measure", "aggregation", "image"]


def test_importing_it_imports_nothing_heavy():
    code = "import segue, sys; assert not {'numpy', 'xarray', 'torch', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_names_are_those_of_the_parts():
    assert segue.decompose is decomposition.decompose
    assert segue.delta is entanglement.delta
    assert {"PredictionWriter", "decompose", "delta", "open_study", "score"} <= set(dir(segue))
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        _ = segue.scores


@pytest.fixture(scope="module")
def splits():
    return {name: random_split(name)[["labels", "probs"]] for name in SPLITS}


def test_scores_are_those_of_the_command(splits, tmp_path):
    store = tmp_path / "mine.zarr"
    for name, split in splits.items():
        split.to_zarr(store, group=name, mode="a", zarr_format=3, consolidated=False)
    score_predictions(store, tmp_path / "out")
    written = pd.read_csv(tmp_path / "out/scores.csv", keep_default_na=False, dtype={"image": str})
    found = segue.score(splits, variants=["corrected", "jackknife", "paper_code"])
    found["image"] = found["image"].astype(str)
    pd.testing.assert_frame_equal(
        found.sort_values(KEY, ignore_index=True),
        written[found.columns].sort_values(KEY, ignore_index=True),
        check_dtype=False,
        check_exact=True,
    )


def test_a_task_alone_needs_its_own_splits_only(splits):
    found = segue.score({"id": splits["id"]}, tasks={"ambiguity": {}})
    assert set(found["task"]) == {"ambiguity"}
    assert set(found["split"]) == {"id"}


def test_tasks_that_lack_their_splits_are_left_out_and_the_log_says_so(splits, caplog):
    found = segue.score({"id": splits["id"]})
    assert set(found["task"]) == {"ambiguity", "segmentation", "failure", "leakage"}
    assert (
        "scores.calibration: left out, for it needs the split 'val'; found only id" in caplog.text
    )
    assert "scores.ood: left out, for it needs at least one split 'ood_<shift>'" in caplog.text


def test_undefined_scores_are_nan(splits):
    one = {name: split.isel(eu_sample=[0], au_sample=[0]) for name, split in splits.items()}
    found = segue.score(one)
    divided = found["measure"].isin(["AU", "EU"])
    assert found.loc[divided, "score"].isna().all()
    of_draws = found["metric"].isin(["diversity", "draw_information"])
    assert found.loc[of_draws, "score"].isna().all()
    assert found.loc[~divided & ~of_draws, "score"].notna().all()


def test_one_hypothesis_is_read_as_it_is_to_be(splits):
    one = {name: split.isel(eu_sample=[0]) for name, split in splits.items()}
    found = segue.score(one, tasks={"ambiguity": {}}, none_roles="strict")
    flat = found[(found["measure"] == "EU") & (found["metric"] == "ncc")]
    assert (flat["score"] == 0).all()
    with pytest.raises(InputError, match="none_roles: expected one of"):
        segue.score(one, tasks={"ambiguity": {}}, none_roles="no")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.drop_vars("labels"), "splits/id/labels: no such array"),
        (lambda s: s.transpose("image", "eu_sample", "class", ...), "expected dimensions"),
        (lambda s: s.assign(probs=s["probs"] * 2), "splits/id/probs: image 0, eu_sample 0"),
        (lambda s: s.assign(probs=s["probs"] * np.float16(np.nan)), "found NaN"),
        (lambda s: s.assign(labels=s["labels"] + 5), "expected a class, 0 to 1"),
        (lambda s: s.isel(y=slice(3)), "along 'y'"),
    ],
)
def test_what_cannot_be_scored_is_refused_by_its_place(splits, change, message):
    with pytest.raises((InputError, ValueError), match=message):
        segue.score({**splits, "id": change(splits["id"])})


@pytest.fixture
def study(tmp_path):
    """A study of one cell on disk, its samples behind a link as the workflow makes it."""
    splits = {name: random_split(name) for name in SPLITS}
    paths = write_stores(tmp_path, splits)
    folder = tmp_path / "results/mine"
    (folder / "datasets/lung").mkdir(parents=True)
    cell = folder / "maps/lung/ssn-none/rep0"
    write_maps(cell / "maps.zarr", **paths, none_roles="strict", options={})
    Path(paths["dataset"]).rename(folder / "datasets/lung/dataset.zarr")
    shared = tmp_path / "results/shared/samples/lung/ssn-none/rep0-abc"
    shared.mkdir(parents=True)
    Path(paths["samples"]).rename(shared / "samples.zarr")
    link = folder / "samples/lung/ssn-none/rep0"
    link.parent.mkdir(parents=True)
    link.symlink_to(shared)
    return folder


def test_a_study_opens_as_one_lazy_tree(study):
    tree = segue.open_study(study)
    assert isinstance(tree, xr.DataTree)
    assert tree.name == "mine"
    for name in SPLITS:
        node = tree[f"lung/ssn-none/rep0/{name}"]
        assert set(node.data_vars) == {"probs", "prediction", *ESTIMATORS.values()}
        assert not node["probs"].variable._in_memory
        expected = random_split(name)
        np.testing.assert_array_equal(node["probs"], expected["probs"])
        np.testing.assert_array_equal(tree[f"lung/data/{name}"]["labels"], expected["labels"])
    assert list(tree["lung/ssn-none/rep0/id"]["measure"].values) == ["TU", "AU", "EU"]


def test_a_study_that_has_not_ended_opens_with_what_is_there(study):
    (study / "maps/lung/ssn-none/rep0/maps.zarr").rename(study / "gone")
    assert set(segue.open_study(study)["lung/ssn-none/rep0/id"].data_vars) == {"probs"}


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected the folder of a study, results/<study>"):
        segue.open_study(tmp_path)


def test_the_examples_of_the_documentation_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = DOCUMENT.read_text()
    blocks = re.findall(r"(<!-- not run.*?\n)?```python\n(.*?)```", text, re.DOTALL)
    runnable = [code for skipped, code in blocks if not skipped]
    assert len(runnable) == len(blocks) - 1 == 5
    exec("\n".join(runnable), {})
    assert "0.196" in capsys.readouterr().out
    assert store.splits(Path("mine.zarr")) == ["id", "ood_noise", "val"]
