"""Maps and scores of one image, plainly: one image, one pair of masks, one measure at a time.

As one writes them from the formulas, with NumPy alone: what Segue's evaluation is timed against and
compared with. It has no jackknife, no fewer draws, no IoU, matching, calibration, OOD detection,
intervals or variants. ``python -m benchmarks.reference STORE SCORES`` compares.
"""

import json
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from segue.store import open_split

MEASURES = ("TU", "AU", "EU")
COMPARED = 10  # images that are scored plainly


def maps(probs: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """TU, AU and EU (y, x), and the mean prediction (class, y, x), of (eu, au, class, y, x)."""
    hypotheses = means(probs)
    prediction = hypotheses.mean(axis=0)
    total, aleatoric = entropy(prediction, 0), entropy(hypotheses, 1).mean(axis=0)
    return {"TU": total, "AU": aleatoric, "EU": total - aleatoric}, prediction


def means(probs: np.ndarray) -> np.ndarray:
    """Mean of the draws of each hypothesis, (eu, class, y, x); probabilities sum to 1."""
    probs = probs.astype(np.float64)
    return (probs / probs.sum(axis=2, keepdims=True)).mean(axis=1)


def entropy(probs: np.ndarray, axis: int) -> np.ndarray:
    """In nats, without the axis of the classes."""
    return -(probs * np.log(np.maximum(probs, 1e-300))).sum(axis=axis)


def scores_of(
    found: dict[str, np.ndarray], prediction: np.ndarray, probs: np.ndarray, labels: np.ndarray
) -> dict[str, float]:
    """Scores of one image of two classes, by metric/measure/aggregation; labels (rater, y, x)."""
    mask, samples = prediction.argmax(axis=0), probs.argmax(axis=2)
    hypotheses = means(probs).argmax(axis=1)
    variance = labels.var(axis=0)
    return {
        "dice//": float(np.mean([dice(mask, rater) for rater in labels])),
        "nll//": float(np.mean([nll(prediction, rater) for rater in labels])),
        "ged//dice": float(np.mean([ged(draws, labels) for draws in samples])),
        "ged_bma//dice": ged(hypotheses, labels),
        **{f"ncc/{measure}/": ncc(variance, found[measure]) for measure in MEASURES},
    }


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Of two masks; 1 where both are empty."""
    sizes = first.sum() + second.sum()
    return 2 * np.logical_and(first, second).sum() / sizes if sizes else 1.0


def ged(samples: np.ndarray, raters: np.ndarray) -> float:
    """2 E d(P, G) - E d(P, P') - E d(G, G') with d = 1 - Dice, over all pairs."""

    def distance(first: np.ndarray, second: np.ndarray) -> float:
        return float(np.mean([1 - dice(a, b) for a, b in product(first, second)]))

    among = distance(samples, samples) + distance(raters, raters)
    return 2 * distance(samples, raters) - among


def nll(prediction: np.ndarray, rater: np.ndarray) -> float:
    """Mean of -log p(label) over pixels."""
    chosen = np.take_along_axis(prediction, rater[None].astype(int), axis=0)
    return float(-np.log(np.maximum(chosen, 6e-8)).mean())


def ncc(reference: np.ndarray, measure: np.ndarray) -> float:
    """Normalised cross-correlation of two maps."""
    scale = reference.std(ddof=1) * measure.std(ddof=1)
    both = (reference - reference.mean()) * (measure - measure.mean())
    return float(both.sum() / (reference.size * scale)) if scale else 0.0


def compare(store: Path, scores: Path) -> dict[str, float]:
    """Score the first images of `id` plainly: seconds of each, and how far Segue's scores are off.

    Args:
        store: of the samples and labels.
        scores: the file of scores that Segue made of it.
    """
    split = open_split(store, "id").isel(image=slice(COMPARED)).load()
    read = list(zip(split["labels"].values, split["probs"].values, strict=True))
    wall, cpu = time.perf_counter(), time.process_time()
    found = [scores_of(*maps(probs), probs, labels) for labels, probs in read]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    table = pd.read_csv(scores, keep_default_na=False)
    here = table[(table["split"] == "id") & (table["variant"] == "corrected")]
    off = []
    for name in found[0]:
        rows = here[here[["metric", "measure", "aggregation"]].eq(name.split("/")).all(axis=1)]
        theirs = rows.set_index("image")["score"].astype(float)
        off += [abs(theirs[str(i)] - each[name]) for i, each in enumerate(found)]
    return {"wall_s": wall / len(found), "cpu_s": cpu / len(found), "off": max(off)}


if __name__ == "__main__":
    print(json.dumps(compare(*map(Path, sys.argv[1:]))))
