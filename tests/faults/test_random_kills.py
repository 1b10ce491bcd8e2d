"""Kills at random moments of every stage: in the end nothing is other than without them."""

from collections import Counter
from random import Random

import pytest
from harness import STAGES, forget, leftovers, run

pytestmark = pytest.mark.workflow

KILLS = 60
ALL_AT_ONCE = 6  # every so many-th kill is one of Snakemake and all of its jobs
AFTER_S = 0.1  # at most so long after a change


def shares():
    """Stage -> number of kills: the same for each, but for the last of them."""
    names = [stage.name for stage in STAGES]
    return Counter(names[i % len(names)] for i in range(KILLS))


def strikes(left, changes, random):
    """Stage -> kills: of each process that it starts, until it has had its share."""
    return {
        name: [
            {
                "kind": "kill",
                "at": random.randint(1, changes[name]),
                "after": random.choice((0.0, random.uniform(0, AFTER_S))),
                "everything": random.randrange(ALL_AT_ONCE) == 0,
            }
            for _ in range(number)
        ]
        for name, number in left.items()
    }


def test_a_study_that_was_killed_sixty_times_ends_with_the_same_tables(
    finished, tmp_path, record_property
):
    study, random, left = (
        finished.without(STAGES[0].name, tmp_path / "project"),
        Random(0),
        shares(),
    )
    while left:
        done = run(study, "--retries", str(KILLS), strikes=strikes(left, finished.changes, random))
        left -= Counter(done.struck)
        for name in done.struck:
            record_property("fault", f"random kill of {name}")
        if done.status < 0:
            study.run("--unlock")
        else:
            assert done.status == 0, done.said
        if done.status == 0 and left:  # the stage was done before its strike came
            forget(study, next(iter(left)))
    done = run(study)
    assert done.status == 0, done.said
    assert study.files("tables") == finished.tables
    assert leftovers(study) == []
