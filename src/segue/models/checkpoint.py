"""Checkpoints: the file of one finished training, and models built from it.

A checkpoint holds the evaluation (EMA) weights, the snapshots of the raw weights at the ends of the
last epochs, and a note of what made it, from which the model is built again.
"""

import hashlib
import io
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segue import files, plugins
from segue.errors import InputError
from segue.models.networks.unet import Backbone
from segue.seeds import derive

_SEAL_BYTES = len("sha256 ") + 64
_SEAL_LENGTH = _SEAL_BYTES.to_bytes(2, "little")


@dataclass(frozen=True)
class Checkpoint:
    """One finished training.

    Attributes:
        weights: state of the model, exponentially averaged over the steps.
        snapshots: (snapshot, parameter) float32, oldest first; raw weights as one flat vector each.
        note: JSON values: ``model`` (arguments of ``build``) and what else describes the training.
    """

    weights: dict[str, Tensor]
    snapshots: Tensor
    note: dict[str, Any]


def build(
    *,
    aleatoric: dict[str, Any],
    network: dict[str, Any],
    dropout: float,
    channels: int,
    classes: int,
    seed: int,
) -> nn.Module:
    """Build an AU model with initial weights drawn from ``seed``.

    Args:
        aleatoric: ``method`` (the model's file) and ``options`` of its constructor.
        network: fields of ``Backbone`` but for dropout.
        dropout, channels, classes: of the recipe and of the data.

    Raises:
        InputError: no such model, or options that are not those of its constructor.
    """
    method, options = aleatoric["method"], aleatoric.get("options", {})
    plugins.require("aleatoric", method, "aleatoric.method")
    plugins.check_options("aleatoric", method, "Model.__init__", options, "aleatoric.options")
    backbone = Backbone(**network, dropout=dropout)
    with torch.random.fork_rng(devices=[]):  # torch initialises layers from its global generator
        torch.manual_seed(derive(seed, "weights"))
        model = plugins.load("aleatoric", method).Model(backbone, channels, classes, **options)
    return model.to(memory_format=torch.channels_last)


def check_size(sides: tuple[int, int], network: dict[str, Any]) -> None:
    """Raise InputError unless both sides (y, x) fit the patches and can be halved at each level."""
    levels, patch = len(network["channels"]), network.get("patch", 1)
    factor = patch * 2 ** (levels - 1)
    if any(side % factor for side in sides):
        raise InputError(
            f"network.channels: {levels} levels of patches of {patch} pixels need images whose "
            f"sides are divisible by {factor}; "
            f"the dataset's have {sides[0]} × {sides[1]} pixels (y × x); use fewer levels, or "
            "prepare images of other sides"
        )


def check_own(network: dict[str, Any], channels: int, sides: tuple[int, int]) -> None:
    """Build the network that takes the place of the U-Net, and ask it for the features of zeros.

    Args:
        network: fields of ``Backbone`` but for dropout, ``own`` among them.
        channels: of the images; ``sides``: theirs (y, x), in pixels.

    Raises:
        InputError: it cannot be built, or has features of another shape (``networks.own``).
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        built = Backbone(**network)(channels, None)
        try:
            built(torch.zeros(2, channels, *sides))
        except (RuntimeError, TypeError, ValueError) as error:
            raise InputError(
                f"network.own.name: {network['own']['name']} cannot take images of {channels} "
                f"channels and {sides[0]} × {sides[1]} pixels (y × x), in patches of "
                f"{network['patch']}: {error}"
            ) from error


def flatten(model: nn.Module) -> Tensor:
    """All weights of ``model`` as one vector (parameter,), in the order of ``parameters()``."""
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def unflatten(vector: Tensor, model: nn.Module) -> None:
    """Write ``vector``, as ``flatten`` gives it, into the weights of ``model``."""
    parameters = list(model.parameters())
    with torch.no_grad():
        for p, values in zip(
            parameters, vector.split([p.numel() for p in parameters]), strict=True
        ):
            p.copy_(values.reshape(p.shape))


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint; a file of that name is whole, and equal content has equal bytes."""
    note = json.dumps(checkpoint.note, sort_keys=True)
    weights = {name: tensor.cpu() for name, tensor in checkpoint.weights.items()}
    write({"weights": weights, "snapshots": checkpoint.snapshots, "note": note}, path)


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint onto the CPU; nothing but tensors and plain values is unpickled."""
    content = read(Path(path))
    return Checkpoint(content["weights"], content["snapshots"], json.loads(content["note"]))


def write(content: dict[str, Any], path: Path) -> None:
    """Save tensors and plain values: what ``torch.save`` writes, sealed by its sha256.

    The seal is the comment of the zip archive that such a file is, so that ``torch.load`` reads it.

    Raises:
        OSError: the disk is full or may not be written to; names the file.
    """
    buffer = io.BytesIO()  # torch.save would store the file's name, and hide errors of the disk
    torch.save(content, buffer)
    archive = buffer.getvalue()[:-2] + _SEAL_LENGTH  # it ends in the length of its comment, 0
    with files.unfinished(path) as new:
        new.write_bytes(archive + _seal(archive))


def read(path: Path) -> dict[str, Any]:
    """Load what ``write`` saved.

    Raises:
        InputError: the file is missing, is none of ours, or is damaged.
    """
    try:
        found = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such checkpoint; train it first") from error
    if found[-_SEAL_BYTES:] != _seal(found[:-_SEAL_BYTES]):
        raise InputError(
            f"{path}: is damaged, or no checkpoint that Segue sealed; remove it and train again"
        )
    try:
        return torch.load(io.BytesIO(found), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:  # whole, but of a stranger or a future
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: cannot be read ({reason}); remove it and train again") from error


def _seal(archive: bytes) -> bytes:
    return b"sha256 " + hashlib.sha256(archive).hexdigest().encode()
