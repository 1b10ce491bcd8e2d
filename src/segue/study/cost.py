"""What a study will cost: multiply-adds of the networks, counted from their sizes, without torch.

Convolutions, linear layers and attention are counted; norms, activations and draws are not. The
layers are those of ``networks.unet`` and ``aleatoric``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from segue import plugins

SUSTAINED_FLOPS = 20e12
"""Operations a second that a training is assumed to reach: an assumption, not a measurement. Small
convolutions in bf16 reach a few per cent of the peak of a data-centre GPU."""

_BACKWARD = 3  # a training step is a forward pass and a backward pass of twice its cost


@dataclass(frozen=True)
class Size:
    """Images of each split, and the shape of one."""

    images: Mapping[str, int]
    side: int
    channels: int
    classes: int

    @property
    def splits(self) -> dict[str, int]:
        """Images of each split that is sampled: of all but ``train``."""
        return {split: n for split, n in self.images.items() if split != "train"}

    @property
    def sampled(self) -> int:
        """Images that are sampled."""
        return sum(self.splits.values())


NOMINAL = {
    "lidc": Size({"train": 9058, "val": 3019, "id": 3019}, side=128, channels=1, classes=2),
    "lidc_contours": Size({"train": 9443, "val": 3148, "id": 3148}, side=32, channels=1, classes=2),
    "chaksu": Size(
        {"train": 648, "val": 162, "id": 264, "ood_device": 271}, side=128, channels=3, classes=3
    ),
    "phantom": Size({"train": 800, "val": 100, "id": 200}, side=32, channels=1, classes=2),
}
"""Size of a dataset by its source, for before it is prepared: LIDC's 15,096 and 15,739 slices in
60/20/20, which is about what a split by patient gives, and Chákṣu's published counts."""

_KIND = 1601  # ground-glass slices of lidc_contours; without them its other splits are smaller
_SHIFTS = {"phantom": 3}
_CORRUPTIONS = 4  # shifted copies of `id`, where a source has no shifted images of its own


def nominal(source: str, options: Mapping[str, Any]) -> Size | None:
    """Size of a dataset before it is prepared; None of a source that does not tell.

    Args:
        source: module of ``segue.data.sources``.
        options: its own; ``images``, ``shifts``, and ``size``, ``crop`` or ``side`` count. What
            they leave open is at most what is said here.
    """
    if source not in NOMINAL:
        return None
    whole = NOMINAL[source]
    asked = {split: n for split, n in (options.get("images") or {}).items() if n is not None}
    images = {split: asked.get(split, n) for split, n in whole.images.items()}
    if images.keys() <= {"train", "val", "id"}:
        shifts = options.get("shifts")
        kind = source == "lidc_contours" and "kind" in (shifts or ())
        images["ood"] = (_shifts(source, shifts) - kind) * images["id"]
        if kind:  # named and null, all of them; not named, as many as `id`
            given = options.get("images") or {}
            number = given.get("ood_kind", images["id"])
            images["ood"] += _KIND if number is None else min(number, _KIND)
    given = (options[name] for name in ("size", "crop", "side") if name in options)
    side = next(given, whole.side)
    return replace(whole, images=images, side=side)


def _shifts(source: str, shifts: Sequence[str] | Mapping[str, Sequence[float]] | None) -> int:
    """Number of shifted splits: of each shift one, or one for each of its strengths."""
    if shifts is None:
        return _SHIFTS.get(source, _CORRUPTIONS)
    return sum(map(len, shifts.values())) if isinstance(shifts, Mapping) else len(shifts)


def draws(model: Mapping[str, Any], au_samples: int) -> int:
    """AU samples of an image and hypothesis that a model draws when asked for ``au_samples``."""
    module = plugins.module("aleatoric", model["method"])
    return 1 if plugins.literal(module, "DETERMINISTIC", False) else au_samples


def unet(
    network: Mapping[str, Any],
    side: int,
    in_channels: int,
    out_channels: int | None,
    *,
    time: bool = False,
) -> int:
    """Multiply-adds of one image's pass through ``networks.unet.UNet`` built with these arguments.

    Args:
        network: ``channels``, ``blocks`` and ``attention``; its other keys cost nothing here.
        side: of the image, pixels.
    """
    channels = network["channels"]
    embedding = 4 * channels[0] if time else 0
    total, skips = _encoder(network, side, in_channels, embedding)
    total += _middle(channels, side, embedding)
    width = channels[-1]
    for level in reversed(range(len(channels))):
        pixels, target = (side >> level) ** 2, channels[level]
        for _ in range(network["blocks"] + 1):
            total += _block(width + skips.pop(), target, pixels, embedding)
            total += _attention(target, pixels) * _attends(network, level)
            width = target
        if level:
            total += 9 * width**2 * 4 * pixels
    head = 0 if out_channels is None else 9 * width * out_channels * side**2
    mlp = channels[0] // 2 * 2 * embedding + embedding**2
    return total + head + mlp


def forward(model: Mapping[str, Any], network: Mapping[str, Any], size: Size) -> int:
    """Multiply-adds of one image's pass through the network of an AU model (``method, options``).

    Of a model that is not known here: as of softmax. The latent nets of prob_unet are counted.
    """
    patch = network.get("patch", 1)  # squares of so many pixels a side are channels
    side = size.side // patch
    channels, classes = size.channels * patch**2, size.classes * patch**2
    options = model.get("options", {})
    match model["method"]:
        case "ssn":
            return unet(network, side, channels, classes * (2 + options["rank"]))
        case "diffusion":
            return unet(network, side, channels + classes, classes, time=True)
        case "prob_unet":
            widths = scaled(network["channels"], options["width"])
            network, width = {**network, "channels": widths}, widths[0]
            latents = [
                _encoder(network, side, given, 0)[0]
                + _middle(widths, side, 0)
                + widths[-1] * 2 * options["latent"]
                for given in (channels, channels + classes)
            ]
            combiner = (3 * width**2 + width * classes) * side**2
            return unet(network, side, channels, None) + sum(latents) + combiner
    return unet(network, side, channels, classes)


def scaled(channels: Sequence[int], width: float) -> list[int]:
    """Widths of the levels as ``networks.unet.Backbone.scaled`` makes them."""
    step = math.gcd(*channels)
    return [step * math.ceil(round(width * each / step, 9)) for each in channels]


def training_flops(
    model: Mapping[str, Any], network: Mapping[str, Any], epochs: int, size: Size
) -> float:
    """Operations (2 a multiply-add) of one training: every image once an epoch, thrice a pass."""
    passes = epochs * size.images["train"] * _BACKWARD
    return 2.0 * passes * forward(model, network, size)


def sampling_flops(
    model: Mapping[str, Any],
    network: Mapping[str, Any],
    size: Size,
    *,
    hypotheses: int,
    au_samples: int,
) -> float:
    """Operations of sampling one cell: all images but those of ``train``."""
    run = passes(model, hypotheses, au_samples)
    return 2.0 * size.sampled * run * forward(model, network, size)


def passes(model: Mapping[str, Any], hypotheses: int, au_samples: int) -> int:
    """Network passes an image: of each hypothesis as many as the model's file says by ``PASSES``.

    One where it says nothing; of a sampler with ``steps``, so many a draw.
    """
    steps = model.get("sampling", {}).get("steps")
    if steps is not None:
        return hypotheses * steps * au_samples
    return hypotheses * plugins.literal(plugins.module("aleatoric", model["method"]), "PASSES", 1)


def gpu_hours(flops: float) -> float:
    """Hours that so many operations take at ``SUSTAINED_FLOPS``."""
    return flops / SUSTAINED_FLOPS / 3600


def _encoder(
    network: Mapping[str, Any], side: int, given: int, embedding: int
) -> tuple[int, list[int]]:
    """Multiply-adds of the encoder, and the channels of its skips."""
    channels = network["channels"]
    width = channels[0]
    total, skips = 9 * given * width * side**2, [width]
    for level, target in enumerate(channels):
        pixels = (side >> level) ** 2
        if level:
            total += 9 * width**2 * pixels
            skips.append(width)
        for _ in range(network["blocks"]):
            total += _block(width, target, pixels, embedding)
            total += _attention(target, pixels) * _attends(network, level)
            skips.append(target)
            width = target
    return total, skips


def _middle(channels: Sequence[int], side: int, embedding: int) -> int:
    width, pixels = channels[-1], (side >> (len(channels) - 1)) ** 2
    return 2 * _block(width, width, pixels, embedding) + _attention(width, pixels)


def _block(given: int, out: int, pixels: int, embedding: int) -> int:
    skip = 0 if given == out else given * out * pixels
    return 9 * out * (given + out) * pixels + skip + embedding * out


def _attention(channels: int, pixels: int) -> int:
    return 4 * channels**2 * pixels + 2 * channels * pixels**2


def _attends(network: Mapping[str, Any], level: int) -> bool:
    return level >= len(network["channels"]) - network["attention"]
