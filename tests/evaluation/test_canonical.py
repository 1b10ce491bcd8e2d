"""Labels and samples mean the same however another program wrote them, wherever they are read."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from handmade import SPLITS, random_split

import segue
from segue import dims, store
from segue.evaluation.canonical import canonical, known, labels, samples
from segue.evaluation.check import check
from segue.evaluation.predictions import score_predictions

TASKS = {"ambiguity": {}, "segmentation": {}}
CONFIG = "scores: {ambiguity: {}, segmentation: {}}\ntables: {tasks: {ambiguity: ''}}\n"


@pytest.mark.parametrize(
    ("dtype", "marker"),
    [
        *(("uint8", 255), ("int8", -1), ("int16", 255), ("int64", -1), ("uint16", 255)),
        *(("float32", np.nan), ("float64", -1), ("float16", 255)),
    ],
)
def test_a_marker_of_any_type_is_unlabelled(dtype, marker):
    found = labels(np.array([0, marker, 1, 7], dtype))
    assert found.dtype == np.uint8
    assert found.tolist() == [0, dims.UNLABELLED, 1, 7]


def test_booleans_are_classes():
    assert labels(np.array([True, False])).tolist() == [1, 0]


def test_what_rounding_left_below_0_becomes_0_and_nothing_else_changes():
    stored = np.array([-1e-7, -0.0, 0.25, 1.0000001, np.nan, 0], np.float32)
    found = samples(stored)
    np.testing.assert_array_equal(found, [0, 0, 0.25, np.float32(1.0000001), np.nan, 0])
    assert not np.signbit(found[:2]).any()
    assert found.dtype == np.float32
    whole = np.array([0.5, 0], np.float16)
    assert samples(whole) is whole


def test_splits_are_known_by_name():
    names = ["id", "maps.zarr", "ood", "ood_x", "odd", "train", "val"]
    assert known(names) == ["id", "ood", "ood_x", "val"]


def test_it_stays_lazy_and_keeps_chunks():
    split = random_split("id")
    split["labels"] = split["labels"].astype("int16")
    split["labels"].encoding["chunks"] = (2, 3, 12, 12)
    found = canonical(split)
    assert not found["labels"].variable._in_memory
    assert found["labels"].encoding["chunks"] == (2, 3, 12, 12)
    assert found["labels"].dtype == np.uint8
    np.testing.assert_array_equal(found["labels"][1:3, :, 4], split["labels"][1:3, :, 4])


def masked(split, dtype, marker):
    """The split with a fifth of the labels, and all of rater 1 in image 2, as ``marker``."""
    values = split["labels"].values.astype(dtype)
    values[:, :, :2] = marker
    values[2, 1] = marker
    return split.assign(labels=(dims.LABELS, values))


def as_uint8(split):
    return masked(split, "uint8", 255)


def as_int8(split):
    return masked(split, "int8", -1)


def as_float(split):
    return masked(split, "float32", np.nan)


def by_fill_value(split):
    split = masked(split, "float32", np.nan)
    split["labels"].encoding = {"_FillValue": 99, "dtype": "uint8"}
    return split


def by_scale(split):
    split = as_uint8(split)
    stored = split["labels"].astype("float64")
    stored.encoding = {
        **{"dtype": "int16", "_FillValue": -7},
        **{"scale_factor": 1.0, "add_offset": 3.0},
    }
    return split.assign(labels=stored)


def with_signs(split):
    """Zeros with a minus sign, or a little below: they count as 0."""
    split = as_uint8(split)
    probs = split["probs"].values.copy()
    zero = probs == 0
    assert zero.any()
    probs[zero] = np.where(np.arange(zero.sum()) % 2, -0.0, -6e-8)
    return split.assign(probs=(dims.SAMPLES, probs))


WAYS = [as_uint8, as_int8, as_float, by_fill_value, by_scale, with_signs]


@pytest.fixture(scope="module")
def splits():
    """Splits of samples, some of which are sure."""
    found = {}
    for name in SPLITS:
        split = random_split(name)[["labels", "probs"]]
        probs = split["probs"].values
        probs[:, :, :, :, 0] = np.array([1, 0], np.float16)[:, None]
        found[name] = split.assign(probs=(dims.SAMPLES, probs))
    return found


@pytest.fixture(scope="module")
def scored(splits, tmp_path_factory):
    """Read the same splits, written one way, as the command and as the API do: labels, samples."""

    def read(way):
        folder = tmp_path_factory.mktemp(way.__name__)
        path = folder / "mine.zarr"
        for name, split in splits.items():
            way(split).to_zarr(
                path, group=name, zarr_format=3, consolidated=False, write_empty_chunks=True
            )
        check(path)
        return {name: canonical(store.open_split(path, name)).load() for name in splits}

    return read


@pytest.mark.parametrize("way", WAYS)
def test_splits_are_read_alike_however_they_are_written(way, splits, scored):
    for name, found in scored(way).items():
        expected = as_uint8(splits[name])
        np.testing.assert_array_equal(found["labels"], expected["labels"])
        np.testing.assert_array_equal(found["probs"], expected["probs"])
        assert not np.signbit(found["probs"]).any()
        inside = canonical(way(splits[name])).load()
        np.testing.assert_array_equal(inside["labels"], expected["labels"])
        np.testing.assert_array_equal(inside["probs"], expected["probs"])


@pytest.mark.parametrize("dtype", ["bool", "int64", "float32"])
def test_scores_are_the_same_bits_for_any_type_in_a_store_and_in_memory(dtype, splits, tmp_path):
    (tmp_path / "mine.yaml").write_text(CONFIG)
    found = []
    for kind in ("uint8", dtype):
        path = tmp_path / f"{kind}.zarr"
        given = {}
        for name, split in splits.items():
            given[name] = split.assign(labels=split["labels"].astype(kind))
            if kind != "uint8":
                probs = split["probs"].values.copy()
                probs[probs == 0] = -0.0
                given[name] = given[name].assign(probs=(dims.SAMPLES, probs))
            given[name].to_zarr(path, group=name, zarr_format=3, consolidated=False)
        out = tmp_path / kind
        score_predictions(path, out, dataset="d", config=tmp_path / "mine.yaml")
        found.append((out / "scores.csv").read_bytes())
        memory = segue.score(given, tasks=TASKS, variants=["corrected", "jackknife", "paper_code"])
        written = pd.read_csv(out / "scores.csv", keep_default_na=False, dtype={"image": str})
        assert memory["score"].sort_values().tolist() == written["score"].sort_values().tolist()
    assert found[0] == found[1]


def test_names_and_patients_go_with_the_scores_and_maps(splits, tmp_path):
    path, out = tmp_path / "mine.zarr", tmp_path / "out"
    (tmp_path / "mine.yaml").write_text(CONFIG)
    for name, split in splits.items():
        images = range(split.sizes["image"])
        named = split.assign_coords(patient=("image", [7 * (i // 2) for i in images]))
        if name == "id":
            text = np.array([f"scan, {i}" for i in images], np.dtypes.StringDType())
            named = named.assign(name=("image", text))
        named.to_zarr(path, group=name, zarr_format=3, consolidated=False)
    score_predictions(path, out, config=tmp_path / "mine.yaml")
    table = pd.read_csv(out / "scores.csv", keep_default_na=False, dtype=str)
    here = table["split"] == "id"
    assert (table.loc[here, "name"] == "scan, " + table.loc[here, "image"]).all()
    assert (table.loc[~here, "name"] == "").all()
    maps = store.open_split(out / "maps.zarr", "id")
    assert maps["name"].values.tolist() == [f"scan, {i}" for i in range(6)]
    assert maps["patient"].values.tolist() == ["0", "0", "7", "7", "14", "14"]
    assert "name" not in store.open_split(out / "maps.zarr", "val")
    found = segue.score({"id": store.open_split(path, "id")}, tasks={"ambiguity": {}})
    assert set(found["name"]) == {f"scan, {i}" for i in range(6)}


def test_groups_that_are_no_splits_are_not_scored(splits, tmp_path):
    path, out = tmp_path / "mine.zarr", tmp_path / "out"
    (tmp_path / "mine.yaml").write_text(CONFIG)
    for name, split in {**splits, "train": splits["id"], "notes": xr.Dataset()}.items():
        split.to_zarr(path, group=name, zarr_format=3, consolidated=False)
    score_predictions(path, out, config=tmp_path / "mine.yaml")
    assert store.splits(out / "maps.zarr") == sorted(SPLITS)
    assert set(pd.read_csv(out / "scores.csv")["split"]) == set(SPLITS)
