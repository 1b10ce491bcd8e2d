from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from segue import dims, store
from segue.dims import UNLABELLED
from segue.errors import InputError
from segue.models import checkpoint, examples, train
from segue.models.aleatoric import prob_unet, softmax
from segue.models.checkpoint import flatten
from segue.models.device import resumable

SSN = {"method": "ssn", "options": {"rank": 2, "loss_samples": 2, "diagonal_epochs": 1}}
PROB_UNET = {
    "method": "prob_unet",
    "options": {"latent": 2, "beta": 0.001, "warmup_epochs": 0, "width": 1.0},
}
SETTINGS = {
    "aleatoric": {"method": "softmax"},
    "network": {"channels": [4, 8], "blocks": 1, "attention": 1, "heads": 1, "group_channels": 4},
    "recipe": {"dropout": 0.0, "snapshots": 2},
    "training": {
        "epochs": 4,
        "batch": 4,
        "learning_rate": 0.01,
        "weight_decay": 0.0,
        "clip": 0.5,
        "ema": 0.9,
    },
    "labels": ["blobs", "softmax", "plain", "seed0"],
    "seed": 0,
    "threads": 1,
}


@pytest.fixture
def blobs(tmp_path) -> Path:
    return write(tmp_path, np.random.default_rng(0).standard_normal((10, 1, 8, 8)))


def write(folder: Path, image: np.ndarray, *more: np.ndarray) -> Path:
    """A dataset whose first rater marks where the image is bright.

    Args:
        image: (image, channel=1, y, x).
        more: labels (image, y, x) of other raters; without any, of a second one who sees nothing.
    """
    path = folder / "dataset.zarr"
    first = image[:, 0] > 0.5
    labels = np.stack([first, *(more or [np.zeros_like(first)])], 1).astype(np.uint8)
    with store.publish(path) as new:
        store.describe(new, {"channels": 1, "classes": 2})
        for split in ("train", "id"):
            for name, of, values in (("image", dims.IMAGE, image), ("labels", dims.LABELS, labels)):
                dtype = "float32" if name == "image" else "uint8"
                store.create(new, split, name, of, values.shape, dtype, chunk=4)[:] = values
    return path


def run(dataset: Path, name: str = "a", **changes) -> checkpoint.Checkpoint:
    out, work = dataset.parent / f"{name}.pt", dataset.parent / "work" / name
    train.train(out, dataset=str(dataset), work=str(work), **{**SETTINGS, **changes})
    assert not work.exists()
    return checkpoint.load(out)


def same(a: checkpoint.Checkpoint, b: checkpoint.Checkpoint) -> bool:
    weights = all(torch.equal(a.weights[k], b.weights[k]) for k in a.weights)
    return weights and torch.equal(a.snapshots, b.snapshots) and a.note["loss"] == b.note["loss"]


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_same_seed_same_weights(blobs, dropout):
    changes = {"recipe": {"dropout": dropout, "snapshots": 2}, "aleatoric": SSN}
    assert same(run(blobs, "a", **changes), run(blobs, "b", **changes))


def test_another_run_of_the_study_has_other_weights(blobs):
    assert not same(run(blobs, "a"), run(blobs, "b", labels=["blobs", "softmax", "plain", "seed1"]))


@pytest.mark.parametrize("killed_in", [1, 2, 3])
@pytest.mark.parametrize("collect", [None, {"epochs": 2, "learning_rate": 0.02}])
def test_an_interrupted_run_ends_with_the_same_weights(blobs, monkeypatch, killed_in, collect):
    changes = {"recipe": {"dropout": 0.3, "snapshots": 2, "collect": collect}, "aleatoric": SSN}
    if collect:
        changes["training"] = {**SETTINGS["training"], "epochs": 2}
    expected = run(blobs, "whole", **changes)
    monkeypatch.setattr(train, "_SAVE_EVERY_S", 0)
    whole_epoch = train._epoch

    def killed(run, epoch, *rest):
        if epoch == killed_in:
            raise KeyboardInterrupt
        return whole_epoch(run, epoch, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(train, "_epoch", killed)
        with pytest.raises(KeyboardInterrupt):
            run(blobs, "a", **changes)
    assert not (blobs.parent / "a.pt").exists()
    epochs = []
    monkeypatch.setattr(train, "_epoch", lambda r, e, *x: epochs.append(e) or whole_epoch(r, e, *x))
    assert same(run(blobs, "a", **changes), expected)
    assert epochs == list(range(killed_in, 4))


@pytest.mark.parametrize("damage", [lambda state: state[:999], lambda state: b""])
def test_a_damaged_state_costs_its_epochs_and_not_the_training(blobs, monkeypatch, caplog, damage):
    monkeypatch.setattr(train, "_SAVE_EVERY_S", 0)
    expected, state = run(blobs, "whole"), blobs.parent / "work" / "a" / "state.pt"
    with monkeypatch.context() as patch:
        patch.setattr(train, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(blobs, "a")
    state.write_bytes(damage(state.read_bytes()))
    assert same(run(blobs, "a"), expected)
    assert f"{state}: is damaged; training starts from the beginning" in caplog.messages


def test_a_run_removes_what_a_killed_one_was_writing_in_its_folder(blobs, monkeypatch):
    work = blobs.parent / "work" / "a"
    with monkeypatch.context() as patch:
        patch.setattr(train, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(blobs, "a")
    (work / ".state.pt.123.tmp").touch()
    seen = []
    monkeypatch.setattr(train, "save", lambda *_: seen.extend(path.name for path in work.iterdir()))
    with pytest.raises(InputError, match="no such checkpoint"):
        run(blobs, "a")
    assert seen == ["lock"]


def test_same_training_same_file_whatever_its_path(blobs):
    run(blobs, "a")
    run(blobs, "b")
    first, second = (blobs.parent / f"{name}.pt" for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_what_other_settings_left_is_not_resumed(blobs, monkeypatch):
    monkeypatch.setattr(train, "_SAVE_EVERY_S", 0)
    expected = run(blobs, "whole", seed=1)
    with monkeypatch.context() as patch:
        patch.setattr(train, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(blobs, "a", seed=0)
    assert same(run(blobs, "a", seed=1), expected)


def test_collecting_goes_on_after_the_training_and_leaves_its_weights(blobs):
    plain = run(blobs, "plain")
    settings = {"dropout": 0.0, "snapshots": 5}
    collect = {"epochs": 2, "learning_rate": 1e-12}
    still = run(blobs, "still", recipe={**settings, "collect": collect})
    moved = run(blobs, "moved", recipe={**settings, "collect": {**collect, "learning_rate": 0.01}})
    for each in (still, moved):
        assert all(torch.equal(each.weights[k], plain.weights[k]) for k in plain.weights)
        assert each.note["loss"][:4] == plain.note["loss"]
        assert len(each.note["loss"]) == 6
        assert len(each.snapshots) == 5
    torch.testing.assert_close(still.snapshots[0], plain.snapshots[-1], rtol=0, atol=1e-9)
    torch.testing.assert_close(still.snapshots[4], plain.snapshots[-1], rtol=0, atol=1e-9)
    assert (moved.snapshots.diff(dim=0).abs().amax(1) > 1e-4).all()


def test_collected_snapshots_are_evenly_spread(blobs, monkeypatch):
    taken, whole = [], train._Run.step

    def step(self, loss, epoch, index, steps):
        before = len(self.snapshots)
        whole(self, loss, epoch, index, steps)
        done = round(epoch + (index + 1) / steps, 3)
        taken.extend([done] * (len(self.snapshots) - before))

    monkeypatch.setattr(train._Run, "step", step)
    collect = {"epochs": 2, "learning_rate": 0.01}  # 3 steps an epoch
    run(blobs, "a", recipe={"dropout": 0.0, "snapshots": 3, "collect": collect})
    assert taken == pytest.approx([4 + 2 / 3, 5 + 1 / 3, 6], abs=1e-3)
    taken.clear()
    run(blobs, "b", recipe={"dropout": 0.0, "snapshots": 2, "schedule": {"method": "cosine"}})
    assert taken == [2, 4]  # of 4 epochs


@pytest.mark.parametrize(
    ("recipe", "steps"),
    [
        ({"snapshots": 7, "collect": {"epochs": 2, "learning_rate": 0.01}}, 6),
        ({"snapshots": 13, "schedule": {"method": "cosine"}}, 12),
    ],
    ids=["collected", "of a schedule"],
)
def test_more_snapshots_than_steps_are_refused_before_any_step(blobs, recipe, steps):
    message = rf"recipe\.snapshots: {recipe['snapshots']} of the {steps} steps"
    with pytest.raises(InputError, match=message) as refused:
        run(blobs, "a", recipe={"dropout": 0.0, **recipe})  # 3 steps an epoch
    assert "lower `snapshots`" in str(refused.value)


def test_a_schedule_says_the_rate_of_every_step(blobs, monkeypatch):
    """Two cycles of two epochs of three steps, and whole again at each start."""
    rates, whole = [], train._Run.step

    def step(self, *arguments):
        whole(self, *arguments)
        rates.append(self.optimiser.param_groups[0]["lr"])

    monkeypatch.setattr(train._Run, "step", step)
    recipe = {"dropout": 0.0, "snapshots": 2, "schedule": {"method": "cosine"}}
    run(blobs, "a", recipe=recipe)
    once = [0.5 * (1 + np.cos(np.pi * i / 6)) for i in range(6)]
    rate = SETTINGS["training"]["learning_rate"]
    assert rates == pytest.approx([rate * each for each in 2 * once])


def test_an_interrupted_run_goes_on_in_its_cycle(blobs, monkeypatch):
    recipe = {"dropout": 0.0, "snapshots": 2, "schedule": {"method": "cosine"}}
    expected = run(blobs, "whole", recipe=recipe)
    monkeypatch.setattr(train, "_SAVE_EVERY_S", 0)
    whole_epoch = train._epoch

    def killed(run, epoch, *rest):
        if epoch == 3:
            raise KeyboardInterrupt
        return whole_epoch(run, epoch, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(train, "_epoch", killed)
        with pytest.raises(KeyboardInterrupt):
            run(blobs, "a", recipe=recipe)
    assert same(run(blobs, "a", recipe=recipe), expected)


def test_resampling_draws_patients_anew_with_all_their_images(tmp_path):
    split = xr.Dataset(coords={"patient": ("image", ["a", "b", "", "a", "c", ""])})
    split = split.assign(image=("image", np.zeros(6)))
    names = examples.patients(split)
    assert names == ["a", "b", "image 2", "a", "c", "image 5"]
    number = torch.arange(6)[:, None, None, None]
    data = examples.Examples(number.float(), number, np.ones((6, 1), bool))
    for seed in range(20):
        drawn = examples.resample(data, names, np.random.default_rng(seed))
        count = torch.bincount(drawn.images.flatten().long(), minlength=6).tolist()
        assert count[0] == count[3]
        assert sum(count) - count[3] == 5  # patients, those without one included
        assert torch.equal(drawn.images.long(), drawn.labels)


def test_members_that_resample_patients_see_other_data_and_repeat_themselves(blobs):
    recipe = {"dropout": 0.0, "snapshots": 1, "resample": "patients"}
    first, again = run(blobs, "a", recipe=recipe), run(blobs, "b", recipe=recipe)
    assert same(first, again)
    assert not same(first, run(blobs, "c", recipe={**recipe, "resample": None}))


def test_snapshots_are_the_raw_weights_at_the_ends_of_the_last_epochs(blobs):
    settings = {**SETTINGS["training"], "ema": 0.0}
    three = run(blobs, "three", training={**settings, "epochs": 3})
    four = run(blobs, "four", training=settings)
    model = checkpoint.build(**four.note["model"], seed=0)
    model.load_state_dict(four.weights)
    # at decay 0 the average is the raw weight itself
    torch.testing.assert_close(four.snapshots[-1], flatten(model), rtol=0, atol=1e-7)
    assert four.snapshots.shape == (2, flatten(model).numel())
    assert torch.equal(four.snapshots[0], three.snapshots[1])


def test_weights_are_the_moving_average(blobs):
    averaged = run(blobs, "a", training={**SETTINGS["training"], "ema": 0.99})
    model = checkpoint.build(**averaged.note["model"], seed=0)
    model.load_state_dict(averaged.weights)
    assert not torch.allclose(flatten(model), averaged.snapshots[-1], atol=1e-4)


def test_loss_falls_and_its_curve_lies_beside_the_checkpoint(blobs):
    run(blobs, "a", training={**SETTINGS["training"], "epochs": 30})
    curve = pd.read_csv(blobs.parent / "a.csv")
    assert list(curve.columns) == ["epoch", "loss"]
    assert len(curve) == 30
    assert curve.loss.iloc[-5:].mean() < 0.8 * curve.loss.iloc[:5].mean()


@pytest.mark.parametrize("aleatoric", [{"method": "softmax"}, PROB_UNET], ids=lambda a: a["method"])
def test_a_loss_that_is_not_finite_stops_with_its_epoch(tmp_path, aleatoric):
    broken = write(tmp_path, np.full((10, 1, 8, 8), np.nan))
    with pytest.raises(InputError, match=r"loss became nan in epoch 1.*learning_rate"):
        run(broken, aleatoric=aleatoric)
    assert not (tmp_path / "a.pt").exists()


def test_images_that_cannot_be_halved_are_refused(blobs):
    network = {**SETTINGS["network"], "channels": [4, 4, 4, 4, 4]}
    with pytest.raises(InputError, match=r"divisible by 16; .* 8 × 8 pixels"):
        run(blobs, network=network)


@pytest.mark.parametrize(("sides", "fit"), [((24, 32), True), ((24, 30), False), ((30, 32), False)])
def test_both_sides_have_to_be_halved(sides, fit):
    network = {"channels": [4, 4, 4]}
    if fit:
        checkpoint.check_size(sides, network)
        return
    with pytest.raises(InputError, match=rf"divisible by 4; .* {sides[0]} × {sides[1]} pixels"):
        checkpoint.check_size(sides, network)


def test_images_need_not_be_square(tmp_path):
    run(write(tmp_path, np.random.default_rng(0).standard_normal((6, 1, 24, 32))))
    assert np.isfinite(pd.read_csv(tmp_path / "a.csv")["loss"]).all()


def test_a_rater_who_is_absent_is_never_drawn(tmp_path):
    """Two raters of whom one is absent train as two who are alike."""
    image = np.random.default_rng(0).standard_normal((10, 1, 8, 8))
    first = (image[:, 0] > 0.5).astype(np.uint8)
    folders = [tmp_path / name for name in ("alike", "absent")]
    alike = run(write(folders[0], image, first))
    absent = run(write(folders[1], image, np.full_like(first, UNLABELLED)))
    assert same(alike, absent)


@pytest.mark.parametrize(
    "aleatoric", [{"method": "softmax"}, SSN, PROB_UNET], ids=lambda a: a["method"]
)
def test_pixels_without_a_label_do_not_reach_the_weights(tmp_path, aleatoric):
    image = np.random.default_rng(0).standard_normal((10, 1, 8, 8))
    labels = np.full((10, 8, 8), UNLABELLED)
    labels[:, 2, 3] = 1
    found = run(write(tmp_path, image, labels), aleatoric=aleatoric)
    assert all(tensor.isfinite().all() for tensor in found.weights.values())
    assert np.isfinite(found.note["loss"]).all()


def test_training_images_without_labels_are_refused(tmp_path):
    image = np.zeros((10, 1, 8, 8))
    dataset = write(tmp_path, image)
    array = store.zarr.open_group(dataset, mode="r+")["train/labels"]
    array[4] = UNLABELLED
    with pytest.raises(InputError, match=r"dataset\.zarr: 1 of the 10 images .* have no labels"):
        run(dataset)


def test_the_optimiser_s_moments_of_the_factor_do_not_age_before_it_starts(blobs, monkeypatch):
    runs, whole_epoch = [], train._epoch
    monkeypatch.setattr(train, "_epoch", lambda r, *rest: runs.append(r) or whole_epoch(r, *rest))
    run(blobs, aleatoric=SSN)
    model, state = runs[0].model, runs[0].optimiser.state
    steps = {name: float(state[p]["step"]) for name, p in model.named_parameters()}
    factor = {name for name in steps if name.startswith("factor_head.")}
    assert {steps[name] for name in factor} == {9}  # three of four epochs, three steps each
    assert {steps[name] for name in steps.keys() - factor} == {12}


def test_a_model_s_measures_stand_beside_the_loss_and_change_no_weight(blobs, monkeypatch):
    measured = run(blobs, "a", aleatoric=PROB_UNET)
    curve = pd.read_csv(blobs.parent / "a.csv")
    assert list(curve.columns) == ["epoch", "loss", "kl", "diversity"]
    assert curve["epoch"].tolist() == [0, 1, 2, 3]
    assert (curve["kl"] >= 0).all()
    assert curve["diversity"].between(0, 1).all()
    monkeypatch.delattr(prob_unet.Model, "measures")
    monkeypatch.delattr(prob_unet.Model, "concern")
    assert same(run(blobs, "b", aleatoric=PROB_UNET), measured)


def test_an_interrupted_run_has_the_same_measures(blobs, monkeypatch):
    run(blobs, "whole", aleatoric=PROB_UNET)
    monkeypatch.setattr(train, "_SAVE_EVERY_S", 0)
    whole_epoch = train._epoch

    def killed(run, epoch, *rest):
        if epoch == 2:
            raise KeyboardInterrupt
        return whole_epoch(run, epoch, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(train, "_epoch", killed)
        with pytest.raises(KeyboardInterrupt):
            run(blobs, "a", aleatoric=PROB_UNET)
    run(blobs, "a", aleatoric=PROB_UNET)
    first, second = (blobs.parent / f"{name}.csv" for name in ("whole", "a"))
    assert first.read_bytes() == second.read_bytes()


def test_a_latent_that_is_not_used_is_told_at_the_end(blobs, caplog):
    strict = {**PROB_UNET, "options": {**PROB_UNET["options"], "beta": 1e4}}
    run(blobs, "a", aleatoric=strict)
    assert [m for m in caplog.messages if "the latent is hardly used: KL 0.0" in m]
    curve = pd.read_csv(blobs.parent / "a.csv")
    assert curve["kl"].iloc[-1] < 0.1


def test_a_model_without_a_concern_tells_nothing(blobs, caplog):
    run(blobs)
    assert caplog.messages == []


def test_a_second_writer_is_refused(blobs):
    with (
        resumable(blobs.parent / "work" / "a", {}),
        pytest.raises(InputError, match="another process"),
    ):
        run(blobs, "a")


def test_a_checkpoint_of_a_stranger_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "owned",))

    checkpoint.write({"weights": Evil(), "snapshots": None, "note": "{}"}, tmp_path / "evil.pt")
    with pytest.raises(InputError, match=r"evil\.pt: cannot be read"):
        checkpoint.load(tmp_path / "evil.pt")
    assert not (tmp_path / "owned").exists()


def test_missing_and_damaged_checkpoints_are_named(tmp_path):
    with pytest.raises(InputError, match="no such checkpoint"):
        checkpoint.load(tmp_path / "none.pt")
    (tmp_path / "cut.pt").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match=r"cut\.pt"):
        checkpoint.load(tmp_path / "cut.pt")


def test_a_step_that_does_not_fit_in_memory_ends_the_job_with_the_remedy(blobs, monkeypatch):
    def loss(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB.")

    monkeypatch.setattr(softmax.Model, "loss", loss)
    with pytest.raises(InputError, match=r"too small .*lower training\.batch.* let fewer jobs"):
        run(blobs)
    assert not (blobs.parent / "a.pt").exists()
