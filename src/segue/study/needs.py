"""What epistemic methods need of their entries in the config, as their files say."""

from collections.abc import Mapping
from typing import Any

from segue import plugins
from segue.errors import InputError

NEEDS = {
    "hypotheses": "so many hypotheses, no more and no fewer",
    "most_hypotheses": "no more hypotheses than so many",
    "hypotheses_from": "no more hypotheses than there are of this: members or snapshots",
    "snapshots": "at least so many snapshots of the recipe",
    "dropout": "whether the recipe needs dropout",
    "deterministic": "whether the AU model must have one sample, whatever it is asked for",
    "data": "whether it is given the training data",
}
"""What the dict ``NEEDS`` of an EU method's file may say that the method needs."""


def of(method: str) -> dict[str, Any]:
    """What a method needs, by the keys of ``NEEDS``; its file is read, not imported."""
    return plugins.literal(plugins.module("epistemic", method), "NEEDS", {})


def check_entry(
    method: str, entry: Mapping[str, Any], recipe: Mapping[str, Any], where: str
) -> None:
    """Check that an entry of the config section ``epistemic`` gives a method what it needs.

    Args:
        method: of the entry; its file says what it needs.
        entry: ``hypotheses``, ``members`` and the name of the ``recipe``.
        recipe: ``dropout``, ``snapshots`` and perhaps ``resample`` of that recipe.
        where: the config key of the entry, for the message.

    Raises:
        InputError: names the key that does not suffice, and the remedy.
    """
    needs = of(method)
    hypotheses, of_recipe = entry["hypotheses"], f"recipes.{entry['recipe']}"
    if hypotheses != needs.get("hypotheses", hypotheses):
        raise InputError(
            f"{where}.hypotheses: {method} has {needs['hypotheses']}, not {hypotheses}; "
            f"set `hypotheses: {needs['hypotheses']}`"
        )
    if hypotheses > (most := needs.get("most_hypotheses", hypotheses)):
        raise InputError(
            f"{where}.hypotheses: {method} has at most {most}, not {hypotheses}; lower `hypotheses`"
        )
    if recipe["snapshots"] < (least := needs.get("snapshots", 0)):
        raise InputError(
            f"{where}: {method} needs at least {least} snapshots, {of_recipe}.snapshots is "
            f"{recipe['snapshots']}; raise it, or name another recipe"
        )
    if needs.get("dropout") and not recipe["dropout"]:
        raise InputError(
            f"{where}: {method} needs a recipe with dropout, {of_recipe}.dropout is 0; "
            "name another recipe"
        )
    if needs.get("data") and recipe.get("resample"):
        raise InputError(
            f"{where}: {method} reads the images that its model was trained on, and {of_recipe} "
            "draws others by `resample`; name another recipe"
        )
    if source := needs.get("hypotheses_from"):
        there = entry["members"] if source == "members" else recipe["snapshots"]
        if hypotheses > there:
            raise InputError(
                f"{where}.hypotheses: {hypotheses} of {there} {source}; raise `{source}` or lower "
                "`hypotheses`"
            )


def check_model(method: str, model: str, deterministic: bool, where: str, cell: str) -> None:
    """Check that a method can run on an AU model.

    Args:
        method: of the entry in the section ``epistemic``; its file says what it needs.
        model: of the entry in the section ``aleatoric``.
        deterministic: whether that model has one sample, whatever it is asked for.
        where: the config key of the method's entry, for the message.
        cell: name of the cell of both.

    Raises:
        InputError: it cannot; names the remedy.
    """
    if of(method).get("deterministic") and not deterministic:
        raise InputError(
            f"{where}: {method} needs an aleatoric model with one prediction, and {model} draws "
            f"several; add {cell} to `not_applicable`"
        )
