"""What holds for every schedule on disk."""

import pytest
from plugged import options

from segue import plugins
from segue.models.schedules import cosine

NAMES = plugins.available("schedules")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("snapshots", [0, 1, 3, 7])
def test_a_rate_is_a_factor_all_along_the_training(name, snapshots):
    given = options("schedules", name, "rate")
    rate = plugins.load("schedules", name).rate
    assert all(0 < rate(step / 100, snapshots, **given) <= 1 for step in range(100))


def test_the_cosine_starts_anew_in_each_cycle():
    """The published rate, α₀/2·(cos(π·mod(t − 1, T/M)/(T/M)) + 1) at the step t of T, from 1."""
    found = [cosine.rate(step / 12, 3) for step in range(12)]
    once = [1, 0.5 * (1 + 0.5**0.5), 0.5, 0.5 * (1 - 0.5**0.5)]
    assert found == pytest.approx(3 * once)
