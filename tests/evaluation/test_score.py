import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from handmade import SPLITS, by_key, random_split, split_of, write_stores
from sklearn.metrics import roc_auc_score

from segue import dims, store
from segue.errors import InputError
from segue.evaluation.maps import write_maps
from segue.evaluation.score import open_splits, score, scores
from segue.evaluation.tasks import segmentation
from segue.evaluation.variants import VARIANTS
from segue.keys import REPLICATE, SCORE_ROW
from segue.report.score_files import read_intervals, read_means

KEY = {"study": "s", "dataset": "lung", "aleatoric": "ssn", "epistemic": "none", "replicate": 3}
OPTIONS = {
    "ood": {"patch": 5},
    "ambiguity": {},
    "calibration": {"ace_bins": 20, "platt_bins": 256},
    "segmentation": {},
    "failure": {},
}
SETTINGS = {"key": KEY, "variants": ["corrected"], "options": OPTIONS, "seed": 0}


def _stores(folder, splits, chunk=4):
    paths = write_stores(folder, splits, chunk)
    maps = folder / "maps.zarr"
    options = {"segmentation": {}}
    write_maps(maps, **paths, none_roles="samples_as_hypotheses", options=options)
    return {"dataset": paths["dataset"], "maps": str(maps)}


def _read(path):
    return pd.read_csv(path, keep_default_na=False)


@pytest.fixture(scope="module")
def splits():
    return {name: random_split(name, images=5, classes=3, raters=4) for name in SPLITS}


@pytest.fixture(scope="module")
def paths(splits, tmp_path_factory):
    return _stores(tmp_path_factory.mktemp("stores"), splits)


@pytest.fixture(scope="module")
def written(paths, tmp_path_factory):
    out = tmp_path_factory.mktemp("scores") / "rep3.csv"
    score(out, **paths, **SETTINGS)
    return out


def test_rows_are_tidy_and_carry_the_key_of_the_cell(written):
    table = _read(written)
    assert tuple(table.columns) == SCORE_ROW
    for name, value in KEY.items():
        assert set(table[name]) == {value}
    assert not table.duplicated(list(SCORE_ROW[:-1])).any()
    assert set(table["task"]) == set(OPTIONS)
    assert set(table["measure"]) == {"", *dims.MEASURES}


def test_every_split_is_scored_image_by_image(written):
    table = _read(written)
    for metric in ("dice", "nll", "brier", "ged", "ged_bma", "hm_iou", "ncc", "ncc_entropy"):
        rows = table[table["metric"] == metric]
        assert set(rows["split"]) == set(SPLITS)
        for _, group in rows.groupby(["split", "measure", "aggregation"]):
            assert group["image"].tolist() == list("01234")
    for metric, how in (
        ("auroc", "border"),
        ("aurc", "mean"),
        ("ace", "pooled"),
        ("ece", "pooled"),
    ):
        rows = table[(table["metric"] == metric) & (table["aggregation"] == how)]
        assert set(rows["image"]) == {"all"}


def test_an_area_is_that_of_scikit_learn_on_the_stored_maps(paths, written):
    maps = [store.open_split(Path(paths["maps"]), name) for name in ("id", "ood_noise")]
    means = [each["uncertainty"].sel(measure="EU").mean(("y", "x")).values for each in maps]
    expected = roc_auc_score([0] * 5 + [1] * 5, np.concatenate(means))
    table = _read(written)
    here = (table["metric"] == "auroc") & (table["split"] == "ood_noise")
    rows = table[here & (table["measure"] == "EU") & (table["aggregation"] == "mean")]
    assert rows["score"].item() == pytest.approx(expected)


def test_numbers_in_the_file_are_those_that_were_computed(paths, written):
    found = {}
    with written.open(newline="") as file:
        for row in csv.DictReader(file):
            key = tuple(row[name] for name in ("metric", "split", "measure", "aggregation"))
            found.setdefault(key, []).append(float(row["score"]))
    opened = open_splits(*(Path(paths[name]) for name in ("dataset", "maps")), OPTIONS)
    for task, options in OPTIONS.items():
        for key, values in by_key(scores(task, opened, ["corrected"], options)).items():
            assert found[key[1:]] == np.atleast_1d(values).tolist()


def test_the_file_is_the_same_however_stores_are_chunked(splits, written, tmp_path):
    score(tmp_path / "again.csv", **_stores(tmp_path, splits, chunk=4), **SETTINGS)
    assert (tmp_path / "again.csv").read_bytes() == written.read_bytes()
    score(tmp_path / "other.csv", **_stores(tmp_path / "other", splits, chunk=2), **SETTINGS)
    one, other = _read(written), _read(tmp_path / "other.csv")
    np.testing.assert_allclose(other.pop("score"), one.pop("score"), rtol=1e-5, atol=1e-6)
    pd.testing.assert_frame_equal(one, other)


def test_every_variant_has_every_row(paths, written, tmp_path):
    settings = SETTINGS | {"variants": ["corrected", "paper_code"]}
    score(tmp_path / "both.csv", **paths, **settings)
    both = _read(tmp_path / "both.csv")
    assert both["variant"].iloc[0] == "corrected"
    by_variant = dict(list(both.groupby("variant")))
    order = list(SCORE_ROW[:3] + SCORE_ROW[4:-1])
    corrected, paper_code = (
        by_variant[name].drop(columns="variant").sort_values(order).reset_index(drop=True)
        for name in ("corrected", "paper_code")
    )
    alone = _read(written).drop(columns="variant").sort_values(order).reset_index(drop=True)
    pd.testing.assert_frame_equal(corrected, alone)
    pd.testing.assert_frame_equal(corrected[order], paper_code[order])
    assert not corrected.equals(paper_code)


def _in_order(table):
    """Rows of one variant as they are compared, in one order."""
    order = list(SCORE_ROW[:3] + SCORE_ROW[4:-1])
    return table.drop(columns="variant").sort_values(order).reset_index(drop=True)


def test_the_variant_jackknife_is_corrected_on_maps_by_the_jackknife(splits, tmp_path):
    paths = _stores(tmp_path, splits)
    variants = ["corrected", "jackknife", "paper_code"]
    score(tmp_path / "all.csv", **paths, **(SETTINGS | {"variants": variants}))
    found = dict(list(_read(tmp_path / "all.csv").groupby("variant")))
    assert list(found) == variants
    swapped = {}
    for name, split in open_splits(*map(Path, paths.values()), OPTIONS).items():
        swapped[name] = split.assign(uncertainty=split["uncertainty_jackknife"])
    for variant, given in (
        ("corrected", open_splits(*map(Path, paths.values()), OPTIONS)),
        ("jackknife", swapped),
    ):
        here = found[variant]
        for task, options in OPTIONS.items():
            expected = by_key(scores(task, given, ["corrected"], options))
            rows = here[here["task"] == task]
            for key, values in rows.groupby(["metric", "split", "measure", "aggregation"]):
                label = next(k for k in expected if k[1:] == key)
                assert (
                    values["score"].astype(float).tolist()
                    == np.atleast_1d(expected[label]).tolist()
                )
    one, other = (_in_order(found[name]) for name in ("corrected", "jackknife"))
    pd.testing.assert_frame_equal(one.drop(columns="score"), other.drop(columns="score"))
    differs = one["score"] != other["score"]
    assert set(one.loc[differs, "task"]) == {"ood", "ambiguity", "calibration", "failure"}
    limits = _read(_intervals(tmp_path / "all.csv"))
    deltas = limits[limits["metric"] == "delta"].groupby("variant")["value"].apply(list)
    assert len(deltas["jackknife"]) == len(deltas["corrected"]) == len(deltas["paper_code"])
    assert deltas["jackknife"] != deltas["corrected"]


def test_other_variants_have_the_same_scores_with_and_without_the_jackknife(splits, tmp_path):
    paths = _stores(tmp_path, splits)
    read = []
    for variants in (["corrected", "paper_code"], ["corrected", "jackknife", "paper_code"]):
        out = tmp_path / f"{len(variants)}.csv"
        score(out, **paths, **(SETTINGS | {"variants": variants}))
        tables = (_read(out), _read(_intervals(out)))
        tables = [table[table["variant"] != "jackknife"] for table in tables]
        order = [[c for c in table.columns if c in SCORE_ROW[:-1]] for table in tables]
        read.append(
            [t.sort_values(o, ignore_index=True) for t, o in zip(tables, order, strict=True)]
        )
    for one, other in zip(*read, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_what_reads_no_maps_is_scored_once_under_all_variants(paths, monkeypatch):
    calls = []
    plain = segmentation.score

    def counted(splits, variants):
        calls.append(variants)
        return plain(splits, variants)

    monkeypatch.setattr(segmentation, "score", counted)
    opened = open_splits(*(Path(paths[name]) for name in ("dataset", "maps")), ["segmentation"])
    found = by_key(scores("segmentation", opened, list(VARIANTS), {}))
    assert calls == [tuple(VARIANTS.values())]
    assert {key[0] for key in found} == {*VARIANTS}


@pytest.mark.parametrize("lacking", ["summarised", "eu_sample", "uncertainty_jackknife"])
def test_maps_that_do_not_have_all_are_refused_with_the_remedy(paths, tmp_path, lacking):
    whole = Path(paths["maps"])
    known = store.attributes(whole) | ({"summarised": {}} if lacking == "summarised" else {})
    with store.publish(tmp_path / "maps.zarr") as path:
        store.describe(path, {key: value for key, value in known.items() if key != "eu_sample"})
        if lacking != "eu_sample":
            store.describe(path, known)
        for name in SPLITS:
            for variable, array in store.open_split(whole, name).items():
                if variable != lacking:
                    kept = store.create(
                        path, name, variable, array.dims, array.shape, str(array.dtype), chunk=2
                    )
                    kept[:] = array.values
    said = "segmentation" if lacking == "summarised" else lacking
    with pytest.raises(InputError, match=rf"{said}.*; remove .*maps.zarr and make it again"):
        score(tmp_path / "a.csv", **(paths | {"maps": str(tmp_path / "maps.zarr")}), **SETTINGS)


def _undefined(folder, splits):
    """Scores, and intervals of what has a reason, as they are read for the tables."""
    score(folder / "a.csv", **_stores(folder, splits), **SETTINGS)
    cell = [[KEY[name] for name in REPLICATE]]
    means = read_means([folder / "a.csv"], cell)
    limits = read_intervals([folder / "a.csv"], cell, means)
    return means, limits[limits["reason"] != ""]


def test_a_single_rater_has_no_ambiguity_and_nothing_else_is_undefined(tmp_path):
    splits = {name: random_split(name, hypotheses=1, raters=1) for name in SPLITS}
    means, without = _undefined(tmp_path, splits)
    undefined = {"ncc", "ncc_entropy", "diversity_raters"}
    assert set(means.loc[means["score"].isna(), "metric"]) == undefined
    assert not means.loc[means["metric"].isin(undefined), "score"].notna().any()
    assert set(without["task"]) == {"ambiguity", "segmentation"}
    assert set(without["metric"]) == undefined | {"delta"}
    assert set(without.loc[without["task"] == "ambiguity", "reason"]) == {
        "no image that two raters read"
    }
    assert without[["value", "low", "high"]].isna().all(axis=None)
    assert set(without["images"].dropna()) == {0}


@pytest.mark.parametrize("variants", [["corrected"], ["corrected", "paper_code"]])
def test_one_hypothesis_with_one_draw_has_no_au_no_eu_and_no_delta(tmp_path, variants):
    splits = {name: random_split(name, hypotheses=1, draws=1) for name in SPLITS}
    settings = SETTINGS | {"variants": variants}
    score(tmp_path / "a.csv", **_stores(tmp_path, splits), **settings)
    table = _read(tmp_path / "a-intervals.csv")
    split = table["measure"].isin(["AU", "EU"]) | (table["metric"] == "delta")
    assert (table.loc[split, ["value", "low", "high"]] == "").all(axis=None)
    assert set(table.loc[split, "reason"]) == {
        "one hypothesis with one draw has no split into AU and EU"
    }
    deltas = table[table["metric"] == "delta"]
    assert {*zip(deltas["task"], deltas["split"], strict=True)} == {
        ("ood", "ood"),
        *((task, split) for task in ("ambiguity", "calibration") for split in ("id", "ood")),
    }
    draws = table["metric"].isin(["diversity", "draw_information"])
    assert set(table.loc[draws, "reason"]) == {"one draw a hypothesis"}
    assert (table.loc[~split & ~draws, "value"] != "").all()
    assert (table.loc[~split & ~draws, "reason"] == "").all()


def test_an_undefined_image_is_empty_in_the_file_and_counted_beside_it(splits, tmp_path):
    labels = splits["id"]["labels"].copy()
    labels[1], labels[3, 1:] = dims.UNLABELLED, dims.UNLABELLED
    lacking = splits | {"id": splits["id"].assign(labels=labels)}
    score(tmp_path / "a.csv", **_stores(tmp_path, lacking), **SETTINGS)
    rows, limits = _read(tmp_path / "a.csv"), _read(tmp_path / "a-intervals.csv")

    def empty(metric):
        here = (rows["metric"] == metric) & (rows["split"] == "id")
        return set(rows.loc[here & (rows["score"] == ""), "image"])

    def images(metric):
        here = (limits["metric"] == metric) & (limits["split"] == "id")
        return set(limits.loc[here, "images"])

    assert (empty("dice"), empty("ncc"), empty("ged")) == ({"1"}, {"1", "3"}, {"1"})
    assert (images("dice"), images("ncc"), images("aurc")) == ({"4"}, {"3"}, {"4"})
    assert images("ace") == {"4"}
    assert set(limits.loc[limits["split"] == "val", "images"]) == {"5"}
    missing = rows[rows["metric"] == "missing_readings"]
    assert missing["split"].unique().tolist() == ["id"]
    assert missing["score"].astype(float).tolist() == [0, 4, 0, 3, 0]


def test_the_same_data_have_the_same_intervals_whatever_they_are_called(paths, written, tmp_path):
    other = SETTINGS | {"key": KEY | {"dataset": "something else"}}
    score(tmp_path / "a.csv", **paths, **other)
    one, two = (_read(p) for p in (_intervals(written), tmp_path / "a-intervals.csv"))
    pd.testing.assert_frame_equal(one.drop(columns="dataset"), two.drop(columns="dataset"))


def _intervals(path):
    return path.with_name(f"{path.stem}-intervals.csv")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": {"no_task": {}}}, "scores: nothing named 'no_task' in tasks"),
        ({"options": {"ood": {"pach": 5}}}, "scores.ood: unknown key pach"),
        ({"options": {"ood": {}}}, "scores.ood: missing key patch"),
        ({"options": {"ood": {"patch": 5.0}}}, "scores.ood.patch: expected an integer, found 5.0"),
        ({"variants": ["best"]}, "variants: unknown 'best'"),
    ],
)
def test_wrong_settings_are_refused_and_leave_no_file(paths, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        score(tmp_path / "scores" / "a.csv", **paths, **(SETTINGS | changes))
    assert not list((tmp_path / "scores").glob("*"))


@pytest.mark.parametrize(
    ("there", "tasks", "said"),
    [
        (["id"], {"ambiguity", "segmentation", "failure"}, "at least one split 'ood_<shift>'"),
        (["val"], {"ambiguity", "segmentation", "failure", "calibration"}, "the split 'id'"),
        (["id", "ood_blur"], set(OPTIONS) - {"calibration"}, "the split 'val'; found only id, ood"),
        (["ood_blur"], {"ambiguity", "segmentation", "failure"}, "the split 'id'; found only ood"),
        (["val", "id", "ood_blur"], set(OPTIONS), ""),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_what_the_splits_allow_is_scored_and_the_log_says_what_is_left_out(
    splits, tmp_path, caplog, there, tasks, said
):
    some = {name: splits[name] for name in there}
    score(tmp_path / "a.csv", **_stores(tmp_path, some), **SETTINGS)
    table = _read(tmp_path / "a.csv")
    assert set(table["task"]) == tasks
    assert set(table["split"]) == set(there)
    assert (f"left out, for it needs {said}" in caplog.text) == bool(said)
    assert ("threshold" in set(table["aggregation"])) == (there == ["val", "id", "ood_blur"])
    limits = _read(tmp_path / "a-intervals.csv")
    assert set(limits["task"]) == tasks


def test_stores_of_different_images_are_refused_by_name(splits, paths, tmp_path):
    fewer = {name: split.isel(image=slice(3)) for name, split in splits.items()}
    other = write_stores(tmp_path, fewer)
    dataset, said = paths["dataset"], r"along 'image' as \w+ has, found [35]; make"
    with pytest.raises(InputError, match=said):
        score(tmp_path / "a.csv", **(paths | {"dataset": other["dataset"]}), **SETTINGS)
    mixed = {"dataset": dataset, "samples": other["samples"]}
    with pytest.raises(InputError, match=said):
        write_maps(tmp_path / "maps.zarr", **mixed, none_roles="strict", options={})


def test_an_interval_that_there_is_not_is_empty_and_is_read_as_such(splits, tmp_path):
    alone = splits | {"val": splits["val"].isel(image=[0])}
    score(tmp_path / "a.csv", **_stores(tmp_path, alone), **SETTINGS)
    table = _read(tmp_path / "a-intervals.csv")
    assert (table.loc[table["split"] == "val", ["low", "high"]] == "").all(axis=None)
    cell = [KEY[name] for name in REPLICATE]
    paths = [tmp_path / "a.csv"]
    found = read_intervals(paths, [cell], read_means(paths, [cell]))
    empty = found["low"].isna()
    assert empty.equals(found["split"] == "val")


def test_a_score_that_is_no_number_stops_it_by_name(splits):
    broken = dict(splits)
    maps = splits["id"]["uncertainty"].copy()
    maps[2, 1, 3, 3] = np.nan
    broken["id"] = splits["id"].assign(uncertainty=maps)
    with pytest.raises(
        InputError, match=r"scores.ambiguity: ncc AU of the split 'id' is no finite"
    ):
        list(scores("ambiguity", broken, ["corrected"], {}))


def test_sure_samples_that_are_the_raters_common_mask_are_perfect(tmp_path):
    splits = {}
    for name in SPLITS:
        label = random_split(name, raters=1)["labels"].values[:, 0]
        probs = np.stack([label == 0, label == 1], axis=1)[:, None, None]
        probs = probs.repeat(2, axis=2)  # draws
        splits[name] = split_of(label[:, None].repeat(3, axis=1), probs.astype(np.float16))
    score(tmp_path / "a.csv", **_stores(tmp_path, splits), **SETTINGS)
    table = _read(tmp_path / "a.csv")
    perfect = {"dice": 1, "hm_iou": 1, "ged": 0, "ged_bma": 0, "nll": 0, "brier": 0, "aurc": 0}
    for metric, value in {**perfect, "auroc": 0.5, "ncc": 0}.items():
        np.testing.assert_allclose(table.loc[table["metric"] == metric, "score"], value, atol=1e-6)


def test_a_score_that_is_no_number_stops_it_where_other_images_are_undefined(splits):
    labels, maps = splits["id"]["labels"].copy(), splits["id"]["uncertainty"].copy()
    labels[0] = dims.UNLABELLED
    lacking = splits["id"].assign(labels=labels)
    assert list(scores("ambiguity", splits | {"id": lacking}, ["corrected"], {}))
    maps[2, 1, 3, 3] = np.nan
    broken = splits | {"id": lacking.assign(uncertainty=maps)}
    with pytest.raises(InputError, match=r"ncc AU of the split 'id' is no finite number"):
        list(scores("ambiguity", broken, ["corrected"], {}))
