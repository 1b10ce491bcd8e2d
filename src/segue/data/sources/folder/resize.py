"""Images and masks of any size, made to fit one."""

import numpy as np

from segue.dims import UNLABELLED


def fit(
    image: np.ndarray, labels: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Scale to fit into ``size`` without distortion, in its middle; what is around has no label.

    Images are interpolated linearly, after a Gaussian blur where they shrink; masks take the
    nearest pixel. The border has the mean of each channel, which leaves the mean as it is.

    Args:
        image: (channel, y, x).
        labels: (rater, y, x) uint8.
        size: (y, x) of the result.
    """
    from skimage.transform import resize  # of the extra `study`

    height, width = image.shape[1:]
    if (height, width) == size:
        return image, labels
    scale = min(size[0] / height, size[1] / width)
    inner = tuple(
        max(1, min(round(scale * side), most))
        for side, most in zip((height, width), size, strict=True)
    )
    top, left = ((most - side) // 2 for side, most in zip(inner, size, strict=True))
    window = (slice(None), slice(top, top + inner[0]), slice(left, left + inner[1]))
    pixels = np.broadcast_to(image.mean(axis=(1, 2), keepdims=True), (len(image), *size)).copy()
    pixels[window] = resize(image, (len(image), *inner), order=1, anti_aliasing=scale < 1)
    masks = np.full((len(labels), *size), UNLABELLED, np.uint8)
    masks[window] = resize(labels, (len(labels), *inner), order=0, preserve_range=True)
    return pixels, masks
