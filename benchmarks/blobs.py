"""Write a store of smooth random samples and masks: ``python -m benchmarks.blobs PATH SHAPE``.

Blobs as raters and samples see them. It has what the stage `sample` leaves and labels beside it, as
a store of given predictions has, in the splits val (a tenth of the images), id and ood_far.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit
from tqdm import tqdm

from segue import dims, store
from segue.left_out import COMPLEMENT

CHUNK = 8  # images a chunk, as in workflow/studies/paper_lidc.yaml


class Shape(NamedTuple):
    """How many images there are, and what each has."""

    images: int
    hypotheses: int
    draws: int
    raters: int
    side: int


def write(path: Path, shape: Shape) -> None:
    """Write the store."""
    rng = np.random.default_rng(0)
    val, inside = max(2, shape.images // 10), (shape.images - shape.images // 10) // 2
    counts = {"val": val, "id": inside, "ood_far": shape.images - val - inside}
    samples = (shape.hypotheses, shape.draws, 2, shape.side, shape.side)
    labels = (shape.raters, shape.side, shape.side)
    with store.publish(path) as new, tqdm(total=shape.images, desc="writing", unit="image") as bar:
        store.describe(new, {})
        for split, count in counts.items():
            kept = {"without": COMPLEMENT, "stored_as": "float16"}
            arrays = [
                store.create(new, split, name, each, (count, *sizes), dtype, chunk=CHUNK, **more)
                for name, each, sizes, dtype, more in (
                    ("labels", dims.LABELS, labels, "uint8", {}),
                    ("probs", dims.SAMPLES, samples, "float32", kept),
                )
            ]
            for start in range(0, count, CHUNK):
                part = slice(start, min(start + CHUNK, count))
                noise = 2.0 if split == "ood_far" else 1.0
                drawn = [image(rng, shape, noise) for _ in range(part.start, part.stop)]
                for array, values in zip(arrays, zip(*drawn, strict=True), strict=True):
                    array[part] = np.stack(values).astype(array.dtype)
                bar.update(len(drawn))


def image(rng: np.random.Generator, shape: Shape, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """A blob as raters and samples see it: labels (rater, y, x), probs (eu, au, class, y, x)."""
    y, x = np.mgrid[: shape.side, : shape.side].astype(np.float32) / shape.side
    centre, radius = rng.uniform(0.3, 0.7, 2), rng.uniform(0.1, 0.3)
    inside = 20 * (radius - np.hypot(y - centre[0], x - centre[1])).astype(np.float32)
    waves = np.stack([np.cos(3 * y), np.sin(4 * x), np.cos(5 * (x + y))]).astype(np.float32)
    given = rng.normal(0, 0.7, (shape.raters, 3)).astype(np.float32)
    weights = rng.normal(0, noise, (shape.hypotheses, 1, 3))
    weights = weights + rng.normal(0, 0.7, (1, shape.draws, 3))
    foreground = expit(inside + np.tensordot(weights.astype(np.float32), waves, 1))
    marks = inside + np.tensordot(given, waves, 1)
    return (marks > 0).astype(np.uint8), np.stack([1 - foreground, foreground], axis=2)


if __name__ == "__main__":
    write(Path(sys.argv[1]), Shape(*json.loads(sys.argv[2])))
