"""What tests run plug-ins with: the options that their own files bring (``TEST_OPTIONS``)."""

from typing import Any

from segue import plugins
from segue.study import cost, needs

MOST = 3
"""Hypotheses that tests ask a method for that has so many."""


def options(kind: str, name: str, function: str) -> dict[str, Any]:
    """Of the options that a plug-in's file brings, those that a function takes."""
    path = plugins.module(kind, name)
    taken = plugins.options(path, function)
    given = plugins.literal(path, plugins.TEST_OPTIONS, {})
    return {key: value for key, value in given.items() if key in taken}


def hypotheses(name: str) -> int:
    """How many hypotheses to ask an EU method for."""
    return needs.of(name).get("hypotheses", MOST)


def is_deterministic(name: str) -> bool:
    """Whether an AU model has one sample, whatever it is asked for."""
    return cost.draws({"method": name}, 2) == 1


def fits(aleatoric: str, epistemic: str) -> bool:
    """Whether an EU method can run on an AU model."""
    return is_deterministic(aleatoric) or not needs.of(epistemic).get("deterministic")


def aleatoric_entry(name: str) -> dict[str, Any]:
    """An entry of the config section ``aleatoric``."""
    return {
        "method": name,
        "options": options("aleatoric", name, "Model.__init__"),
        "sampling": options("aleatoric", name, "Model.sample"),
    }


def epistemic_entry(name: str) -> dict[str, Any]:
    """An entry of the config section ``epistemic``, for a recipe that has what it needs."""
    needed = needs.of(name)
    return {
        "method": name,
        "recipe": "dropout" if needed.get("dropout") else "plain",
        "hypotheses": hypotheses(name),
        "members": hypotheses(name) if needed.get("hypotheses_from") == "members" else 1,
        "options": options("epistemic", name, "hypotheses"),
    }


def schedule_entry(name: str) -> dict[str, Any]:
    """The key `schedule` of a recipe."""
    return {"method": name, "options": options("schedules", name, "rate")}
