"""Pictures side by side in one file."""

import base64
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from segue.dims import UNLABELLED
from segue.report.page import sprites

SIDES = st.integers(4, 1024)


def decoded(sprite: str) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(base64.b64decode(sprite))).convert("RGB")) / 255


def test_a_sprite_has_each_picture_at_its_place_without_loss():
    rng = np.random.default_rng(0)
    pictures = np.round(rng.uniform(size=(2, 3, 4, 5, 3)) * 255) / 255
    found = decoded(sprites.sprite([[pictures[0, 0], None, pictures[0, 2]], [*pictures[1]]]))
    assert found.shape == (8, 15, 3)
    np.testing.assert_allclose(found[:4, 10:], pictures[0, 2], atol=1e-9)
    np.testing.assert_allclose(found[4:, 5:10], pictures[1, 1], atol=1e-9)
    assert not found[:4, 5:10].any()


def test_heat_goes_from_black_to_the_brightest_and_negative_values_are_black():
    found = sprites.heat(np.array([[-1.0, 0.0, 0.5, 2.0]]), 0.5)[0]
    assert found[0].tolist() == found[1].tolist()
    assert found[1].max() < 0.02
    assert found[2].tolist() == found[3].tolist()
    assert found[2].min() > 0.7


def test_without_uncertainty_a_map_is_black():
    assert sprites.heat(np.zeros((2, 2)), 0).max() < 0.02


def test_the_outline_of_a_square_is_its_border():
    labels = np.zeros((3, 5, 5), np.uint8)
    labels[0, 1:4, 1:4] = 1
    labels[1] = UNLABELLED
    square, *others = sprites.outlines(labels)
    assert others == ["", ""]
    numbers = np.array(square[1:-1].replace("L", " ").split(), float).reshape(-1, 2)
    assert square.count("M") == square.count("Z") == 1
    assert numbers.min() == pytest.approx(0.5)
    assert numbers.max() == pytest.approx(3.5)


@given(SIDES, SIDES, st.integers(1, 5000), st.integers(10**5, 10**8))
def test_pictures_fit_or_are_as_few_and_as_small_as_can_be(height, width, tiles, pixels):
    images, step = sprites.fitting((height, width), tiles, pixels, 12)
    area = -(-height // step) * -(-width // step)
    assert 1 <= images <= 12
    assert max(height, width) / step <= 96 or area <= 256
    assert images * tiles * area <= pixels or (images == 1 and area <= 256)
