"""The same nodules as other scanners would have shown them: shifts made before the picture is.

What is in the chest stays as it is; the scanner that looks at it is another one than in training.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy import ndimage

from segue import seeds
from segue.data.sources.lidc_contours.chest import Kernel
from segue.data.sources.lidc_contours.nodule import draw_shape
from segue.data.sources.lidc_contours.phantom import Phantom, anatomy, noise, noise_rng, window_of

# Noise and cutoff go on as they do with blur from soft to sharp in training: noise falls with the
# power 2.3 of blur, and the cutoff is a quarter of its inverse.
_SHARP = Kernel(blur=0.30, noise=119.0, cutoff=0.83)
_HALO = 1.0  # mm; how far from an edge a sharp kernel over- and undershoots
_OVERSHOOT = 0.5

_THICKNESS = 8.0  # mm; the thickest slices of LIDC-IDRI have 5, and most 1.25 or 2.5
_THIN = 1.0  # mm; of those that a thick slice is the mean of
_FADE = 5.0  # mm above and below a thick slice, where the soft edge of a nodule still shows


def sharp_kernel(phantom: Phantom, index: int) -> np.ndarray:
    """HU (y, x) of a slice reconstructed with a sharp (lung or bone) kernel, at the same dose.

    Edges are crisp and overshoot, as such kernels pass some spatial frequencies better than none:
    up to 1.2 of their contrast. The noise is stronger, finer, and drawn anew.
    """
    chest = phantom.chest
    louder = chest.noise * _SHARP.noise / chest.kernel.noise
    phantom = replace(phantom, chest=replace(chest, kernel=_SHARP, noise=louder))
    window = window_of(phantom, index)
    hu, distance = anatomy(phantom, window, index)
    crisp = ndimage.gaussian_filter(hu, _SHARP.blur / window.spacing)
    crisp = crisp + _OVERSHOOT * (crisp - ndimage.gaussian_filter(hu, _HALO / window.spacing))
    return crisp + noise(phantom, window, distance, noise_rng(phantom, index, "kernel"))


def thick_slice(phantom: Phantom, index: int) -> np.ndarray:
    """HU (y, x) of a slice of 8 mm about the middle of slice ``index``: the mean of thin ones.

    Whatever fills a part of its height shows faintly (partial volume). The kernel is the scan's
    own; the noise is weaker, as a thick slice collects more photons, and drawn anew.
    """
    scan = phantom.nodule.scan
    window = window_of(phantom, index)
    count = round(_THICKNESS / _THIN)
    heights = (np.arange(count) - (count - 1) / 2) * _THIN
    slabs = [anatomy(_thin(phantom), window, index + h / scan.slice_spacing) for h in heights]
    hu, distance = np.mean(slabs, axis=0)
    hu = ndimage.gaussian_filter(hu, phantom.chest.kernel.blur / window.spacing)
    quieter = phantom.chest.noise * np.sqrt(scan.thickness / _THICKNESS)
    phantom = replace(phantom, chest=replace(phantom.chest, noise=quieter))
    return hu + noise(phantom, window, distance, noise_rng(phantom, index, "thick"))


SCANNERS: Mapping[str, Callable[[Phantom, int], np.ndarray]] = {
    "kernel": sharp_kernel,
    "thick": thick_slice,
}
"""Shift -> what renders a slice for the split ``ood_<shift>``."""


@lru_cache(maxsize=1)
def _thin(phantom: Phantom) -> Phantom:
    """The phantom with thin slices, and its nodule's shape known as far as a thick one reaches."""
    nodule = phantom.nodule
    rng = seeds.rng(phantom.seed, "lidc_contours", nodule.scan.id, nodule.index, "shape")
    shape = draw_shape(rng, nodule, beyond=_THICKNESS / 2 + _FADE)
    thin = replace(nodule, scan=replace(nodule.scan, thickness=_THIN))
    return replace(phantom, nodule=thin, shape=shape)
