"""Time and memory of ``segue score`` on a store of N images × 10 × 10 samples × 2 classes × 128².

python benchmarks/score_store.py [--images N] [--folder FOLDER]

And those of a plain evaluation by NumPy (``reference.py``), which does a part of it, on the first
images of `id`: its scores must be the same. One image takes up to 6.6 MB in FOLDER, which is left
as it was.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import reference
import zarr
from scipy.special import expit

from segue import dims

COMPARED = 10  # images of `id` that are scored plainly too
HYPOTHESES, DRAWS, RATERS, SIDE = 10, 10, 4, 128


def main() -> None:
    """Write the store, score it in a process of its own, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--folder", type=Path, default=Path.cwd())
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        path, out = Path(folder) / "store.zarr", Path(folder) / "out"
        start = time.perf_counter()
        size = write(path, given.images)
        print(f"{given.images} images, {size / 1e9:.2f} GB of samples", flush=True)
        print(f"written in {time.perf_counter() - start:.0f} s", flush=True)
        threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        start = time.perf_counter()
        command = [sys.executable, "-m", "segue.cli", "score", str(path), "--out", str(out)]
        subprocess.run(command, check=True, env=os.environ | threads)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"scored in {seconds:.0f} s, {seconds / given.images:.2f} s an image")
        print(f"peak memory {peak:.0f} MiB")
        compare(path, pd.read_csv(out / "scores.csv", keep_default_na=False))


def compare(path: Path, table: pd.DataFrame) -> None:
    """Score the first images of `id` plainly; print the time, and how far its scores are off."""
    group = zarr.open_group(path / "id", mode="r")
    count = min(COMPARED, group["probs"].shape[0])
    read = [(group["labels"][i], group["probs"][i]) for i in range(count)]
    start = time.perf_counter()
    found = [reference.scores(*reference.maps(probs), probs, labels) for labels, probs in read]
    seconds = (time.perf_counter() - start) / count
    print(f"plainly, without reading and writing: {seconds:.2f} s an image")
    here = table[(table["split"] == "id") & (table["variant"] == "corrected")]
    for name in found[0]:
        rows = here[here[["metric", "measure", "aggregation"]].eq(name.split("/")).all(axis=1)]
        theirs = rows.set_index("image")["score"].astype(float)
        worst = max(abs(theirs[str(i)] - each[name]) for i, each in enumerate(found))
        print(f"  {name.replace('/', ' '):18} differs by at most {worst:.1e}")


def write(path: Path, images: int) -> int:
    """Write the splits val (a tenth), id and ood_far (half of the rest each); bytes of samples."""
    rng = np.random.default_rng(0)
    val, inside = max(2, images // 10), (images - images // 10) // 2
    size = 0
    whole = {"write_empty_chunks": True}
    for split, count in {"val": val, "id": inside, "ood_far": images - val - inside}.items():
        group = zarr.open_group(path, mode="a", zarr_format=3).create_group(split)
        sizes = (count, HYPOTHESES, DRAWS, 2, SIDE, SIDE)
        probs = group.create_array(
            "probs",
            shape=sizes,
            chunks=(1, *sizes[1:]),
            dtype="float16",
            dimension_names=dims.SAMPLES,
            config=whole,
        )
        shape = (count, RATERS, SIDE, SIDE)
        labels = group.create_array(
            "labels",
            shape=shape,
            chunks=(1, *shape[1:]),
            dtype="uint8",
            dimension_names=dims.LABELS,
            config=whole,
        )
        for i in range(count):
            labels[i], probs[i] = image(rng, noise=2.0 if split == "ood_far" else 1.0)
        size += probs.nbytes
    return size


def image(rng: np.random.Generator, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """A blob as raters and samples see it: labels (rater, y, x), probs (eu, au, class, y, x)."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    centre, radius = rng.uniform(0.3, 0.7, 2), rng.uniform(0.1, 0.3)
    inside = 20 * (radius - np.hypot(y - centre[0], x - centre[1])).astype(np.float32)
    waves = np.stack([np.cos(3 * y), np.sin(4 * x), np.cos(5 * (x + y))]).astype(np.float32)
    marks = inside + np.tensordot(rng.normal(0, 0.7, (RATERS, 3)).astype(np.float32), waves, 1)
    weights = rng.normal(0, noise, (HYPOTHESES, 1, 3)) + rng.normal(0, 0.7, (1, DRAWS, 3))
    foreground = expit(inside + np.tensordot(weights.astype(np.float32), waves, 1))
    return (marks > 0).astype(np.uint8), np.stack([1 - foreground, foreground], axis=2)


if __name__ == "__main__":
    main()
