"""What an EU method needs of its entry in the config, and of the model."""

import pytest

from segue import plugins
from segue.errors import InputError
from segue.study import needs


def entry(hypotheses, members=1, dropout=0.0, snapshots=0, **recipe):
    """An entry of the section epistemic, and its recipe."""
    return (
        {"hypotheses": hypotheses, "members": members, "recipe": "plain"},
        {"dropout": dropout, "snapshots": snapshots, **recipe},
    )


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        ("none", entry(2), "epistemic.e.hypotheses: none has 1, not 2; set `hypotheses: 1`"),
        ("ensemble", entry(3, members=2), "epistemic.e.hypotheses: 3 of 2 members; raise"),
        ("swag", entry(5, snapshots=1), "swag needs at least 2 snapshots, recipes.plain.snapshots"),
        ("tta", entry(9), "epistemic.e.hypotheses: tta has at most 8, not 9; lower `hypotheses`"),
        ("snapshots", entry(3, snapshots=2), "epistemic.e.hypotheses: 3 of 2 snapshots; raise"),
        (
            "laplace",
            entry(3, resample="patients"),
            "epistemic.e: laplace reads the images that its model was trained on, and recipes",
        ),
        ("dropout", entry(5), "dropout needs a recipe with dropout, recipes.plain.dropout is 0"),
    ],
)
def test_an_entry_that_a_method_cannot_run_with_is_refused(method, given, expected):
    with pytest.raises(InputError, match=expected):
        needs.check_entry(method, *given, "epistemic.e")


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("none", entry(1)),
        ("ensemble", entry(2, members=3)),
        ("swag", entry(50, snapshots=2)),
        ("dropout", entry(5, dropout=0.1)),
        ("tta", entry(8)),
        ("laplace", entry(50)),
    ],
)
def test_an_entry_that_a_method_can_run_with_is_taken(method, given):
    needs.check_entry(method, *given, "epistemic.e")


@pytest.mark.parametrize("method", plugins.available("epistemic"))
def test_a_method_says_what_it_needs_in_known_words(method):
    assert needs.of(method).keys() <= needs.NEEDS.keys()


def test_a_method_that_needs_one_prediction_is_refused_where_there_are_draws():
    needs.check_model("laplace", "softmax", True, "epistemic.e", "softmax-e")
    needs.check_model("swag", "ssn", False, "epistemic.e", "ssn-e")
    message = "epistemic.e: laplace needs an .* and ssn draws several; add ssn-e to `not_applic"
    with pytest.raises(InputError, match=message):
        needs.check_model("laplace", "ssn", False, "epistemic.e", "ssn-e")
