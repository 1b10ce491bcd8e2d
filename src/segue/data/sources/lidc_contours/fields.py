"""Pieces of the simulated CT: the window that is rendered, smooth random fields, soft edges."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from segue.data.contours.database import SLICE_SIDE


@dataclass(frozen=True)
class Window:
    """A square part of a slice. Positions in mm count from the centre of the field of view.

    Attributes:
        row, column: its first pixel.
        side: in pixels.
        spacing: width of a pixel, in mm.
    """

    row: int
    column: int
    side: int
    spacing: float

    @cached_property
    def y(self) -> np.ndarray:
        """(y,) positions of the rows, in mm."""
        return (np.arange(self.row, self.row + self.side) - SLICE_SIDE / 2) * self.spacing

    @cached_property
    def x(self) -> np.ndarray:
        """(x,) positions of the columns, in mm."""
        return (np.arange(self.column, self.column + self.side) - SLICE_SIDE / 2) * self.spacing


@dataclass(frozen=True, eq=False)
class SmoothField:
    """A random field f(z, y, x) = Σ aᵢ cos(wᵢ·(z, y, x) + φᵢ) with mean 0, positions in mm.

    Attributes:
        waves: (term, 3) wave vectors along z, y, x, in rad/mm.
        phases, amplitudes: (term,).
    """

    waves: np.ndarray
    phases: np.ndarray
    amplitudes: np.ndarray

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        *,
        terms: int,
        wavelengths: tuple[float, float],
        amplitude: float,
    ) -> "SmoothField":
        """Draw a field of standard deviation ``amplitude``, wavelengths (mm) uniform in a range."""
        directions = unit(rng.normal(size=(terms, 3)))
        waves = directions * (2 * np.pi / rng.uniform(*wavelengths, (terms, 1)))
        phases = rng.uniform(0, 2 * np.pi, terms)
        amplitudes = rng.normal(size=terms) * amplitude * np.sqrt(2 / terms)
        return cls(waves, phases, amplitudes)

    def at(self, z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Values at points given by three arrays of one shape."""
        points = np.stack(np.broadcast_arrays(z, y, x), axis=-1)
        angles = (points[..., None, :] * self.waves).sum(-1) + self.phases
        return (self.amplitudes * np.cos(angles)).sum(-1)

    def on_grid(self, z: float, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Values (y, x) at height ``z`` on the grid of rows ``y`` and columns ``x``.

        cos(α + β) splits into products of functions of the row and of the column. ``einsum`` sums
        them, since BLAS threads cost more than they give on arrays of this size.
        """
        rows = z * self.waves[:, 0] + y[:, None] * self.waves[:, 1] + self.phases
        columns = x[:, None] * self.waves[:, 2]
        by_row = np.concatenate([np.cos(rows), -np.sin(rows)], axis=1)
        by_column = np.concatenate([np.cos(columns), np.sin(columns)], axis=1)
        return np.einsum("yt,xt->yx", by_row * np.tile(self.amplitudes, 2), by_column)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def blend(image: np.ndarray, weight: np.ndarray, value: np.ndarray | float) -> np.ndarray:
    """``image`` with the share ``weight`` (0 to 1) of it replaced by ``value``."""
    return image + weight * (value - image)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors along the last axis, scaled to length 1."""
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-6)
