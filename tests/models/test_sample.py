from pathlib import Path

import numpy as np
import pytest
import torch
import zarr

from segue import dims, integrity, shards, store
from segue.errors import InputError
from segue.models import checkpoint, sample
from segue.models.aleatoric import ssn
from segue.models.checkpoint import Checkpoint, flatten
from segue.models.epistemic import laplace

NETWORK = {"channels": [4, 8], "blocks": 1, "attention": 1, "heads": 1, "group_channels": 4}
METHODS = {
    "softmax": {"method": "softmax"},
    "ssn": {"method": "ssn", "options": {"rank": 2, "loss_samples": 2, "diagonal_epochs": 0}},
    "diffusion": {"method": "diffusion", "options": {"input_scale": 0.1}},
}
IMAGES = 5


@pytest.fixture
def dataset(tmp_path) -> Path:
    path, rng = tmp_path / "dataset.zarr", np.random.default_rng(0)
    with store.publish(path) as new:
        store.describe(new, {"channels": 1, "classes": 2})
        for split in ("train", "val", "id", "ood_noise"):
            image = rng.standard_normal((IMAGES, 1, 8, 8)).astype(np.float32)
            array = store.create(new, split, "image", dims.IMAGE, image.shape, "float32", chunk=4)
            array[:] = image
    return path


def trained(folder: Path, method: str, seed: int = 0) -> str:
    """A checkpoint whose weights are all random."""
    note = {
        "aleatoric": METHODS[method],
        "network": NETWORK,
        "dropout": 0.5,
        "channels": 1,
        "classes": 2,
    }
    model = checkpoint.build(**note, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3, generator=generator)
    flat = flatten(model)
    path = folder / f"{method}{seed}.pt"
    snapshots = torch.stack([flat, 1.2 * flat])
    checkpoint.save(Checkpoint(model.state_dict(), snapshots, {"model": note}), path)
    return str(path)


def run(dataset: Path, name: str, method: str = "ssn", **changes) -> Path:
    folder = dataset.parent
    settings = {
        "dataset": str(dataset),
        "checkpoints": [trained(folder, method, seed) for seed in range(2)],
        "aleatoric": method,
        "sampler": {"steps": 2} if method == "diffusion" else {},
        "epistemic": {"method": "dropout", "hypotheses": 3, "options": {"redraw": False}},
        "au_samples": 4,
        "noise": "independent",
        "bits": 10,
        "batch": 2,
        "labels": ["blobs", "cell", "rep0"],
        "seed": 0,
        "work": str(folder / "work" / name),
        "threads": 1,
    }
    out = folder / f"{name}.zarr"
    sample.sample(out, **{**settings, **changes})
    assert not (folder / "work" / name).exists()
    return out


def probs(path: Path) -> dict[str, np.ndarray]:
    return {s: store.open_split(path, s)["probs"].values for s in store.splits(path)}


@pytest.mark.parametrize(("method", "draws"), [("softmax", 1), ("ssn", 4), ("diffusion", 4)])
def test_every_split_but_train_is_sampled_with_six_named_dimensions(dataset, method, draws):
    out = run(dataset, "a", method)
    assert store.splits(out) == ["id", "ood_noise", "val"]
    for split in store.splits(out):
        array = store.open_split(out, split)["probs"]
        assert array.dims == dims.SAMPLES
        assert array.shape == (IMAGES, 3, draws, 2, 8, 8)
        assert array.dtype == np.float32
        np.testing.assert_allclose(array.sum("class"), 1, atol=2e-3)


@pytest.mark.parametrize("method", ["softmax", "ssn", "diffusion"])
@pytest.mark.parametrize("redraw", [False, True])
@pytest.mark.parametrize("batch", [1, 3, 5])
def test_samples_do_not_depend_on_the_batch_size(dataset, method, redraw, batch):
    epistemic = {"method": "dropout", "hypotheses": 3, "options": {"redraw": redraw}}
    expected, other = (
        probs(run(dataset, "a", method, epistemic=epistemic)),
        probs(run(dataset, "b", method, epistemic=epistemic, batch=batch)),
    )
    for split, values in expected.items():
        np.testing.assert_allclose(other[split], values, atol=1e-3)


@pytest.mark.parametrize("method", ["ssn", "diffusion"])
def test_equal_hypotheses_have_equal_draws_of_common_noise_only(dataset, method):
    member = trained(dataset.parent, method)
    equal = {"checkpoints": [member, member], "epistemic": {"method": "ensemble", "hypotheses": 2}}
    common = probs(run(dataset, "a", method, noise="common", **equal))
    own = probs(run(dataset, "b", method, noise="independent", **equal))
    for split, values in common.items():
        assert np.array_equal(values[:, 0], values[:, 1])
        assert not np.array_equal(own[split][:, 0], own[split][:, 1])
        assert not np.array_equal(values[0], values[1])
        assert not np.array_equal(values[:, :, 0], values[:, :, 1])


def test_redrawn_masks_differ_between_calls_draws_and_images_where_frozen_ones_do_not(dataset):
    # Without noise of its own, softmax shows the masks alone; the images are all the same.
    with store.publish(path := dataset.parent / "same.zarr") as new:
        store.describe(new, {})
        image = np.ones((3, 1, 8, 8), np.float32)
        store.create(new, "id", "image", dims.IMAGE, image.shape, "float32", chunk=3)[:] = image
    drawn = {}
    for redraw in (False, True):
        epistemic = {"method": "dropout", "hypotheses": 2, "options": {"redraw": redraw}}
        made = run(path, f"r{redraw}", "softmax", epistemic=epistemic)
        drawn[redraw] = probs(made)["id"]
    assert np.array_equal(drawn[False][0], drawn[False][1])
    assert not np.array_equal(drawn[True][0], drawn[True][1])
    assert not np.array_equal(drawn[True][:, 0], drawn[True][:, 1])


def test_hypotheses_have_masks_of_their_own_where_their_draws_are_common(dataset):
    epistemic = {"method": "dropout", "hypotheses": 2, "options": {"redraw": True}}
    values = probs(run(dataset, "a", "softmax", noise="common", epistemic=epistemic))["id"]
    assert not np.array_equal(values[:, 0], values[:, 1])


def test_hypotheses_images_and_splits_have_noise_of_their_own(dataset):
    values = probs(run(dataset, "a"))
    draws = values["id"][:, 0]
    assert not np.array_equal(draws[:, 0], draws[:, 1])
    other = probs(run(dataset, "b", labels=["blobs", "cell", "rep1"]))
    assert not np.array_equal(values["id"], other["id"])


@pytest.mark.parametrize(
    ("epistemic", "hypotheses"),
    [
        ({"method": "none"}, 1),
        ({"method": "ensemble"}, 2),
        ({"method": "swag", "options": {"low_rank": True, "scale": 0.5}}, 3),
        ({"method": "snapshots"}, 2),
        ({"method": "tta"}, 3),
    ],
)
def test_each_method_fills_its_hypotheses(dataset, epistemic, hypotheses):
    out = run(dataset, "a", epistemic={**epistemic, "hypotheses": hypotheses})
    values = probs(out)["id"]
    assert values.shape[1] == hypotheses
    assert not np.isnan(values).any()


@pytest.mark.parametrize(
    ("batches", "after", "redrawn"), [(1, 0, 0), (1, 5, 0), (2, 5, 0), (2, 7, 1), (3, 17, 2)]
)
def test_an_interrupted_run_goes_on_with_the_missing_files(
    dataset, monkeypatch, batches, after, redrawn
):
    # Each of 3 hypotheses of 3 splits has 3 batches, in files of `batches` of them.
    expected = probs(run(dataset, "whole"))
    monkeypatch.setattr(shards, "BYTES", batches * 2 * 4 * 8 * 8 * 2)
    draw, calls = sample._draw, []

    def killed(*args):
        if len(calls) > after:  # the first call only asks for the shape
            raise KeyboardInterrupt
        calls.append(1)
        return draw(*args)

    with monkeypatch.context() as patch:
        patch.setattr(sample, "_draw", killed)
        with pytest.raises(KeyboardInterrupt):
            run(dataset, "a")
    assert not (dataset.parent / "a.zarr").exists()
    calls.clear()
    monkeypatch.setattr(sample, "_draw", lambda *args: calls.append(1) or draw(*args))
    resumed = probs(run(dataset, "a"))
    assert len(calls) == 1 + 3 * 3 * 3 - after + redrawn
    files = list((dataset.parent / "a.zarr").glob("id/probs/c/*/0/0/0/0/0"))
    assert len(files) == -(-3 // batches)
    for split, values in expected.items():
        np.testing.assert_array_equal(resumed[split], values)


def test_what_another_training_left_is_not_resumed(dataset, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(integrity, "seal", killed)
        with pytest.raises(KeyboardInterrupt):
            run(dataset, "a", au_samples=2)
    assert probs(run(dataset, "a"))["id"].shape[2] == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sampler": {"steps": "2"}}, r"sampler\.steps: expected an integer, found '2'"),
        ({"sampler": {}}, r"sampler: missing key steps"),
        ({"epistemic": {"method": "dropuot", "hypotheses": 1}}, "epistemic.method: nothing named"),
        (
            {"epistemic": {"method": "swag", "hypotheses": 1, "options": {"low_rank": "no"}}},
            r"epistemic\.options: missing key scale",
        ),
        (
            {
                "epistemic": {
                    "method": "swag",
                    "hypotheses": 1,
                    "options": {"low_rank": "no", "scale": 1},
                }
            },
            r"epistemic\.options\.low_rank: expected true or false, found 'no'",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_drawn(dataset, changes, message):
    with pytest.raises(InputError, match=message):
        run(dataset, "a", "diffusion", **changes)
    assert not (dataset.parent / "work").exists()


@pytest.mark.parametrize(
    ("aleatoric", "message"),
    [
        ({"method": "sns"}, r"aleatoric\.method: nothing named 'sns' in aleatoric"),
        ({"method": "diffusion"}, r"aleatoric\.options: missing key input_scale"),
        (
            {"method": "diffusion", "options": {"input_scale": True}},
            r"aleatoric\.options\.input_scale: expected a number, found True",
        ),
    ],
)
def test_a_model_is_built_with_its_own_options_only(aleatoric, message):
    sizes = {"network": NETWORK, "dropout": 0.0, "channels": 1, "classes": 2}
    with pytest.raises(InputError, match=message):
        checkpoint.build(aleatoric=aleatoric, **sizes, seed=0)


def test_what_is_damaged_of_an_unfinished_store_is_drawn_anew(dataset, monkeypatch, caplog):
    monkeypatch.setattr(shards, "BYTES", 1)  # each batch in a file of its own
    expected = probs(run(dataset, "whole"))

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(integrity, "seal", killed)
        with pytest.raises(KeyboardInterrupt):
            run(dataset, "a")
    unfinished = dataset.parent / "work" / "a" / "a.zarr"
    (unfinished / "zarr.json").write_bytes(b"")
    (unfinished / "id/probs/zarr.json").write_bytes(b"\0" * 256)
    (unfinished / "val/zarr.json").unlink()
    chunks = [unfinished / f"id/probs/c/{image}/1/0/0/0/0" for image in (0, 1, 2)]
    for chunk, content in zip(chunks, (b"", bytes(256), chunks[2].read_bytes()[:-9]), strict=True):
        chunk.write_bytes(content)
    (unfinished / "id/probs/c/0/1/0/0/0/0.123.partial").touch()
    found = run(dataset, "a")
    assert not list(found.rglob("*.partial"))
    for split, values in probs(found).items():
        np.testing.assert_array_equal(values, expected[split])
    assert sum("a damaged chunk is made anew" in message for message in caplog.messages) == 3


def test_all_classes_but_the_first_are_stored_and_say_so(dataset):
    out = run(dataset, "a", "softmax")
    array = zarr.open_array(out / "id/probs")
    (codec,) = array.filters
    assert (codec.axis, codec.value, codec.dtype) == (3, "1 - the sum of the others", "float16")
    found = probs(out)["id"]
    np.testing.assert_array_equal(found.sum(3), 1)
    np.testing.assert_array_equal(found[:, :, :, 1].astype("f2"), found[:, :, :, 1])


def test_samples_keep_as_many_bits_as_they_are_to(dataset):
    full, short = (
        probs(run(dataset, f"b{bits}", bits=bits))["id"][:, :, :, 1].astype("f2")
        for bits in (10, 7)
    )
    assert np.any(full.view(np.uint16) & 0b111)
    assert not np.any(short.view(np.uint16) & 0b111)
    np.testing.assert_allclose(short, full, rtol=2**-8, atol=1e-6)
    with pytest.raises(
        InputError, match=r"samples\.bits: expected 3 to 10 bits of float16, found 11"
    ):
        run(dataset, "c", bits=11)


def test_the_store_says_what_made_it(dataset):
    made_by = store.attributes(run(dataset, "a"))["made_by"]
    assert (made_by["epistemic"]["method"], made_by["noise"]) == ("dropout", "independent")
    assert [c["model"]["aleatoric"]["method"] for c in made_by["checkpoints"]] == ["ssn", "ssn"]


def limited(monkeypatch, most):
    """Let the memory hold no more than ``most`` images of the model ssn."""
    whole, sizes = ssn.Model.sample, []

    def sample(self, image, n, noise):
        sizes.append(len(image))
        if len(image) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB.")
        return whole(self, image, n, noise)

    monkeypatch.setattr(ssn.Model, "sample", sample)
    return sizes


@pytest.mark.parametrize("most", [1, 2, 3])
def test_where_the_memory_is_too_small_fewer_images_are_sampled_at_a_time(
    dataset, monkeypatch, caplog, most
):
    expected = probs(run(dataset, "whole", batch=5))
    sizes = limited(monkeypatch, most)
    for split, values in probs(run(dataset, "a", batch=5)).items():
        np.testing.assert_allclose(values, expected[split], atol=1e-3)
    fits = {1: 1, 2: 2, 3: 2}[most]  # of 5, 2 and 1
    assert caplog.messages == [f"the GPU's memory holds {fits} images of 5 at a time"]
    assert sizes[1:3] == [5, 2]  # after the first image, which tells the shape
    assert max(sizes[4:]) == fits  # what was too many is not tried again
    assert store.open_split(dataset.parent / "a.zarr", "id")["probs"].encoding["chunks"][0] == 5


def with_training_labels(dataset):
    """All readings of two raters, but for one of the second's."""
    labels = np.random.default_rng(1).integers(0, 2, (IMAGES, 2, 8, 8)).astype(np.uint8)
    labels[3, 1] = dims.UNLABELLED
    with store.publish(new := dataset.parent / "labelled.zarr") as path:
        store.describe(path, {"channels": 1, "classes": 2})
        for split in store.splits(dataset):
            image = store.open_split(dataset, split)["image"].values
            array = store.create(path, split, "image", dims.IMAGE, image.shape, "float32", chunk=4)
            array[:] = image
        array = store.create(path, "train", "labels", dims.LABELS, labels.shape, "uint8", chunk=4)
        array[:] = labels
    return new, labels


def test_a_method_that_needs_the_training_data_is_given_each_image_once(dataset, monkeypatch):
    labelled, labels = with_training_labels(dataset)
    given, whole = [], laplace.gauss_newton

    def gauss_newton(model, layer, batches):
        given.extend(batches)
        return whole(model, layer, iter(given))

    monkeypatch.setattr(laplace, "gauss_newton", gauss_newton)
    epistemic = {"method": "laplace", "hypotheses": 2, "options": {"prior_precision": None}}
    made = run(labelled, "a", "softmax", epistemic=epistemic)
    image, label = (torch.cat(each).numpy() for each in zip(*given, strict=True))
    assert [len(each) for each, _ in given] == [2, 2, 1]  # as many at a time as are sampled
    np.testing.assert_array_equal(image, store.open_split(labelled, "train")["image"].values)
    for i in range(IMAGES):
        assert any((label[i] == labels[i, rater]).all() for rater in range(2 if i != 3 else 1))
    for values in probs(made).values():
        assert not np.allclose(values[:, 0], values[:, 1], atol=1e-3)


def test_trainings_of_another_network_are_refused(dataset):
    with pytest.raises(InputError, match=r"expected a training of network.own a:B, found None"):
        run(dataset, "a", own="a:B")


def test_an_image_that_does_not_fit_ends_the_job_with_the_remedy(dataset, monkeypatch):
    limited(monkeypatch, 0)
    with pytest.raises(InputError, match=r"too small \(CUDA out of memory\).*sampling\.au_samples"):
        run(dataset, "a")


def test_a_full_disk_ends_the_job_though_another_thread_writes(dataset, monkeypatch):
    def full(self, *_):
        raise OSError(28, "No space left on device")

    expected = probs(run(dataset, "whole"))
    with monkeypatch.context() as patch:
        patch.setattr(zarr.Array, "__setitem__", full)
        with pytest.raises(OSError, match="No space left") as refused:
            run(dataset, "a")
    assert refused.value.filename is not None
    for split, values in probs(run(dataset, "a")).items():
        np.testing.assert_array_equal(values, expected[split])
