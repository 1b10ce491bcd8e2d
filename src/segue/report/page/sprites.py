"""Pictures side by side in one file: what a page shows of many images is few files, not thousands.

A sprite has a row for each image and a column for each thing that is shown of it. Files are WebP
without loss, which is about a third smaller than PNG; colours come in few steps, as is seen.
"""

import base64
from collections.abc import Sequence
from io import BytesIO
from math import ceil

import numpy as np

from segue.report.pictures import HEAT, LEVELS, contours


def heat(values: np.ndarray, most: float) -> np.ndarray:
    """Values (y, x) from 0, black, to ``most``, the brightest: RGB (y, x, 3) in [0, 1].

    What is below 0, as the jackknife's EU may be, is black too.
    """
    share = np.clip(values / most, 0, 1) if most > 0 else np.zeros_like(values)
    return HEAT(np.round(share * LEVELS).astype(int))[..., :3]


def thinned(values: np.ndarray, step: int) -> np.ndarray:
    """Every ``step``-th pixel of arrays whose last two axes are y and x."""
    return values[..., ::step, ::step]


def sprite(rows: Sequence[Sequence[np.ndarray | None]]) -> str:
    """Pictures (y, x, 3) in [0, 1], all of one size, as a file in base64; None leaves a place free.

    All rows have the same number of places, and one at least is filled.
    """
    from PIL import Image  # matplotlib brings it

    blank = next(np.zeros_like(each) for row in rows for each in row if each is not None)
    whole = [[blank if each is None else each for each in row] for row in rows]
    pixels = np.concatenate([np.concatenate(row, axis=1) for row in whole])
    out = BytesIO()
    Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(
        out, "WEBP", lossless=True, quality=60, method=4
    )
    return base64.b64encode(out.getvalue()).decode()


def outlines(labels: np.ndarray) -> list[str]:
    """Outlines of each rater's regions, as the path of an SVG in units of pixels.

    Args:
        labels: (rater, y, x), see ``segue.report.pictures.contours``.

    Returns:
        A path for each rater, empty where the rater marked nothing.
    """
    return ["".join(map(_path, contours(mask, margin=1))) for mask in labels]


def _path(line: np.ndarray) -> str:
    points = [f"{x:.4g} {y:.4g}" for x, y in line]
    return f"M{'L'.join(points)}Z"


def fitting(sizes: tuple[int, int], tiles: int, pixels: int, most: int) -> tuple[int, int]:
    """How many images to show, and which of their pixels, so that all are at most ``pixels``.

    Args:
        sizes: height and width of an image.
        tiles: pictures of each image, over all cells and splits.
        pixels: that all pictures together may have.
        most: images that are enough.

    Returns:
        The number of images, at least 1, and the step between the pixels that are shown. Pixels
        are left out only where fewer than 3 images would fit or an image has more than 96 a side.
    """
    step = ceil(max(sizes) / 96)
    while True:
        area = ceil(sizes[0] / step) * ceil(sizes[1] / step)
        images = pixels // (tiles * area)
        if images >= 3 or area <= 256:
            return max(1, min(images, most)), step
        step += 1
