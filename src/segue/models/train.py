"""Training: one AU model, one recipe, one seed. A plain loop that knows nothing of EU methods.

Every random draw is derived from the seed and the step or epoch, so a run that was interrupted goes
on to the very weights that it would have reached.
"""

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from segue import plugins, store
from segue.errors import InputError
from segue.files import replacing
from segue.models import examples
from segue.models.checkpoint import (
    Checkpoint,
    build,
    check_own,
    check_size,
    flatten,
    read,
    save,
    write,
)
from segue.models.device import enough_memory, name_of, pick_device, resumable, use_cpu_threads
from segue.models.networks import dropout
from segue.models.precision import autocast
from segue.progress import progress
from segue.seeds import derive, rng

_SAVE_EVERY_S = 60.0
_MEASURED = 64  # images of an epoch that a model's measures are taken of
_log = logging.getLogger(__name__)


@enough_memory("lower training.batch, which changes what is trained")
def train(
    out: Path,
    *,
    dataset: str,
    aleatoric: dict[str, Any],
    network: dict[str, Any],
    recipe: dict[str, Any],
    training: dict[str, Any],
    labels: list[str],
    seed: int,
    work: str,
    threads: int,
    gpu: int = 1,
) -> str:
    """Train one model and write its checkpoint to ``out``, its curve beside it as CSV.

    AdamW, learning rate constant or by the recipe's schedule, gradient-norm clipping, exponential
    moving average of weights; each access to an image draws one of the raters who labelled any of
    it. The curve has a row an epoch: ``loss``, the mean of its steps, and the ``measures`` of a
    model that has them; of the last ones the log tells the model's ``concern``. Returns the
    device's name.

    Args:
        out: the checkpoint's path.
        dataset: path of the dataset store; its split ``train`` is used.
        aleatoric: ``method`` and ``options`` of the AU model.
        network: size of the backbone.
        recipe: ``dropout`` probability; ``snapshots``, how many last epoch-end weights to keep.
            ``collect`` (``epochs``, ``learning_rate``), if there, is a time after the training in
            which they are taken instead, evenly spread: it starts from the last raw weights, and
            the averaged weights do not change any more. ``schedule`` (``method``, ``options``), if
            there, is a module of ``segue.models.schedules``, by which the learning rate changes;
            the snapshots are then evenly spread over the whole training. ``resample: patients``
            trains on as many patients as there are, drawn with replacement, each with all images:
            what a bootstrap sees of the data. An image without a patient is one of its own.
        training: ``epochs, batch, learning_rate, weight_decay, clip, ema``.
        labels: what tells this run from the study's others; the run's seed derives from them.
        seed: the study's.
        work: folder for the state that an interrupted run resumes from; removed at the end.
        threads: of the CPU; ``gpu``: 1 for a GPU if there is one, 0 for the CPU.

    Raises:
        InputError: the dataset is damaged or has images without labels or of sides that do not fit
            the network, more snapshots are to be collected than there are steps, another process
            trains this model, the loss is not finite, or a step needs more memory than the GPU has.
    """
    use_cpu_threads(threads)
    device = pick_device(gpu)
    seed = derive(seed, "train", *labels)
    info = store.attributes(Path(dataset))
    if not {"channels", "classes"} <= info.keys():
        raise InputError(f"{dataset}: no attributes 'channels' and 'classes'; prepare it again")
    model_settings = {
        "aleatoric": {key: aleatoric[key] for key in ("method", "options") if key in aleatoric},
        "network": network,
        "dropout": recipe["dropout"],
        "channels": info["channels"],
        "classes": info["classes"],
    }
    model = build(**model_settings, seed=seed).to(device)
    split = store.open_split(Path(dataset), "train")
    sides = split.sizes["y"], split.sizes["x"]
    check_size(sides, network)
    if network.get("own"):
        check_own(network, info["channels"], sides)
    data = examples.read(split, dataset)
    if recipe.get("resample"):
        data = examples.resample(data, examples.patients(split), rng(seed, "resample"))
    data = examples.near(data, device)

    _check_snapshots(recipe, training, _steps(data, training))
    made_by = {"model": model_settings, "labels": labels, "seed": seed, "training": training}
    with resumable(Path(work), {**made_by, "recipe": recipe, "dataset": info}):
        run = _Run(model, training, recipe, Path(work) / "state.pt")
        epochs = range(run.resume(), run.epochs)
        for epoch in progress(epochs, desc="/".join(labels), unit="epoch"):
            run.finish_epoch(epoch, _epoch(run, epoch, data, seed, device))
        last = run.curve[training["epochs"] - 1]
        if hasattr(model, "concern") and (concern := model.concern(last)):
            _log.warning("%s: %s", "/".join(labels), concern)
        note = {**made_by, "loss": [row["loss"] for row in run.curve]}
        with replacing(out.with_suffix(".csv")) as file:
            pd.DataFrame(run.curve).to_csv(file, index_label="epoch", lineterminator="\n")
        save(Checkpoint(run.average.module.state_dict(), run.snapshot_matrix(), note), out)
    return name_of(device)


class _Run:
    """What a training changes, and its way to disk and back."""

    def __init__(
        self, model: nn.Module, training: dict[str, Any], recipe: dict[str, Any], state: Path
    ) -> None:
        self.model, self.training, self.state = model, training, state
        self.keep, self.collect = recipe["snapshots"], recipe.get("collect")
        self.schedule = recipe.get("schedule")
        self.epochs = training["epochs"] + (self.collect["epochs"] if self.collect else 0)
        self.optimiser = torch.optim.AdamW(
            model.parameters(),
            lr=training["learning_rate"],
            weight_decay=training["weight_decay"],
            fused=True,
        )
        self.mean = get_ema_multi_avg_fn(training["ema"])
        self.average = AveragedModel(model, multi_avg_fn=self.mean)
        self.weights, self.means = list(model.parameters()), list(self.average.parameters())
        self.snapshots: list[Tensor] = []
        self.curve: list[dict[str, float]] = []
        self.saved = time.monotonic()

    def step(self, loss: Tensor, epoch: int, index: int, steps: int) -> None:
        """Change the weights; it is step ``index`` of so many of the epoch."""
        collecting = epoch >= self.training["epochs"]
        for group in self.optimiser.param_groups:
            group["lr"] = (self.collect if collecting else self.training)["learning_rate"]
            if self.schedule:
                group["lr"] *= self._factor((epoch + index / steps) / self.epochs)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(self.weights, self.training["clip"])
        self.optimiser.step()
        if not self.average.n_averaged:
            self.average.update_parameters(self.model)  # a copy
        elif not collecting:  # what it does then, without walking through all modules each time
            self.mean(self.means, self.weights, self.average.n_averaged)
        # Snapshots are evenly spread over the last epochs, the last one at the very end.
        last = self.collect["epochs"] if self.collect else self.keep
        last = self.epochs if self.schedule else last
        over = (epoch + (index + 1) / steps - (self.epochs - last)) / max(1, last)
        if len(self.snapshots) < round(over * self.keep, 9) // 1:
            self.snapshots.append(flatten(self.model).cpu())

    def _factor(self, done: float) -> float:
        """Of the learning rate, when a share of the training is over."""
        method, options = self.schedule["method"], self.schedule.get("options", {})
        return plugins.load("schedules", method).rate(done, self.keep, **options)

    def finish_epoch(self, epoch: int, row: dict[str, float]) -> None:
        if not np.isfinite(loss := row["loss"]):
            raise InputError(
                f"training: the loss became {loss} in epoch {epoch + 1}; "
                "lower training.learning_rate or training.clip"
            )
        self.curve.append(row)
        if time.monotonic() - self.saved > _SAVE_EVERY_S:
            content = {
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "snapshots": self.snapshots,
                "curve": self.curve,
            }
            write(content, self.state)
            self.saved = time.monotonic()

    def resume(self) -> int:
        """Load the saved state, if there is a whole one; return the first epoch that is left."""
        if content := self._saved():
            self.model.load_state_dict(content["model"])
            self.average.load_state_dict(content["average"])
            self.optimiser.load_state_dict(content["optimiser"])
            self.snapshots, self.curve = content["snapshots"], content["curve"]
            _log.info("resuming after %d epochs", len(self.curve))
        return len(self.curve)

    def _saved(self) -> dict[str, Any] | None:
        """The saved state; None where there is none, or where it is damaged."""
        if not self.state.exists():
            return None
        try:
            return read(self.state)
        except InputError:
            _log.warning("%s: is damaged; training starts from the beginning", self.state)
            return None

    def snapshot_matrix(self) -> Tensor:
        if not self.snapshots:
            return torch.empty(0, sum(p.numel() for p in self.model.parameters()))
        return torch.stack(self.snapshots)


def _check_snapshots(recipe: dict[str, Any], training: dict[str, Any], steps: int) -> None:
    """Raise InputError where there are fewer steps than snapshots to take in them."""
    collect = recipe.get("collect")
    if not (collect or recipe.get("schedule")):
        return
    steps *= (collect or training)["epochs"]
    if steps < recipe["snapshots"]:
        raise InputError(
            f"recipe.snapshots: {recipe['snapshots']} of the {steps} steps in which to collect "
            "them; lower `snapshots`, or raise `collect` or the training's epochs"
        )


def _steps(data: examples.Examples, training: dict[str, Any]) -> int:
    """Steps of an epoch, the last of which may have fewer images."""
    return -(-len(data.images) // training["batch"])


def _epoch(
    run: _Run, epoch: int, data: examples.Examples, seed: int, device: torch.device
) -> dict[str, float]:
    """One pass over the training set in random order.

    Returns:
        ``loss``, the mean of its batches, and the model's measures on the epoch's first images.
    """
    run.model.train()
    draw = rng(seed, "order", epoch)
    order = draw.permutation(len(data.images))
    raters = examples.raters(data.there, draw)[order]
    order, raters = (torch.from_numpy(each).to(data.images.device) for each in (order, raters))
    size, total = run.training["batch"], torch.zeros((), device=device)
    steps = _steps(data, run.training)
    for start in range(0, len(order), size):
        part = slice(start, start + size)
        image, label = examples.batch(data, order[part], raters[part], device)
        generator = torch.Generator(device).manual_seed(derive(seed, "step", epoch, start))
        dropout.draw_from(run.model, generator)
        with autocast(device):
            loss = run.model.loss(image, label, generator, epoch)
        run.step(loss, epoch, start // size, steps)
        total += loss.detach()
    batch = examples.batch(data, order[:_MEASURED], raters[:_MEASURED], device)
    generator = torch.Generator(device).manual_seed(derive(seed, "measures", epoch))
    return {"loss": float(total / steps), **_measures(run.model, *batch, generator)}


def _measures(
    model: nn.Module, image: Tensor, label: Tensor, generator: torch.Generator
) -> dict[str, float]:
    """What a model tells of itself on images, without dropout; nothing if it has no measures."""
    if not hasattr(model, "measures"):
        return {}
    model.eval()
    with torch.no_grad(), autocast(image.device):
        return model.measures(image, label, generator)
