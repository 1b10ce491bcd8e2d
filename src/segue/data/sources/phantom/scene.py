"""Scenes of soft objects: their picture, the raters who look at it, and the truth, in closed form.

Object k has a signed distance s_k of each pixel to its border (pixels, positive inside), a softness
w_k (pixels) and a presence c_k in (0, 1]. A rater marks it with probability c_k, and then all
pixels with s_k > δ, δ ~ N(0, w_k²). So, objects being independent, a pixel is marked with
probability

    p*(1 | x) = 1 - Π_k (1 - c_k·Φ(s_k / w_k)).

The picture shows max_k (0.2 + 0.8 c_k)·Φ(s_k / w_k) and little noise: softness and presence can be
read off it, by edges and by brightness.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from segue.seeds import rng

_MOST = 3  # objects
_RADIUS = (0.12, 0.22)  # of the side
_CENTRE = (0.2, 0.8)  # of the side
_WAVES = (2, 3, 4)  # around a border
_HEIGHT = 0.09  # standard deviation of a wave, of the radius
_SOFTNESS = (0.5, 0.3)  # pixels; of the radius
_SHARPEST = 0.25  # pixels
_PRESENCE = (0.35, 1.0)
_RIM = (0.4, 0.7)  # of the radius
_FAINT = (0.05, 0.3)
_SQUARE = 0.9  # half a square's side, of the radius
_GROUND, _WIDTH = 0.08, 3.0  # smooth noise: standard deviation, and its width in pixels
_GRAIN = 0.06  # white noise
_MEAN, _SPREAD = 0.13, 0.28  # of all intensities

Labels = tuple[int | str, ...]
"""Seed and labels that all draws of an image derive from (``segue.seeds``)."""


class Objects(NamedTuple):
    """The objects of an image; arrays (object,) but for ``waves``, amplitude and phase.

    Attributes:
        radius: pixels.
        y, x: centre, pixels.
        waves: (2, wave, object): heights, of the radius, and phases.
        turn: of the square, radians.
        squareness: 0 for a blob, 1 for a square.
        softness: w, pixels.
        presence: c.
        levels: (2, object), where softness and presence lie in their range, in [0, 1].
    """

    radius: np.ndarray
    y: np.ndarray
    x: np.ndarray
    waves: np.ndarray
    turn: np.ndarray
    squareness: np.ndarray
    softness: np.ndarray
    presence: np.ndarray
    levels: np.ndarray


def objects(labels: Labels, *, side: int, ambiguity: float, gap: tuple[float, float]) -> Objects:
    """Draw the objects of an image.

    Args:
        ambiguity: factor on softness (above the sharpest) and on 1 - presence, in [0, 1].
        gap: part of the range of softness that is left out; none where both ends are equal.
    """
    random = rng(*labels, "objects")
    count = random.integers(1, _MOST + 1)
    unit = random.uniform(size=(7, _MOST))[:, :count]
    heights = random.normal(0, _HEIGHT, (len(_WAVES), _MOST))[:, :count]
    phases = random.uniform(0, 2 * np.pi, (len(_WAVES), _MOST))[:, :count]
    radius = side * _between(_RADIUS, unit[0])
    level = unit[4] * (1 - (gap[1] - gap[0]))
    level = np.where(level >= gap[0], level + gap[1] - gap[0], level)
    softness = _between((_SOFTNESS[0], _SOFTNESS[1] * radius), level)
    return Objects(
        radius=radius,
        y=side * _between(_CENTRE, unit[1]),
        x=side * _between(_CENTRE, unit[2]),
        waves=np.stack([heights, phases]),
        turn=unit[3] * np.pi / 2,
        squareness=np.zeros(count),
        softness=_SHARPEST + ambiguity * (softness - _SHARPEST),
        presence=1 - ambiguity * (1 - _between(_PRESENCE, unit[5])),
        levels=np.stack([level, unit[5]]),
    )


def shifted(found: Objects, shift: str, strength: float) -> Objects:
    """The objects with one thing changed, from not at all (strength 0) to in full (1)."""

    def towards(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        return old + strength * (new - old)

    softness, presence = found.levels
    match shift:
        case "shape":
            return found._replace(squareness=np.full(len(found.radius), strength))
        case "rim":
            new = found.radius * _between(_RIM, softness)
            return found._replace(softness=towards(found.softness, new))
        case "faint":
            new = _between(_FAINT, presence)
            return found._replace(presence=towards(found.presence, new))
    raise ValueError(shift)


def truth(found: Objects, side: int) -> np.ndarray:
    """p*(y | x), (class, y, x) float32: background, object."""
    covered = found.presence[:, None, None] * _inside(found, side)
    background = np.prod(1 - covered, axis=0)
    return np.stack([background, 1 - background]).astype(np.float32)


def masks(found: Objects, labels: Labels, raters: int, side: int) -> np.ndarray:
    """Draw the raters' masks from the truth, (rater, y, x) uint8."""
    distance = _distance(found, side)
    drawn = []
    for rater in range(raters):
        random = rng(*labels, "rater", rater)
        marks = random.uniform(size=_MOST)[: len(distance)] < found.presence
        border = random.normal(size=_MOST)[: len(distance)] * found.softness
        drawn.append((marks[:, None, None] & (distance > border[:, None, None])).any(axis=0))
    return np.stack(drawn).astype(np.uint8)


def picture(found: Objects, labels: Labels, side: int) -> np.ndarray:
    """The image (y, x) float32, on the scale that all images share."""
    random = rng(*labels, "noise")
    bright = (0.2 + 0.8 * found.presence)[:, None, None] * _inside(found, side)
    smooth = gaussian_filter(random.normal(size=(side, side)), _WIDTH)
    ground = _GROUND * smooth * (2 * np.sqrt(np.pi) * _WIDTH)  # the filter's own gain taken off
    grain = random.normal(0, _GRAIN, (side, side))
    return ((bright.max(axis=0) + ground + grain - _MEAN) / _SPREAD).astype(np.float32)


def _inside(found: Objects, side: int) -> np.ndarray:
    """Φ(s / w), (object, y, x)."""
    return ndtr(_distance(found, side) / found.softness[:, None, None])


def _distance(found: Objects, side: int) -> np.ndarray:
    """s, (object, y, x): along the ray from the centre; of a square, to its nearest side."""
    y, x = np.mgrid[:side, :side].astype(float)
    column = np.s_[:, None, None]
    dy, dx = y - found.y[column], x - found.x[column]
    angle = np.arctan2(dy, dx)
    radius = 1.0
    for wave, height, phase in zip(_WAVES, *found.waves, strict=True):
        radius = radius + height[column] * np.cos(wave * angle + phase[column])
    blob = radius * found.radius[column] - np.hypot(dy, dx)
    cos, sin = np.cos(found.turn)[column], np.sin(found.turn)[column]
    farthest = np.maximum(np.abs(dx * cos + dy * sin), np.abs(dy * cos - dx * sin))
    square = _SQUARE * found.radius[column] - farthest
    return blob + found.squareness[column] * (square - blob)


def _between(ends, level: np.ndarray) -> np.ndarray:
    return ends[0] + level * (ends[1] - ends[0])
