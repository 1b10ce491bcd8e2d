import numpy as np
import pytest

from segue import seeds
from segue.data.sources.lidc_contours.fields import SmoothField, Window, blend, sigmoid


def field(seed=0, amplitude=2.0, wavelengths=(5, 20)):
    return SmoothField.draw(seeds.rng(seed), terms=12, wavelengths=wavelengths, amplitude=amplitude)


def test_positions_count_from_the_middle_of_the_slice_in_mm():
    window = Window(row=256, column=246, side=3, spacing=0.5)
    np.testing.assert_allclose(window.y, [0, 0.5, 1])
    np.testing.assert_allclose(window.x, [-5, -4.5, -4])


def test_a_field_on_a_grid_is_the_field_at_its_points():
    y, x = np.linspace(-30, 30, 9), np.linspace(0, 50, 7)
    on_grid = field().on_grid(3.3, y, x)
    np.testing.assert_allclose(on_grid, field().at(3.3, y[:, None], x[None]), atol=1e-12)


def test_a_field_has_mean_zero_and_the_standard_deviation_asked_for():
    point = np.zeros(1)
    values = np.array([field(seed).at(point, point, point)[0] for seed in range(4000)])
    assert values.mean() == pytest.approx(0, abs=4 * 2 / np.sqrt(4000))
    assert values.std() == pytest.approx(2, rel=0.08)


def test_a_field_varies_slowly_within_its_shortest_wavelength():
    x = np.linspace(0, 100, 2001)
    slope = np.abs(np.gradient(field().on_grid(0, np.zeros(1), x)[0], x)).max()
    bound = np.abs(field().amplitudes).sum() * 2 * np.pi / 5
    assert slope <= bound


def test_the_soft_edge_is_the_logistic_function():
    x = np.array([-800.0, -1, 0, 1, 800])
    np.testing.assert_allclose(sigmoid(x), [0, 1 / (1 + np.e), 0.5, np.e / (1 + np.e), 1])


def test_blending_goes_from_one_value_to_the_other():
    np.testing.assert_allclose(blend(np.full(3, -10.0), np.array([0, 0.5, 1]), 30.0), [-10, 10, 30])
