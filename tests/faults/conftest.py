from collections import Counter

import pytest
from harness import Finished, new_study, run


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The tiny study, run to its end without disturbance; for copies only."""
    study = new_study(tmp_path_factory.mktemp("finished") / "project")
    done = run(study)
    assert done.status == 0, done.said
    return Finished(study, study.files("tables"), done.changes)


def pytest_terminal_summary(terminalreporter):
    """Say in one line what was done to the stages: the ``fault`` properties of the tests."""
    reports = [
        report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])
    ]
    faults = Counter(
        value for report in reports for key, value in report.user_properties if key == "fault"
    )
    if faults:
        said = ", ".join(f"{number} {fault}" for fault, number in sorted(faults.items()))
        terminalreporter.write_line(f"faults: {faults.total()} in all: {said}")
