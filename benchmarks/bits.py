"""Bytes that samples and maps take with fewer bits of the mantissa, and what is lost.

Of the samples of a finished study (`--study`): those of all its cells with MC dropout, replicate 0,
the first images of `id`. Samples are as they are stored, in half precision; errors are against maps
of these. Bytes are those of the stores' own chunks and compression, a pixel and sample or map.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from benchmarks.rows import Given, Row
from segue import dims, store
from segue.evaluation.decomposition import decompose
from segue.left_out import COMPLEMENT, SUM
from segue.rounding import rounded

IMAGES = 40
SAMPLES, MAPS = (10, 8, 7, 6), (23, 12, 10, 8)


def rows(given: Given) -> Iterator[Row]:
    """Bytes by bits, and mean errors; none where the study has no such samples."""
    cells = sorted(given.study.glob("samples/*/*-dropout/rep0/samples.zarr"))
    if not cells:
        return
    parts = [store.open_split(path, "id")["probs"][:IMAGES].load() for path in cells]
    on = f"{len(cells)} cells, {sum(map(len, parts))} images"
    whole = _bytes(given.folder / "both", dims.SAMPLES, [p.values.astype("f2") for p in parts])
    yield Row("samples, both classes", whole / _pixels(parts), "bytes a pixel", on)
    maps = [decompose(part) for part in parts]
    for bits in SAMPLES:
        fewer = [part.copy(data=_fewer(part.values, bits)) for part in parts]
        name, kept = f"samples, {bits} bits", given.folder / f"samples-{bits}"
        size = _bytes(kept, dims.SAMPLES, [each.values for each in fewer], COMPLEMENT, "float16")
        yield Row(name, size / _pixels(parts), "bytes a pixel", on)
        found = [decompose(each) for each in fewer]
        for measure in ("TU", "EU"):
            errors = [_error(*both, measure) for both in zip(maps, found, strict=True)]
            yield Row(name, float(np.mean(errors)), f"nats, mean error of {measure}", on)
        order = [_order(*both) for both in zip(maps, found, strict=True)]
        yield Row(name, min(order), "least ρ of the images' EU", on)
    for bits in MAPS:
        values = [rounded(each.values.astype("f4"), bits) for each in maps]
        size = _bytes(given.folder / f"maps-{bits}", dims.UNCERTAINTY, values, SUM)
        yield Row(
            f"maps, {bits} bits", size / sum(v[:, 1:].size for v in values), "bytes a pixel", on
        )


def _fewer(probs: np.ndarray, bits: int) -> np.ndarray:
    second = rounded(probs[:, :, :, 1:].astype(np.float16), bits).astype(np.float32)
    return np.concatenate([1 - second, second], axis=3)


def _pixels(parts: list) -> int:
    return sum(part[:, :, :, 0].size for part in parts)


def _bytes(
    path: Path,
    names: tuple[str, ...],
    parts: list[np.ndarray],
    without: str | None = None,
    stored_as: str | None = None,
) -> int:
    """Bytes of the files of arrays as stores have them."""
    for number, values in enumerate(parts):
        array = store.create(
            path,
            str(number),
            "values",
            names,
            values.shape,
            str(values.dtype),
            chunk=32,
            without=without,
            stored_as=stored_as,
        )
        array[:] = values
    files = (file for file in path.rglob("*") if file.is_file() and file.name != "zarr.json")
    return sum(file.stat().st_size for file in files)


def _error(first, second, measure: str) -> float:
    return float(abs(first.sel(measure=measure) - second.sel(measure=measure)).mean())


def _order(first, second) -> float:
    means = (each.sel(measure="EU").mean(["y", "x"]).values for each in (first, second))
    return float(spearmanr(*means).statistic)
