"""Checkpoints: the file of one finished training, and models built from it.

A checkpoint holds the evaluation (EMA) weights, the snapshots of the raw weights at the ends of the
last epochs, and a note of what made it, from which the model is built again.
"""

import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segue import plugins
from segue.errors import InputError
from segue.models.networks.unet import Backbone
from segue.seeds import derive


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
    """
    backbone = Backbone(**network, dropout=dropout)
    with torch.random.fork_rng(devices=[]):  # torch initialises layers from its global generator
        torch.manual_seed(derive(seed, "weights"))
        model = plugins.load("aleatoric", aleatoric["method"]).Model(
            backbone, channels, classes, **aleatoric.get("options", {})
        )
    return model.to(memory_format=torch.channels_last)


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
    """Write a checkpoint; a file of that name is whole."""
    write(vars(checkpoint), path)


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint onto the CPU; nothing but tensors and plain values is unpickled."""
    return Checkpoint(**read(Path(path)))


def write(content: dict[str, Any], path: Path) -> None:
    """Save tensors and plain values under a temporary name, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    torch.save(content, temporary)
    os.replace(temporary, path)


def read(path: Path) -> dict[str, Any]:
    """Load what ``write`` saved.

    Raises:
        InputError: the file is missing, is none of ours, or is damaged.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such checkpoint; train it first") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: cannot be read ({reason}); remove it, train again") from error
