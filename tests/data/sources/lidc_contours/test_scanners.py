"""Shifts by another scanner. What a phantom without noise lacks of the picture is the noise."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from segue.data.contours.database import RATINGS, Scan, load
from segue.data.contours.masks import Mask
from segue.data.contours.nodules import Nodule, nodules
from segue.data.sources.lidc_contours import scanners
from segue.data.sources.lidc_contours.chest import Place
from segue.data.sources.lidc_contours.phantom import anatomy, render, set_up, window_of
from segue.data.sources.lidc_contours.scanners import SCANNERS, sharp_kernel, thick_slice
from segue.data.sources.lidc_contours.tubes import Tubes

SIDE = 48


@pytest.fixture(scope="module")
def some():
    """Set-up nodules of twelve scans, each with its middle slice."""
    scans = list(load().values())[::73][:12]
    found = [nodules(scan)[0] for scan in scans]
    return [(set_up(n, seed=0, side=SIDE), n.slices[len(n.slices) // 2]) for n in found]


def quiet(phantom):
    return replace(phantom, chest=replace(phantom.chest, noise=0.0))


def noise(show, phantom, index):
    return show(phantom, index) - show(quiet(phantom), index)


def frequency(noise):
    """Mean frequency of a noise, in cycles a pixel."""
    axis = np.fft.fftfreq(SIDE)
    power = np.abs(np.fft.fft2(noise)) ** 2
    return (np.hypot(axis[:, None], axis) * power).sum() / power.sum()


def slope(picture):
    return np.hypot(*np.gradient(picture)).mean()


@pytest.mark.parametrize("shift", SCANNERS)
def test_a_picture_depends_on_seed_nodule_and_slice_alone(some, shift):
    show = SCANNERS[shift]
    (phantom, index), (other, at) = some[:2]
    first = show(phantom, index)
    show(other, at)
    again = set_up(phantom.nodule, seed=0, side=SIDE)
    np.testing.assert_array_equal(show(again, index), first)
    assert not np.allclose(show(set_up(phantom.nodule, seed=1, side=SIDE), index), first)


@pytest.mark.parametrize("shift", SCANNERS)
def test_another_scanner_leaves_the_phantom_as_it_was(some, shift):
    phantom, index = some[0]
    before = render(phantom, index)
    SCANNERS[shift](phantom, index)
    np.testing.assert_array_equal(render(phantom, index), before)


@pytest.mark.parametrize("shift", SCANNERS)
def test_another_scanner_draws_its_noise_anew(some, shift):
    for phantom, index in some:
        pair = [noise(show, phantom, index).ravel() for show in (render, SCANNERS[shift])]
        assert abs(np.corrcoef(pair)[0, 1]) < 0.15


def test_a_sharp_kernel_has_stronger_noise_at_the_same_dose(some):
    """119 HU where the scan's own kernel has 62, 34 or 20, whatever else weakens or raises it."""
    for phantom, index in some:
        own, sharp = (noise(show, phantom, index).std() for show in (render, sharp_kernel))
        assert sharp / own == pytest.approx(119 / phantom.chest.kernel.noise, rel=0.15)


def test_a_sharp_kernel_has_finer_noise(some):
    for phantom, index in some:
        own, sharp = (frequency(noise(show, phantom, index)) for show in (render, sharp_kernel))
        assert sharp > 1.05 * own
    ratios = [
        frequency(noise(sharp_kernel, *each)) / frequency(noise(render, *each)) for each in some
    ]
    assert np.mean(ratios) > 1.2


def test_a_sharp_kernel_makes_edges_steeper_and_overshoots(some):
    overshot = 0
    for phantom, index in some:
        own, sharp = (show(quiet(phantom), index) for show in (render, sharp_kernel))
        assert slope(sharp) > 1.1 * slope(own)
        truth, _ = anatomy(phantom, window_of(phantom, index), index)
        overshot += sharp.max() > truth.max()  # no blur alone does
    assert overshot > len(some) / 2


def test_a_sharp_kernel_passes_no_contrast_better_than_by_a_fifth():
    """The transfer of its two Gaussians, as the docstring says it."""
    f = np.linspace(0, 2, 2001)  # 1/mm
    crisp, wide = (
        np.exp(-2 * (np.pi * s * f) ** 2) for s in (scanners._SHARP.blur, scanners._HALO)
    )
    transfer = crisp + scanners._OVERSHOOT * (crisp - wide)
    assert transfer[0] == 1
    assert transfer.max() == pytest.approx(1.2, abs=0.005)


def test_a_thick_slice_has_less_noise_as_it_collects_more_photons(some):
    for phantom, index in some:
        own, thick = (noise(show, phantom, index).std() for show in (render, thick_slice))
        expected = np.sqrt(phantom.nodule.scan.thickness / 8)
        assert thick / own == pytest.approx(expected, rel=0.2)


def test_a_thick_slice_is_about_the_mean_of_the_scans_own_slices():
    """Of nodules with slices of 1.25 mm, the mean of those that lie within 8 mm."""
    scans = [scan for scan in load().values() if scan.thickness == scan.slice_spacing == 1.25]
    for nodule in [nodules(scan)[0] for scan in scans[::4][:8]]:
        phantom, index = set_up(nodule, seed=0, side=SIDE), nodule.slices[len(nodule.slices) // 2]
        window = window_of(phantom, index)
        own = [anatomy(phantom, window, index + k)[0] for k in (-3, -2, -1, 0, 1, 2, 3)]
        weights = [0.7, 1, 1, 1, 1, 1, 0.7]  # of the outermost, 0.875 mm are within 4 mm
        mean = np.average(own, axis=0, weights=weights)
        mean = ndimage.gaussian_filter(mean, phantom.chest.kernel.blur / window.spacing)
        single, thick = (show(quiet(phantom), index) for show in (render, thick_slice))
        assert np.corrcoef(thick.ravel(), mean.ravel())[0, 1] > 0.98
        assert np.abs(thick - mean).mean() < 0.5 * np.abs(thick - single).mean()


def cylinder(height):
    """A solid nodule with a sharp margin: a disc of 5 mm radius in ``height`` slices of 1 mm."""
    scan = Scan(1, "LIDC-IDRI-0001", 0.7, 1.0, False, np.arange(0, 200, 1.0), [])
    y = np.arange(-8, 9) * scan.spacing
    disc = Mask(242, 192, y[:, None] ** 2 + y**2 <= 5**2)
    masks = {100 + step: disc for step in range(-(height // 2), height // 2 + 1)}
    rated = {name: 5 for name in RATINGS} | {"internalStructure": 1, "calcification": 6}
    rated |= {"spiculation": 1}
    return Nodule(scan, 0, np.array([[rated[name] for name in RATINGS]], float), [masks])


def kept(height):
    """Share of its contrast that the middle of a cylinder keeps in a thick slice, of 40 chests."""
    shares = []
    for seed in range(40):
        phantom = quiet(set_up(cylinder(height), seed=seed, side=32))
        bare = replace(phantom, vessels=Tubes(*(part[:0] for part in phantom.vessels)))
        thin, thick = (show(bare, 100)[16, 16] for show in (render, thick_slice))
        # The lung in the middle, where there is no nodule.
        lung = bare.chest.tissue(window_of(bare, 100), Place(100 / 199, 100.0, bare.shift)).hu
        shares.append((thick - lung[16, 16]) / (thin - lung[16, 16]))
    return np.median(shares)


def test_a_nodule_that_fills_a_part_of_a_thick_slice_shows_by_that_part():
    assert kept(3) == pytest.approx(3 / 8, abs=0.04)
    assert kept(5) == pytest.approx(5 / 8, abs=0.04)
    assert kept(13) == pytest.approx(1, abs=0.02)


def test_the_nodule_is_known_as_far_as_a_thick_slice_of_its_last_one_reaches():
    """4 mm, and as far again as a soft edge fades; its distance goes on growing there."""
    phantom = set_up(cylinder(5), seed=0, side=32)
    deep = scanners._thin(phantom).shape
    assert deep.origin[0] <= 98 - 4 - 5
    assert deep.distance[:, deep.distance.shape[1] // 2, deep.distance.shape[2] // 2].max() > 8
    for name in ("centre", "radius", "offset", "edge"):
        assert getattr(deep, name) == pytest.approx(getattr(phantom.shape, name))
