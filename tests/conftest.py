import sys

import pytest
from hypothesis import settings

# The same examples on every run, and no deadline: a loaded machine is no failure.
settings.register_profile("segue", deadline=None, derandomize=True, database=None)
settings.load_profile("segue")


@pytest.fixture(autouse=True)
def subnormal_numbers():
    """Training and sampling flush subnormal numbers to 0 in their process; undo it after a test."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)
