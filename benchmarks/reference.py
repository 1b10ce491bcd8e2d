"""Maps and scores of one image, plainly: one image, one pair of masks, one measure at a time.

As one writes it from the formulas, with NumPy alone: what Segue's own evaluation is timed against,
and compared with. Without the jackknife, fewer draws, intervals and variants, which it has beside.
"""

from itertools import product

import numpy as np

MEASURES = ("TU", "AU", "EU")


def entropy(probs: np.ndarray, axis: int) -> np.ndarray:
    """In nats, without the axis of the classes."""
    return -(probs * np.log(np.maximum(probs, 1e-38))).sum(axis=axis)


def maps(probs: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """TU, AU and EU (y, x), and the mean prediction (class, y, x), of (eu, au, class, y, x)."""
    probs = probs.astype(np.float32)
    probs = probs / probs.sum(axis=2, keepdims=True)
    hypotheses = probs.mean(axis=1)
    prediction = hypotheses.mean(axis=0)
    total, aleatoric = entropy(prediction, 0), entropy(hypotheses, 1).mean(axis=0)
    return {"TU": total, "AU": aleatoric, "EU": np.maximum(total - aleatoric, 0)}, prediction


def scores(
    found: dict[str, np.ndarray], prediction: np.ndarray, probs: np.ndarray, labels: np.ndarray
) -> dict[str, float]:
    """Scores of one image of two classes, by name; ``labels`` (rater, y, x)."""
    mask = prediction.argmax(axis=0)
    samples = probs.argmax(axis=2)
    means = probs.astype(np.float32).mean(axis=1).argmax(axis=1)
    own = [ged(list(draws), list(labels)) for draws in samples]
    scored = {
        "dice": float(np.mean([dice(mask, rater) for rater in labels])),
        "ged dice": float(np.mean(own)),
        "ged_bma dice": ged(list(means), list(labels)),
        "nll": float(np.mean([nll(prediction, rater) for rater in labels])),
    }
    variance = labels.var(axis=0)
    correct = labels == mask
    for measure in MEASURES:
        scored[f"ncc {measure}"] = ncc(variance, found[measure])
        scored[f"border {measure}"] = float(found[measure].sum() / max(border(mask), 1))
        scored[f"ace {measure}"] = ace(1 / (1 + np.exp(5 * found[measure] - 3)), correct)
    return scored


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Of two masks; 1 where both are empty."""
    sizes = first.sum() + second.sum()
    return 2 * np.logical_and(first, second).sum() / sizes if sizes else 1.0


def ged(samples: list[np.ndarray], raters: list[np.ndarray]) -> float:
    """2 E d(P, G) - E d(P, P') - E d(G, G') with d = 1 - Dice, over all pairs."""

    def distance(first: list[np.ndarray], second: list[np.ndarray]) -> float:
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
    product_ = (reference - reference.mean()) * (measure - measure.mean())
    return float(product_.sum() / (reference.size * scale)) if scale else 0.0


def border(mask: np.ndarray) -> int:
    """Pairs of neighbours that differ."""
    return int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum())


def ace(confidence: np.ndarray, correct: np.ndarray, bins: int = 20) -> float:
    """Mean over bins that are not empty of |accuracy - confidence|, over raters and pixels."""
    which = np.digitize(np.broadcast_to(confidence, correct.shape), np.linspace(0, 1, bins + 1))
    gaps = []
    for index in np.unique(which):
        inside = which == index
        expected = np.broadcast_to(confidence, correct.shape)[inside].mean()
        gaps.append(abs(correct[inside].mean() - expected))
    return float(np.mean(gaps))
