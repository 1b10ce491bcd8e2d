"""Images whose raters' distribution is known: what aleatoric uncertainty should be, exactly.

One to three soft objects on a noisy ground. The picture shows how faint and how soft an object is,
and by that alone how likely a rater is to mark it, and where: p*(y | x) has a closed form, the
store's array ``truth``. So AU has a right answer, its entropy, and EU something to predict, the
excess risk KL(p* ‖ p̄), which more training images would lower. Formulas: ``scene.py``.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from segue.data.source import Sample, Source
from segue.data.sources.phantom import scene
from segue.errors import InputError

SHIFTS = ("shape", "rim", "faint")
IMAGES = {"train": 800, "val": 100, "id": 200}
"""Images of a split where the option ``images`` does not say."""

_LEAST_SIDE = 16
_ROUNDING = 1e-9  # of a strength in percent


class Item(NamedTuple):
    """One image: its number in a stream of scenes, and what is changed of the scene."""

    stream: str
    number: int
    shift: str = ""
    strength: float = 0.0


def open_source(
    *,
    seed: int,
    side: int = 32,
    images: Mapping[str, int] | None = None,
    raters: int = 4,
    ambiguity: float = 1.0,
    gap: Sequence[float] | None = None,
    shifts: Mapping[str, Sequence[float]] | None = None,
) -> Source:
    """Open the dataset: splits train, val, id, and an OOD split for each shift and strength.

    An image depends on the seed, its split and its number alone: a smaller number of images, or of
    raters, is the beginning of a larger one, and the other options change what they name in scenes
    that stay the same. An OOD image is the image of ``id`` of the same number and name, with
    another shape (``shape``: squares), softness beyond the trained (``rim``) or presence below it
    (``faint``), by the same rule: its truth is known too.

    Args:
        seed: of the scenes and raters.
        side: of the images, pixels, 16 or more.
        images: how many of train, val and id; OOD splits have as many as ``id``. Default:
            ``IMAGES``.
        raters: masks of an image, drawn from its truth.
        ambiguity: from 0 (raters agree but for a quarter of a pixel) to 1; it scales softness and
            the lack of presence.
        gap: low and high end, in [0, 1], of a part of the range of softness that images of train
            lack; those of the other splits have all of it.
        shifts: strengths, 0.01 to 1 in whole percent, of each shift in ``SHIFTS``; strength 1 is
            the split ``ood_<shift>``, 0.25 is ``ood_<shift>_25``. Default: 1 of each.

    Raises:
        InputError: an option is out of its range or names what there is not.
    """
    counts = _counts(images)
    shifts = {name: [1.0] for name in SHIFTS} if shifts is None else shifts
    _check(side=side, raters=raters, ambiguity=ambiguity, gap=gap, shifts=shifts)
    splits = {name: [Item(name, i) for i in range(count)] for name, count in counts.items()}
    for shift, strengths in shifts.items():
        for strength in strengths:
            ending = "" if strength == 1 else f"_{round(100 * strength)}"
            items = [Item("id", i, shift, strength) for i in range(counts["id"])]
            splits[f"ood_{shift}{ending}"] = items
    gap = (0.0, 0.0) if gap is None else (gap[0], gap[1])
    return Source(
        shape=(side, side),
        channels=1,
        raters=raters,
        classes=("background", "object"),
        splits=splits,
        read=partial(read, seed=seed, side=side, raters=raters, ambiguity=ambiguity, gap=gap),
        truth=True,
        normalised=True,
        attributes={
            "title": "Phantom: images whose raters' distribution is known",
            "caption": "known truth",
            "licence": "none needed: made by this program",
            "citation": "Segue, docs/data.md",
            "split": "by image",
            "units": "one fixed scale for all images: (intensity - 0.13) / 0.28",
            "ambiguity": ambiguity,
            "gap": list(gap),
        },
    )


def read(
    item: Item, *, seed: int, side: int, raters: int, ambiguity: float, gap: tuple[float, float]
) -> Sample:
    """Draw one image, its raters' masks and its truth."""
    labels = (seed, "phantom", item.stream, item.number)
    objects = scene.objects(
        labels, side=side, ambiguity=ambiguity, gap=gap if item.stream == "train" else (0.0, 0.0)
    )
    objects = scene.shifted(objects, item.shift, item.strength) if item.shift else objects
    return Sample(
        image=scene.picture(objects, labels, side)[None],
        labels=scene.masks(objects, labels, raters, side),
        coordinates={
            "name": f"{item.stream} {item.number}",
            "objects": len(objects.radius),
            "softness": float(objects.softness.max()),
            "presence": float(objects.presence.min()),
        },
        truth=scene.truth(objects, side),
    )


def _counts(images: Mapping[str, int] | None) -> dict[str, int]:
    given = images or {}
    if unknown := sorted(given.keys() - IMAGES.keys()):
        raise InputError(
            f"phantom: images: no split {unknown[0]!r}; there are: {', '.join(IMAGES)}, and OOD "
            "splits have as many as id"
        )
    for split, count in given.items():
        if count < 1:
            raise InputError(f"phantom: images.{split}: expected at least 1, found {count}")
    return {**IMAGES, **given}


def _check(
    *,
    side: int,
    raters: int,
    ambiguity: float,
    gap: Sequence[float] | None,
    shifts: Mapping[str, Sequence[float]],
) -> None:
    for name, value, good, expected in (
        ("side", side, side >= _LEAST_SIDE, f"at least {_LEAST_SIDE} pixels"),
        ("raters", raters, raters >= 1, "at least 1"),
        ("ambiguity", ambiguity, 0 <= ambiguity <= 1, "0 to 1"),
        (
            "gap",
            gap,
            gap is None or (len(gap) == 2 and 0 <= gap[0] < gap[1] <= 1 and gap[1] - gap[0] < 1),
            "low and high, in [0, 1], that leave a part of the range",
        ),
    ):
        if not good:
            raise InputError(f"phantom: {name}: expected {expected}, found {value}")
    for shift, strengths in shifts.items():
        if shift not in SHIFTS:
            raise InputError(f"phantom: shifts: no {shift!r}; there are: {', '.join(SHIFTS)}")
        percent = [round(100 * strength) for strength in strengths]
        whole = all(
            0 < strength <= 1 and abs(100 * strength - each) < _ROUNDING
            for strength, each in zip(strengths, percent, strict=True)
        )
        if not percent or not whole or len(set(percent)) < len(percent):
            raise InputError(
                f"phantom: shifts.{shift}: expected different strengths of 0.01 to 1, in whole "
                f"percent, found {list(strengths)}"
            )
