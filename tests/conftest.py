import sys

import pytest
from hypothesis import settings

# The same examples on every run, and no deadline: a loaded machine is no failure.
settings.register_profile("segue", deadline=None, derandomize=True, database=None)
settings.load_profile("segue")


def pytest_terminal_summary(terminalreporter):
    """Sum up what the tests in faults/ did to files."""
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.getreports(outcome)]
    found = [value for r in reports for name, value in r.user_properties if name == "damages"]
    if found:
        noticed, unnoticed, tracebacks = (
            sum(each.get(outcome, 0) for each in found)
            for outcome in ("noticed", "unnoticed", "traceback")
        )
        tried = noticed + unnoticed + tracebacks
        terminalreporter.write_line(
            f"damages tried {tried}, unnoticed {unnoticed}, tracebacks {tracebacks}"
        )


@pytest.fixture(autouse=True)
def subnormal_numbers():
    """Training and sampling flush subnormal numbers to 0 in their process; undo it after a test."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)
