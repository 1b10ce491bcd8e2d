"""Four corruptions that turn in-distribution images into out-of-distribution ones.

Each takes an image (channel, y, x) in its source's units and a generator, and returns an image of
the same shape, type and units. What needs an 8-bit image gets the image's own range scaled to 0 to
255, and is mapped back.
"""

import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image
from scipy import ndimage

_LEVELS = 255
_TILES = 8


def noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add Gaussian noise of σ = u·std(image), u ~ U[0.1, 0.5]; values are not clipped."""
    sigma = rng.uniform(0.1, 0.5) * image.std()
    return (image + sigma * rng.normal(size=image.shape)).astype(image.dtype)


def blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur by a truncated Gaussian kernel, σ ~ U[0.05, 0.2]·side.

    The kernel is 3, 5 or 7 pixels wide with probability 0.2, 0.4, 0.4, so it is nearly a box.
    """
    sigma = rng.uniform(0.05, 0.2) * image.shape[-1]
    width = rng.choice([3, 5, 7], p=[0.2, 0.4, 0.4])
    offset = np.arange(width) - width // 2
    kernel = np.exp(-(offset**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    blurred = image.astype(float)
    for axis in (-2, -1):
        blurred = ndimage.correlate1d(blurred, kernel, axis=axis, mode="mirror")
    return blurred.astype(image.dtype)


def contrast(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Equalise the histogram adaptively (CLAHE): 8 x 8 tiles, clip limit ~ U[1, 5].

    Each channel on its own. The limit is relative to a uniform histogram of 256 levels, and a tile
    clips at one count or more: below about 100 pixels a tile, the limit does not matter.
    """
    from skimage import exposure  # of the extra `study`: what reads data does without

    limit = rng.uniform(1, 5) / (_LEVELS + 1)
    tile = [max(1, side // _TILES) for side in image.shape[1:]]

    def equalise(bits: np.ndarray) -> np.ndarray:
        return exposure.equalize_adapthist(bits, kernel_size=tile, clip_limit=limit) * _LEVELS

    return np.stack([_on_8_bits(channel, equalise) for channel in image])


def jpeg(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Compress as JPEG of an integer quality ~ U[10, 20]; three channels as RGB, others singly."""
    quality = int(rng.integers(10, 21))

    def compress(picture: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file))

    def compress_all(bits: np.ndarray) -> np.ndarray:
        if len(bits) == 3:
            return np.moveaxis(compress(np.ascontiguousarray(np.moveaxis(bits, 0, -1))), -1, 0)
        return np.stack([compress(channel) for channel in bits])

    return _on_8_bits(image, compress_all)


CORRUPTIONS: Mapping[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "noise": noise,
    "blur": blur,
    "contrast": contrast,
    "jpeg": jpeg,
}
"""Shift -> corruption; the split of shift s is ``ood_s``."""


def _on_8_bits(image: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply ``change`` to the image's range scaled to 0..255 (uint8), and map the result back."""
    low, high = float(image.min()), float(image.max())
    if high == low:
        return image.copy()
    bits = np.rint((image - low) / (high - low) * _LEVELS).astype(np.uint8)
    changed = np.asarray(change(bits), float)
    return (changed / _LEVELS * (high - low) + low).astype(image.dtype)
