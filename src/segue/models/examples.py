"""What a model is trained on: images, and of each a rater's labels, drawn anew at each access."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from segue.dims import UNLABELLED, name_of
from segue.errors import InputError
from segue.models.device import moved


class Examples(NamedTuple):
    """All training images in memory, be it of the CPU or of a GPU.

    Attributes:
        images: (image, channel, y, x) float32.
        labels: (image, rater, y, x) uint8 class indices, or ``UNLABELLED``.
        there: (image, rater), whether the rater labelled any pixel of the image.
    """

    images: Tensor
    labels: Tensor
    there: np.ndarray


def read(split: xr.Dataset, dataset: str) -> Examples:
    """Load ``image`` and ``labels`` of a split of the store at ``dataset``.

    Raises:
        InputError: nobody labelled any pixel of an image, which teaches nothing.
    """
    labels = torch.from_numpy(split["labels"].values)
    there = (labels.amin((2, 3)) != UNLABELLED).numpy()  # the largest value of all
    if missing := int((~there.any(1)).sum()):
        raise InputError(
            f"{dataset}: {missing} of the {len(there)} images of split train have no labels; "
            "prepare the dataset again"
        )
    return Examples(torch.from_numpy(split["image"].values), labels, there)


def near(data: Examples, device: torch.device) -> Examples:
    """Put images and labels into the memory of a GPU where they take at most a quarter of it.

    Batches are then taken there. Others, and those of the CPU, stay where they are.
    """
    if device.type != "cuda":
        return data
    free, _ = torch.cuda.mem_get_info(device)
    if 4 * (data.images.nbytes + data.labels.nbytes) > free:
        return data
    return data._replace(images=data.images.to(device), labels=data.labels.to(device))


def patients(split: xr.Dataset) -> list[str]:
    """Name of each image's patient; of an image without one, a name that no other has."""
    names = split["patient"].values.tolist() if "patient" in split else [""] * split.sizes["image"]
    return [name_of(name) or f"image {i}" for i, name in enumerate(names)]


def resample(data: Examples, patients: Sequence[str], draw: np.random.Generator) -> Examples:
    """As many patients as there are, drawn with replacement, each with all of its images."""
    names, index = np.unique(patients, return_inverse=True)
    counts = draw.multinomial(len(names), np.full(len(names), 1 / len(names)))
    chosen = np.repeat(np.arange(len(index)), counts[index])
    return Examples(data.images[chosen], data.labels[chosen], data.there[chosen])


def raters(there: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Draw a rater (image,) for each image, uniformly among those who are ``there``.

    One is drawn as if all were there; in the place of one who is not, another among those who are.
    So what is drawn for an image does not depend on who is missing in others.
    """
    drawn = draw.integers(there.shape[1], size=len(there))
    another = np.where(there, draw.random(there.shape), -1).argmax(1)
    return np.where(there[np.arange(len(there)), drawn], drawn, another)


def batch(
    data: Examples, chosen: Tensor, raters: Tensor, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Images (image, channel, y, x), and labels (image, y, x) int64 that a rater of each gave.

    Args:
        chosen: index of each image; ``raters``: index of its rater. On the device of ``data``,
            so that a GPU need not wait for them.
        device: where the batch is to lie.
    """
    image, label = data.images[chosen], data.labels[chosen, raters]
    return moved(image, device).to(memory_format=torch.channels_last), moved(label, device).long()
