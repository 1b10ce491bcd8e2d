"""A loop's batches become a store that is whole or not there, and is what the batches were."""

import os
import signal
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from handmade import SPLITS, random_split

import segue
from segue import cli, dims, shards, store
from segue.errors import InputError
from segue.evaluation.check import check
from segue.interop import writer as module

PLAIN = ("image", "class", "y", "x")


def batch(images=3, *, classes=2, side=6, seed=0):
    """Probabilities (image, class, y, x) and labels (image, rater, y, x)."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(classes), (images, side, side)).transpose(0, 3, 1, 2)
    return probs, rng.integers(0, classes, (images, 2, side, side))


def write(path, *added, then=None):
    """Write batches, each a split, its arrays and its names; then call ``then``."""
    with segue.PredictionWriter(path, dims=PLAIN) as writer:
        for split, arrays, names in added:
            writer.add(split, *arrays, names=names)
        if then:
            then()


def test_what_was_added_is_in_the_store_in_its_order(tmp_path):
    splits = {name: random_split(name, images=7, classes=3) for name in SPLITS}
    path = tmp_path / "new/mine.zarr"
    with segue.PredictionWriter(path) as writer:
        for start in range(0, 7, 3):  # splits take turns, and the last batch is smaller
            for name, split in splits.items():
                part = split.isel(image=slice(start, start + 3))
                names = [f"case {i}" for i in range(start, start + part.sizes["image"])]
                patients = torch.arange(start, start + part.sizes["image"]) // 2
                writer.add(
                    name,
                    part["probs"].values,
                    part["labels"].values,
                    names=names,
                    patients=patients,
                )
    check(path)
    for name, split in splits.items():
        found = store.open_split(path, name)
        xr.testing.assert_equal(found["probs"].variable, split["probs"].variable)
        xr.testing.assert_equal(found["labels"].variable, split["labels"].variable)
        assert found["name"].values.tolist() == [f"case {i}" for i in range(7)]
        assert found["patient"].values.tolist() == [str(i // 2) for i in range(7)]
    assert os.listdir(tmp_path / "new") == ["mine.zarr"]


def test_other_programs_read_it_without_segue(tmp_path):
    probs, labels = batch()
    with segue.PredictionWriter(tmp_path / "mine.zarr", dims=PLAIN) as writer:
        writer.add("id", probs, labels)
    code = (
        "import sys, zarr; sys.modules['segue'] = None; "
        f"print(zarr.open_group({str(tmp_path / 'mine.zarr')!r}, mode='r')['id/probs'][:].sum())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert float(done.stdout) == pytest.approx(3 * 6 * 6, rel=1e-3), done.stderr


def test_a_loop_over_many_files_comes_out_as_one_array(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 300)
    monkeypatch.setattr(shards, "BYTES", 2000)
    whole, labels = batch(50)
    with segue.PredictionWriter(tmp_path / "mine.zarr", dims=PLAIN) as writer:
        for part in np.split(np.arange(50), [1, 2, 20, 47]):
            writer.add("id", whole[part], labels[part])
    found = store.open_split(tmp_path / "mine.zarr", "id", all_chunks=True)
    np.testing.assert_array_equal(found["probs"][:, 0, 0], whole.astype(np.float16))
    np.testing.assert_array_equal(found["labels"], labels)
    assert len(list((tmp_path / "mine.zarr/id/probs/c").iterdir())) == 5
    assert check(tmp_path / "mine.zarr")


def test_memory_does_not_grow_with_the_number_of_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "BYTES", 2**20)
    probs, labels = batch(16, side=64)

    def peak(batches):
        tracemalloc.start()
        with segue.PredictionWriter(tmp_path / f"{batches}.zarr", dims=PLAIN) as writer:
            for _ in range(batches):
                writer.add("id", probs, labels)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, many = peak(10), peak(40)  # 40 batches hold 10 MB
    assert many < few + 2 * 2**20


@pytest.mark.parametrize(
    "order",
    [
        ("image", "eu_sample", "class", "y", "x"),
        ("au_sample", "image", "class", "y", "x"),
        ("x", "y", "class", "au_sample", "eu_sample", "image"),
    ],
)
def test_axes_are_where_they_are_said_to_be(order, tmp_path):
    rng = np.random.default_rng(0)
    sizes = dict(zip(dims.SAMPLES, (4, 3, 5, 2, 6, 7), strict=True))
    probs = rng.dirichlet([1, 1], [sizes[d] for d in order if d != "class"])
    given = xr.DataArray(probs, dims=[*(d for d in order if d != "class"), "class"])
    labels = torch.zeros(4, 6, 7, dtype=torch.int64)
    with segue.PredictionWriter(tmp_path / "a.zarr", dims=order) as writer:
        writer.add("id", given.transpose(*order).values, labels)
    found = store.open_split(tmp_path / "a.zarr", "id")
    assert found["labels"].shape == (4, 1, 6, 7)
    expected = given.expand_dims([d for d in dims.SAMPLES if d not in order])
    expected = expected.transpose(*dims.SAMPLES).values.astype(np.float16)
    np.testing.assert_array_equal(found["probs"], expected)


def test_an_array_of_xarray_says_itself_where_its_axes_are(tmp_path):
    probs, labels = batch()
    turned = xr.DataArray(probs, dims=PLAIN).transpose("y", "x", "image", "class")
    masks = xr.DataArray(labels, dims=dims.LABELS).transpose("x", "rater", "y", "image")
    with segue.PredictionWriter(tmp_path / "a.zarr") as writer:
        writer.add("id", turned, masks)
        with pytest.raises(InputError, match=r"found \('x', 'expert', 'y', 'image'\); rename"):
            writer.add("id", turned, masks.rename(rater="expert"))
    found = store.open_split(tmp_path / "a.zarr", "id")
    np.testing.assert_array_equal(found["probs"][:, 0, 0], probs.astype(np.float16))
    np.testing.assert_array_equal(found["labels"], labels)


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_tensors_of_any_float_that_ask_for_gradients_are_taken(kind, tmp_path):
    probs, labels = batch()
    tensor = torch.from_numpy(probs).to(kind).requires_grad_()
    with segue.PredictionWriter(tmp_path / "a.zarr", dims=PLAIN) as writer:
        writer.add("id", tensor, torch.from_numpy(labels))
    found = store.open_split(tmp_path / "a.zarr", "id")["probs"].values
    np.testing.assert_allclose(found[:, 0, 0], probs, atol=0.004)
    check(tmp_path / "a.zarr")


def test_pixels_without_a_label_stay_without_one(tmp_path):
    probs, labels = batch()
    labels[0, 0, 0, 0], labels[0, 0, 0, 1] = -1, 255
    with segue.PredictionWriter(tmp_path / "a.zarr", dims=PLAIN) as writer:
        writer.add("id", probs, labels)
    assert (store.open_split(tmp_path / "a.zarr", "id")["labels"][0, 0, 0, :2] == 255).all()


def wrong_sum(probs, labels):
    probs[1, :, 2, 3] = 0.2
    return probs, labels


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (wrong_sum, r"'b', batch 2: .*/id/probs: image 4, .* y 2, x 3: expected a sum of 1"),
        (lambda p, m: (np.log(p), m), "'a', batch 2: .*logarithms of probabilities: write np.exp"),
        (lambda p, m: (p * np.nan, m), "'a', batch 2: .*found NaN"),
        (lambda p, m: (p, m + 2), r"batch 2: .*/id/labels: image 3, .*expected a class, 0 to 1"),
        (lambda p, m: (p[:, 1:], m), r"batch 2: .*expected at least 2 along 'class', found 1"),
        (lambda p, m: (p[..., :5], m), r"batch 2: .*/id/labels: expected 5 along 'x' as .*, found"),
        (
            lambda p, m: (p[..., :5], m[..., :5]),
            r"batch 2: .*/id: expected 6 along 'x' as in the batches before, found 5",
        ),
        (lambda p, m: (p, m[:, :1]), "batch 2: .*expected 2 along 'rater' as in the batches"),
        (
            lambda p, m: (p[:, None], m),
            r"expected the 4 axes \('image', 'class', 'y', 'x'\), found",
        ),
        (lambda p, m: (p.astype(str), m), "batch 2: .*/id/probs: expected a tensor or an array of"),
        (
            lambda p, m: ((p > 0.5).astype(int), m),
            "batch 2: .*/id/probs: expected floats",
        ),
        (lambda p, m: (p, m[0, 0]), r"expected the axes .* or \(image, y, x\) of one rater"),
        (lambda p, m: (p[:0], m[:0]), "batch 2: .*expected at least 1 along 'image', found 0"),
    ],
)
def test_a_wrong_batch_is_refused_by_its_place_and_nothing_is_left(change, message, tmp_path):
    wrong = change(*batch(seed=1))
    names = ["a", "b", "c"][: len(wrong[0])]
    with pytest.raises(InputError, match=message):
        write(tmp_path / "a.zarr", ("id", batch(), ["x", "y", "z"]), ("id", wrong, names))
    assert os.listdir(tmp_path) == []


def test_a_batch_that_is_refused_leaves_nothing_of_itself(tmp_path):
    with segue.PredictionWriter(tmp_path / "a.zarr", dims=PLAIN) as writer:
        for probs, labels in (batch(), (-batch()[0], batch()[1]), batch(side=9), batch(seed=2)):
            try:
                writer.add("id", probs, labels)
            except InputError:
                continue
    found = store.open_split(tmp_path / "a.zarr", "id")["probs"]
    expected = np.concatenate([batch()[0], batch(seed=2)[0]]).astype(np.float16)
    np.testing.assert_array_equal(found[:, 0, 0], expected)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["d", "a", "e"], "'a' was added before"),
        (["d", "d", "e"], "'d' was added before"),
        (["d", "", "e"], "found an empty one"),
        (["d", "e"], "expected 3, one an image, found 2"),
        ("def", "expected 3, one an image, found 'def'"),
        (torch.tensor(7), "expected 3, one an image, found 1"),
        (None, "expected names as in the batches before"),
    ],
)
def test_images_have_names_of_their_own_or_all_have_none(names, message, tmp_path):
    first = [(split, batch(), ["a", "b", "c"]) for split in ("id", "val")]
    with pytest.raises(InputError, match=message):
        write(tmp_path / "a.zarr", *first, ("id", batch(), names))


def test_splits_have_the_names_of_splits(tmp_path):
    with segue.PredictionWriter(tmp_path / "a.zarr", dims=PLAIN) as writer:
        writer.add("id", *batch())
        with pytest.raises(
            InputError, match="expected a split val, id or ood_<shift>, found 'test'"
        ):
            writer.add("test", *batch())


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (("image", "class", "y"), "expected 'x' in"),
        (("image", "channel", "y", "x"), "expected some of"),
        (("image", "image", "class", "y", "x"), "each once"),
        ("image", "each once"),
    ],
)
def test_axes_that_there_are_not_are_refused(order, message):
    with pytest.raises(InputError, match=message):
        segue.PredictionWriter("a.zarr", dims=order)


def test_nothing_is_left_of_a_loop_that_fails_or_adds_nothing(tmp_path):
    path = tmp_path / "a.zarr"
    with pytest.raises(ZeroDivisionError):
        write(path, ("id", batch(), None), then=lambda: 1 / 0)
    with pytest.raises(InputError, match="nothing was added"), segue.PredictionWriter(path):
        pass
    assert os.listdir(tmp_path) == []
    with pytest.raises(InputError, match="not open; use `with"):
        segue.PredictionWriter(path, dims=PLAIN).add("id", *batch())


def test_a_writer_can_begin_anew_after_a_loop_that_failed(tmp_path):
    writer = segue.PredictionWriter(tmp_path / "a.zarr", dims=PLAIN)
    for side in (6, 9):
        try:
            with writer:
                writer.add("id", *batch(side=side), names=["x", "y", "z"])
                _ = 1 / (side - 6)
        except ZeroDivisionError:
            continue
    found = store.open_split(tmp_path / "a.zarr", "id")
    assert found["probs"].shape == (3, 1, 1, 2, 9, 9)


def test_a_store_that_is_there_stays(tmp_path):
    path = tmp_path / "a.zarr"
    with segue.PredictionWriter(path, dims=PLAIN) as writer:
        writer.add("id", *batch())
    before = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
    with pytest.raises(InputError, match="exists already"), segue.PredictionWriter(path):
        pass
    assert {p: p.read_bytes() for p in path.rglob("*") if p.is_file()} == before


KILLED = """
import os, signal, sys, numpy, segue
with segue.PredictionWriter(sys.argv[1], dims=("image", "class", "y", "x")) as writer:
    writer.add("id", numpy.full((3, 2, 6, 6), .5), numpy.zeros((3, 6, 6), int))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_loop_leaves_is_hidden_and_goes_with_the_next(tmp_path):
    path = tmp_path / "a.zarr"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)])
    assert done.returncode == -signal.SIGKILL
    assert os.listdir(tmp_path) == [".a.zarr.unfinished"]
    with segue.PredictionWriter(path, dims=PLAIN) as writer:
        writer.add("val", *batch())
    assert os.listdir(tmp_path) == ["a.zarr"]
    assert store.splits(path) == ["val"]


def test_two_loops_do_not_write_to_one_store(tmp_path):
    path, inside, go_on = tmp_path / "a.zarr", threading.Event(), threading.Event()

    def loop():
        with segue.PredictionWriter(path, dims=PLAIN) as writer:
            inside.set()
            go_on.wait(30)
            writer.add("id", *batch())

    thread = threading.Thread(target=loop)
    thread.start()
    inside.wait(30)
    with (
        pytest.raises(InputError, match="another process is writing"),
        segue.PredictionWriter(path),
    ):
        pass
    go_on.set()
    thread.join()
    check(path)


def test_masks_of_0_and_255_are_told_at_the_first_batch(tmp_path, caplog):
    probs, labels = batch()
    with segue.PredictionWriter(tmp_path / "a.zarr", dims=PLAIN) as writer:
        writer.add("id", probs, labels * 255)
        assert "if 255 is the foreground of masks, write labels // 255" in caplog.text


def test_the_same_loop_writes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        with segue.PredictionWriter(tmp_path / f"{name}.zarr", dims=PLAIN) as writer:
            writer.add("id", *batch(), names=["x", "y", "z"])
    files = {
        name: {
            p.relative_to(tmp_path / f"{name}.zarr"): p.read_bytes()
            for p in (tmp_path / f"{name}.zarr").rglob("*")
            if p.is_file()
        }
        for name in ("a", "b")
    }
    assert files["a"] == files["b"]


def test_members_along_the_batch_come_apart_as_the_documentation_says(tmp_path):
    """As torch-uncertainty has them: all images of the first member, then those of the second."""
    members = [batch(seed=seed)[0] for seed in (0, 1)]
    probs = torch.from_numpy(np.concatenate(members)).unflatten(0, (2, -1))
    order = ("eu_sample", "image", "class", "y", "x")
    with segue.PredictionWriter(tmp_path / "a.zarr", dims=order) as writer:
        writer.add("id", probs, batch()[1])
    found = store.open_split(tmp_path / "a.zarr", "id")["probs"]
    for i, member in enumerate(members):
        np.testing.assert_array_equal(found[:, i, 0], member.astype(np.float16))


def test_a_plain_loop_gets_from_predictions_to_delta_in_three_commands(tmp_path, capsys):
    """An ensemble of networks in PyTorch, as anybody's loop has it."""
    torch.manual_seed(0)
    members = [torch.nn.Conv2d(1, 2, 3, padding=1) for _ in range(3)]
    store_of, out = tmp_path / "mine.zarr", tmp_path / "scores"
    with (
        torch.inference_mode(),
        segue.PredictionWriter(store_of, dims=("image", "eu_sample", "class", "y", "x")) as writer,
    ):
        for name in SPLITS:
            for start in range(0, 8, 4):
                images = torch.rand(4, 1, 12, 12)
                masks = (images + torch.randn(4, 2, 12, 12) / 3 > 0.5).long()
                probs = torch.stack([member(images).softmax(1) for member in members], dim=1)
                writer.add(name, probs, masks, names=[f"{i}" for i in range(start, start + 4)])
    assert cli.main(["check", str(store_of)]) == 0
    assert cli.main(["score", str(store_of), "--out", str(out), "--epistemic", "ensemble"]) == 0
    deltas = pd.read_csv(out / "deltas.csv")
    assert np.isfinite(deltas["delta"]).all()
    assert "Δ" in capsys.readouterr().out
