import io

import numpy as np
import pytest
from PIL import Image

from segue import seeds
from segue.data.corruptions import CORRUPTIONS, blur, contrast, jpeg, noise


def scene(channels=1, side=32, seed=0):
    """Smooth image with structure, in arbitrary units; multiples of 1/256."""
    rng = seeds.rng(seed, "scene")
    y, x = np.mgrid[:side, :side] / side
    waves = [np.cos(2 * np.pi * (rng.uniform(0, 3) * y + rng.uniform(0, 3) * x)) for _ in range(9)]
    image = np.stack([sum(waves[c::channels]) for c in range(channels)])
    return (np.rint(image * 64) / 256).astype(np.float32)


@pytest.mark.parametrize("shift", CORRUPTIONS)
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("side", [16, 20, 32, 64])
def test_shape_type_and_range_stay(shift, channels, side):
    image = scene(channels, side)
    out = CORRUPTIONS[shift](image, seeds.rng(1))
    assert out.shape == image.shape
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert not np.array_equal(out, image)
    assert np.abs(out).max() < 4 * np.abs(image).max()


@pytest.mark.parametrize("shift", CORRUPTIONS)
def test_the_same_generator_gives_the_same_image(shift):
    first, second = (CORRUPTIONS[shift](scene(), seeds.rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("shift", CORRUPTIONS)
def test_the_input_is_left_as_it_was(shift):
    image = scene()
    CORRUPTIONS[shift](image, seeds.rng(5))
    np.testing.assert_array_equal(image, scene())


@pytest.mark.parametrize("shift", CORRUPTIONS)
@pytest.mark.parametrize(("scale", "offset"), [(4, 0), (0.5, 2), (1024, -1024)])
def test_units_do_not_matter(shift, scale, offset):
    image = scene().astype(float)
    out = CORRUPTIONS[shift](scale * image + offset, seeds.rng(2))
    expected = scale * CORRUPTIONS[shift](image, seeds.rng(2)) + offset
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-9 * scale)


@pytest.mark.parametrize("shift", CORRUPTIONS)
def test_a_constant_image_stays_constant(shift):
    image = np.full((1, 32, 32), 7, np.float32)
    np.testing.assert_allclose(CORRUPTIONS[shift](image, seeds.rng(0)), image, rtol=1e-6)


def test_noise_has_a_tenth_to_half_of_the_images_standard_deviation():
    image = 3 * scene(side=128).astype(float) + 10
    shares = np.array(
        [(noise(image, seeds.rng(n)) - image).std() / image.std() for n in range(200)]
    )
    assert shares.min() == pytest.approx(0.1, abs=0.02)
    assert shares.max() == pytest.approx(0.5, abs=0.02)
    assert shares.mean() == pytest.approx(0.3, abs=4 * 0.4 / np.sqrt(12 * 200))


def test_noise_is_gaussian_and_white():
    image = scene(side=128).astype(float)
    added = noise(image, seeds.rng(0)) - image
    added /= added.std()
    assert added.mean() == pytest.approx(0, abs=4 / 128)
    assert (added**4).mean() == pytest.approx(3, abs=0.2)
    assert (added[:, 1:] * added[:, :-1]).mean() == pytest.approx(0, abs=0.04)


def kernel(seed, side):
    """The blur's kernel along x: its response to a line."""
    line = np.zeros((1, side, side))
    line[:, :, side // 2] = 1
    response = blur(line, seeds.rng(seed))[0, side // 2]
    return response[response > 0]


@pytest.mark.parametrize("side", [32, 128])
def test_blur_is_a_truncated_gaussian(side):
    for seed in range(40):
        found = kernel(seed, side)
        half = len(found) // 2
        assert len(found) in (3, 5, 7)
        sigma = np.sqrt(-0.5 / np.log(found[half + 1] / found[half]))
        assert 0.05 * side <= sigma <= 0.2 * side
        by_hand = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
        np.testing.assert_allclose(found, by_hand / by_hand.sum(), rtol=1e-9)


def test_blur_widths_are_drawn_20_40_40():
    widths = [len(kernel(seed, 16)) for seed in range(1000)]
    shares = np.array([widths.count(w) for w in (3, 5, 7)]) / len(widths)
    np.testing.assert_allclose(shares, (0.2, 0.4, 0.4), atol=4 * np.sqrt(0.24 / 1000))


def test_blur_acts_along_both_axes_alike():
    image = scene().astype(float)
    turned = blur(image.swapaxes(1, 2), seeds.rng(3)).swapaxes(1, 2)
    np.testing.assert_allclose(turned, blur(image, seeds.rng(3)))


def test_contrast_is_local_and_keeps_the_range():
    y, x = np.mgrid[:128, :128] / 128
    image = (np.where(x < 0.5, 0.0, 1.0) + 0.02 * np.sin(60 * y))[None]
    out = contrast(image, seeds.rng(0))
    assert out.min() == pytest.approx(image.min())
    assert out.max() == pytest.approx(image.max())
    dark = np.s_[0, :, :48]
    assert out[dark].std() > 1.5 * image[dark].std()  # faint detail in a flat half comes out


def test_each_channel_keeps_its_own_range_under_contrast():
    image = scene(3) * np.array([1, 2, 4], np.float32)[:, None, None]
    out = contrast(image, seeds.rng(0))
    np.testing.assert_allclose(out.min((1, 2)), image.min((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(out.max((1, 2)), image.max((1, 2)), rtol=1e-5)


def compressed(bits, quality):
    file = io.BytesIO()
    Image.fromarray(bits).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), float)


def test_jpeg_has_every_quality_from_10_to_20():
    """On an image that spans 0 to 255, compression is the encoder's alone."""
    picture = scene()[0]
    bits = np.rint((picture - picture.min()) / np.ptp(picture) * 255).astype(np.uint8)
    by_hand = {quality: compressed(bits, quality) for quality in range(5, 30)}
    seen = set()
    for seed in range(100):
        out = jpeg(bits[None].astype(float), seeds.rng(seed))[0]
        same = [quality for quality, known in by_hand.items() if np.allclose(out, known)]
        assert same
        seen.update(q for q in same if len(same) == 1)
    assert min(seen) >= 10
    assert max(seen) <= 20
    assert len(seen) >= 8


def test_three_channels_are_compressed_as_colours():
    picture = np.stack([scene(seed=s)[0] for s in range(3)])
    bits = np.rint((picture - picture.min()) / np.ptp(picture) * 255).astype(np.uint8)
    out = jpeg(bits.astype(float), seeds.rng(0))
    known = [compressed(np.moveaxis(bits, 0, -1).copy(), q) for q in range(10, 21)]
    assert any(np.allclose(np.moveaxis(out, 0, -1), k) for k in known)
