"""A config that cannot run is refused before anything does, by the key that is wrong."""

from pathlib import Path

import pytest
import yaml

from segue.errors import InputError
from segue.study import checks
from segue.study.study import Study

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
CROP = {"datasets": {"lidc_contours": {"options": {"crop": 18}}}}
FOLDER = {"source": "folder", "options": {"path": "a", "classes": ["background", "lesion"]}}


def folder(**options):
    return {"datasets": {"mine": FOLDER | {"options": FOLDER["options"] | options}}}


POINT = {"at": 1, "dataset": "phantom"}
AXIS = {"quantity": "images", "moves": "EU", "direction": -1}
LAYERS = "segue.models.networks.layers"
LAPLACE = {
    "method": "laplace",
    "recipe": "plain",
    "hypotheses": 3,
    "options": {"prior_precision": None},
}
REMEDY = {"before": "dropout", "after": "ensemble"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trainings": {}}, "top level: unknown key trainings; there are: study, "),
        ({"study": "shared"}, "study: shared is the folder of what studies share"),
        (
            {"epistemic": {"swag": {"label": "swag_diag"}}},
            "epistemic.swag.label: 'swag_diag' is what epistemic.swag_diag is printed as",
        ),
        ({"aleatoric": {"ssn": {"label": ""}}}, "aleatoric.ssn.label: "),
        ({"figures": {"qualitative": {"splits": []}}}, "figures.qualitative.splits: "),
        ({"training": {"epoch": 3}}, "training: unknown key epoch; there are: epochs, batch, "),
        ({"training": {"epochs": -3}}, "training.epochs: expected at least 1, found -3"),
        ({"training": {"clip": "1e-3"}}, "training.clip: expected a number, found '1e-3'; in"),
        (
            {"training": {"clip": float("nan")}},
            "training.clip: expected a finite number",
        ),
        ({"training": {"ema": 1}}, "training.ema: expected a number below 1"),
        ({"network": {"channels": [8, -8]}}, "network.channels.1: expected at least 4, found -8"),
        ({"network": {"channels": []}}, "network.channels: expected at least 1"),
        ({"network": {"chanels": [8]}}, "network: unknown key chanels; there are: channels, "),
        ({"network": None}, "network: expected a mapping, found None"),
        ({"network": {"heads": 0}}, "network.heads: expected at least 1, found 0"),
        (
            {"network": {"heads": 4, "channels": [8, 18]}},
            "network.heads: expected a divisor of every width in network.channels, [8, 18], found",
        ),
        ({"recipes": {"other": {"dropout": 0.1}}}, "recipes.other: missing key snapshots"),
        (
            {"aleatoric": {"ssn": {"training": {"lr": 1}}}},
            "aleatoric.ssn.training: unknown key lr; there are: epochs, ",
        ),
        (
            {"aleatoric": {"ssn": {"training": {"epochs": "many"}}}},
            "aleatoric.ssn.training.epochs: expected an integer, found 'many'",
        ),
        ({"aleatoric": {"ssn": {"method": "sns"}}}, "aleatoric.ssn.method: nothing named 'sns' in"),
        (
            {"aleatoric": {"ssn": {"options": {"rang": 3}}}},
            "aleatoric.ssn.options: unknown key rang; there are: rank, ",
        ),
        (
            {"aleatoric": {"ssn": {"options": {"rank": "ten"}}}},
            "aleatoric.ssn.options.rank: expected an integer, found 'ten'",
        ),
        (
            {"aleatoric": {"diffusion": {"sampling": {"step": 3}}}},
            "aleatoric.diffusion.sampling: unknown key step; there are: steps",
        ),
        ({"epistemic": {"swag": {"recipe": "plane"}}}, "epistemic.swag.recipe: no recipe 'plane'"),
        (
            {"epistemic": {"none": {"hypotheses": 2}}},
            "epistemic.none.hypotheses: none has 1, not",
        ),
        ({"epistemic": {"ensemble": {"members": 2}}}, "epistemic.ensemble.hypotheses: 3 of 2 memb"),
        (
            {"epistemic": {"dropout": {"recipe": "plain"}}},
            "epistemic.dropout: dropout needs a recipe with dropout, recipes.plain.dropout is 0",
        ),
        (
            {"recipes": {"plain": {"snapshots": 1}}},
            "epistemic.swag_diag: swag needs at least 2 snapshots, recipes.plain.snapshots is 1",
        ),
        (
            {"epistemic": {"swag": {"options": {"low_rank": "no", "scale": 1}}}},
            "epistemic.swag.opt",
        ),
        (
            {"recipes": {"plain": {"snapshots": 9, "collect": None}}},
            "recipes.plain.snapshots: 9 of the 4 epochs that softmax is trained on lidc_contours; "
            "raise its epochs",
        ),
        (
            {"epistemic": {"laplace": LAPLACE}},
            "epistemic.laplace: laplace needs an aleatoric model with one prediction, and ssn "
            "draws several; add ssn-laplace to `not_applicable`",
        ),
        (
            {"recipes": {"plain": {"schedule": {"method": "sine"}}}},
            "recipes.plain.schedule.method: nothing named 'sine' in schedules; there are: cosine",
        ),
        (
            {"recipes": {"plain": {"schedule": {"method": "cosine", "options": {"cycles": 3}}}}},
            "recipes.plain.schedule.options: unknown key cycles; there are: none",
        ),
        (
            {"recipes": {"plain": {"schedule": {"method": "cosine"}}}},
            "recipes.plain.schedule: snapshots are those of the schedule, so there is no time to ",
        ),
        ({"network": {"own": {"name": "nets"}}}, "network.own.name: expected package.module:Class"),
        (
            {"network": {"own": {"name": "no_such_package.nets:Net"}}},
            "network.own.name: cannot import 'no_such_package.nets', there is no such module; ins",
        ),
        (
            {"network": {"own": {"name": f"{LAYERS}:Nyet"}}},
            f"network.own.name: {LAYERS}: expected a function Nyet.__init__, found none",
        ),
        (
            {"network": {"own": {"name": f"{LAYERS}:Down", "options": {"a": 1}}}},
            "network.own.options: unknown key a; there are: none",
        ),
        ({"datasets": {"mine": {"source": "lidc"}}}, "datasets.mine.options: missing key path"),
        (
            {"datasets": {"mine": {"source": "lidk"}}},
            "datasets.mine.source: nothing named 'lidk'",
        ),
        (
            CROP,
            "network.channels: 2 levels of patches of 2 pixels need images whose side is "
            "divisible by 4",
        ),
        (folder(corruptions="no"), "datasets.mine.options.corruptions: expected true"),
        (folder(classes="background, lesion"), "datasets.mine.options.classes: expected a"),
        (
            folder(images={"train": "all"}),
            "datasets.mine.options.images.train: expected an",
        ),
        ({"datasets": {"Mine": FOLDER}}, "datasets.Mine: expected text of the form"),
        ({"scores": {"ood": {"path": 3}}}, "scores.ood: unknown key path; there are: patch"),
        ({"tables": {"tasks": {"odd": "border"}}}, "tables.tasks: unknown key odd"),
        (
            {"tables": {"tasks": {"ood": "edge"}}},
            "tables.tasks.ood: no aggregation 'edge'; there are",
        ),
        ({"tables": {"tasks": {"failure": "mean"}}}, "tables.tasks.failure: this task compares no"),
        ({"variants": ["paper"]}, "variants.0: expected 'corrected', 'jackknife', 'paper_code' or"),
        (
            {"axes": {"a": {**AXIS, "points": [POINT, {**POINT, "dataset": "eye"}]}}},
            "axes.a.points: no dataset 'eye'; there are: lidc_contours, phantom",
        ),
        (
            {"axes": {"a": {**AXIS, "points": [POINT]}}},
            "axes.a.points: expected at least 2",
        ),
        (
            {"remedies": {"b": {"before": "dropout", "after": "laplace"}}},
            "remedies.b: no epistemic method 'laplace'; there are: none, dropout",
        ),
        (
            {"remedies": {"b": {**REMEDY, "variant": "paper_code"}}},
            "remedies.b.variant: expected corrected or jackknife",
        ),
        (
            {"remedies": {"b": REMEDY}, "variants": ["corrected"]},
            "remedies.b: needs jackknife among `variants`; add it there",
        ),
        (
            {"epistemic": {"dropout": {"sampling": {"noise": "pink"}}}},
            "epistemic.dropout.sampling.noise: expected 'common' or 'independent'",
        ),
        (
            {"datasets": {"phantom": {"training": {"epoch": 3}}}},
            "datasets.phantom.training: unknown key epoch",
        ),
        ({"variants": ["corrected", "corrected"]}, "variants: expected different ones"),
        ({"rerun_on_code": ["training"]}, "rerun_on_code.0: expected 'prepare', "),
        ({"resources": {"train": {"gpu": 2}}}, "resources.train.gpu: expected at most 1"),
        (
            {"datasets": {"lidc_contours": None, "phantom": None}},
            "datasets: there is none, and no predictions",
        ),
    ],
)
def test_it_is_refused_by_its_key(change, message):
    with pytest.raises(InputError) as refused:
        Study.parse(change, CONFIG)
    assert str(refused.value).startswith(message)


def test_a_side_of_data_that_are_there_is_checked_too():
    config = Study.parse({}, CONFIG).config
    checks.check_side(config, "mine", 32)
    with pytest.raises(InputError, match="those of mine have 30 pixels"):
        checks.check_side(config, "mine", 30)


def test_a_grid_without_cells_is_refused():
    left_out = [f"{a}-{e}" for a in CONFIG["aleatoric"] for e in CONFIG["epistemic"]]
    with pytest.raises(InputError, match="not_applicable: leaves out every cell"):
        Study.parse({"not_applicable": left_out}, CONFIG)
