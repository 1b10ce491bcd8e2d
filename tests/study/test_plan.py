"""What runs again after a change, asked of the study as a value."""

import copy
from collections import Counter
from pathlib import Path

import pytest
import yaml
from counted import grid

from segue.study import cost, fingerprint, plan
from segue.study import settings as of
from segue.study.code import code
from segue.study.config import overlay
from segue.study.plan import CHANGED, LOOK, NEW, Done
from segue.study.stages import STAGES
from segue.study.study import Study

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
SMOKE = yaml.safe_load((ROOT / "workflow/studies/smoke.yaml").read_text())
GRID = grid("smoke")
CELLS, TRAININGS = len(GRID.cells), len(GRID.trainings)
OWN = {"maps": CELLS, "score": CELLS}
STOCHASTIC = [
    cell
    for cell in GRID.cells
    if cost.draws(CONFIG["aleatoric"][cell.split("-")[0]], au_samples=2) > 1
]


def study(**change) -> Study:
    """The smoke study, changed."""
    return Study.parse(overlay(SMOKE, change), CONFIG)


def finished(*studies: Study):
    """What is on record once these studies have run: each result holds its own stamp's path.

    Of figures and cards nothing is.
    """
    records = {
        job.made: Done(
            of.identity(job.settings),
            of.sources(job.settings),
            list(of.places(job.settings)),
            job.made,
            code(job.stage, job.settings),
        )
        if STAGES[job.stage].results or job.stage == "tables"
        else Done(None, [], [], "", "")
        for each in studies
        for job in each.jobs.values()
    }
    return lambda job: records.get(job.made)


def planned(after: Study, *before: Study) -> dict[str, Counter]:
    """Number of jobs that run, by stage and reason."""
    found = plan.plan(after, finished(*before))
    return {stage: of for stage in STAGES if (of := plan.counts(found, stage))}


def test_a_finished_study_has_nothing_to_do():
    assert planned(study(), study()) == {}


def test_an_unfinished_study_does_what_is_not_there():
    jobs = planned(study())
    assert {stage: dict(of) for stage, of in jobs.items()} == {
        "prepare": {NEW: 1},
        "train": {NEW: TRAININGS},
        "sample": {NEW: CELLS},
        "maps": {NEW: CELLS},
        "score": {NEW: CELLS},
    }


def test_a_method_less_runs_nothing():
    assert planned(study(epistemic={"swag": None}), study()) == {}
    assert planned(study(aleatoric={"ssn": None}), study()) == {}
    assert planned(study(epistemic={"ensemble": None}), study()) == {}


def test_one_more_member_trains_it_and_scores_the_ensembles():
    jobs = planned(study(epistemic={"ensemble": {"members": 3, "hypotheses": 3}}), study())
    ensembles = len(GRID.of("ensemble"))  # one for each AU model
    assert {stage: of.total() for stage, of in jobs.items()} == dict.fromkeys(
        ("train", "sample", "maps", "score"), ensembles
    )
    assert jobs["train"] == {NEW: ensembles}


def test_one_more_hypothesis_trains_nothing():
    jobs = planned(study(epistemic={"swag": {"hypotheses": 4}}), study())
    assert {stage: of.total() for stage, of in jobs.items()} == dict.fromkeys(
        ("sample", "maps", "score"), len(GRID.of("swag"))
    )


def test_one_more_replicate_is_all_new_and_touches_nothing():
    after = study(replicates=2)
    found = plan.plan(after, finished(study()))
    assert set(found.values()) == {NEW}
    assert all("rep1" in id for _, id in found)
    assert len(found) == TRAININGS + 3 * CELLS


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        ({"uncertainty": {"none_roles": "strict"}}, OWN),
        ({"tables": {"tasks": {"ood": "mean"}}}, OWN),
        # One sample is all that softmax draws.
        ({"sampling": {"au_samples": 5}}, {"sample": len(STOCHASTIC), **OWN}),
        ({"scores": {"ood": {"patch": 3}}}, OWN),
    ],
    ids=["none_roles", "aggregation", "au_samples", "scores"],
)
def test_a_second_study_finds_the_trainings_of_the_first(change, stages):
    """Its maps and scores are its own."""
    jobs = planned(study(study="second", **change), study())
    assert {stage: of.total() for stage, of in jobs.items()} == stages


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        ({"uncertainty": {"none_roles": "strict"}}, OWN),
        ({"tables": {"tasks": {"ood": "mean"}}}, {}),
        ({"scores": {"ood": {"patch": 3}}}, {"score": CELLS}),
        ({"variants": ["corrected"]}, {"score": CELLS}),
        (
            {"aleatoric": {"diffusion": {"sampling": {"steps": 2}}}},
            dict.fromkeys(("sample", "maps", "score"), len(GRID.of("diffusion"))),
        ),
        ({"sampling": {"batch": 7}}, {}),
        ({"resources": {"train": {"mem_mb": 9, "threads": 2}}}, {}),
        ({"figures": {"qualitative": {"images": 1}}}, {}),
        ({"datasets": {"lidc_contours": {"caption": "other"}}}, {}),
        ({"datasets": {"lidc_contours": {"label": "Lung"}}}, {}),
        ({"aleatoric": {"ssn": {"label": "SSN"}}}, {}),
        ({"epistemic": {"swag": {"label": "SWAG"}}}, {}),
    ],
)
def test_a_change_runs_what_depends_on_it(change, stages):
    jobs = planned(study(**change), study())
    assert {stage: of.total() for stage, of in jobs.items()} == stages


def test_another_training_is_made_beside_the_one_that_is_there():
    before, after = study(), study(aleatoric={"ssn": {"training": {"epochs": 4}}})
    jobs = planned(after, before)
    ssn = [training for training in GRID.trainings if training[0] == "ssn"]
    assert jobs["train"] == {NEW: len(ssn)}
    old, new = ({job.made for job in each.of("train")} for each in (before, after))
    assert len(new - old) == len(ssn)
    back = planned(before, before, after)
    assert not back.keys() & {"prepare", "train", "sample"}  # nothing was lost


def test_the_place_of_the_data_is_no_part_of_what_they_are():
    """Prepared again from another place, they train nothing unless their bytes differ."""
    at = {"datasets": {"lidc_contours": None, "lidc": {"source": "lidc", "options": {"path": "a"}}}}
    moved = copy.deepcopy(at)
    moved["datasets"]["lidc"]["options"]["path"] = "b"
    before = finished(study(**at))
    found = plan.plan(study(**moved), before)
    assert found.pop(next(iter(found))) == CHANGED
    assert Counter(found.values()) == {LOOK: TRAININGS + 3 * CELLS}
    at["datasets"]["lidc"]["options"]["size"] = 64
    assert plan.counts(plan.plan(study(**at), before), "train") == {NEW: TRAININGS}


def test_other_bytes_of_the_data_train_anew():
    before = study()
    records = finished(before)
    data = before.dataset["lidc_contours"].made

    def done(job):
        found = records(job)
        return found._replace(content="other") if job.made == data else found

    found = plan.plan(before, done)
    assert plan.counts(found, "train") == {CHANGED: TRAININGS}
    assert plan.counts(found, "sample") == {CHANGED: CELLS}


def test_code_is_followed_where_the_study_wants_it(monkeypatch):
    """By default not to training: finished runs are kept, and told of."""
    before = finished(study())

    def other_code(*modules):
        return "other"

    monkeypatch.setattr("segue.study.code.code_id", other_code)
    jobs = plan.plan(study(), before)
    assert {stage for stage, _ in jobs} == {"maps", "score"}
    followed = study(rerun_on_code=["train"])
    assert plan.counts(plan.plan(followed, before), "train") == {NEW: TRAININGS}


def test_a_loss_is_the_code_of_its_own_model_only():
    jobs = {job.id.split("/")[1]: code(job.stage, job.settings) for job in study().of("train")}
    assert len(set(jobs.values())) == len(GRID.aleatoric)
    assert fingerprint.code_id("segue.models.train") not in jobs.values()


def test_studies_agree_on_what_snakemake_compares_of_a_shared_job():
    """Else a second study would run every preparation and training of the first again."""
    compared = [
        {(job.id, each.settings_file(job), job.trigger) for job in each.of(stage)}
        for stage in ("prepare", "train", "sample")
        for each in (study(), study(study="second"))
    ]
    assert compared[::2] == compared[1::2]


def test_a_queued_job_finds_its_settings_after_an_update(monkeypatch):
    before = study()
    queued = [before.settings_file(job) for job in before.jobs.values()]
    monkeypatch.setattr("segue.study.code.code_id", lambda *_: "other")
    after = study()
    assert [after.settings_file(job) for job in after.jobs.values()] == queued


def test_other_settings_are_other_files():
    before, after = study(), study(scores={"ood": {"patch": 3}})
    files = [{each.settings_file(job) for job in each.of("score")} for each in (before, after)]
    assert not files[0] & files[1]


def test_ids_and_paths_are_those_of_one_job():
    whole = study(replicates=3)
    assert len({job.made for job in whole.jobs.values()}) == len(whole.jobs)
    assert len({whole.settings_file(job) for job in whole.jobs.values()}) == len(whole.jobs)


def test_what_is_gone_is_made_again_only_for_what_runs():
    """Samples take most of a disk, and may go once the scores are there."""
    whole = study()
    records = finished(whole)

    def without_samples(job):
        return None if job.stage == "sample" else records(job)

    assert plan.plan(whole, without_samples) == {}
    scored = plan.plan(study(scores={"ood": {"patch": 3}}), without_samples)
    assert plan.counts(scored, "score") == {CHANGED: CELLS}
    assert {stage for stage, _ in scored} == {"score"}
    summarised = plan.plan(study(scores={"leakage": {"draws": [2]}}), without_samples)
    assert plan.counts(summarised, "sample") == {NEW: CELLS}


def test_what_is_not_asked_for_changes_no_key():
    """Fields that came later are in nothing that was made without them."""
    job = next(job for job in study().of("train"))
    assert "own" not in job.json
    assert "schedule" not in job.json
    assert of.identity(job.settings).keys() == {
        *("aleatoric", "network", "recipe", "training", "labels", "seed")
    }
    assert of.identity(job.settings)["network"].keys() == {
        *("channels", "blocks", "attention", "heads", "group_channels", "patch")
    }
    assert of.identity(job.settings)["recipe"].keys() == {
        *("dropout", "snapshots", "collect", "resample")
    }


def test_another_schedule_is_another_training():
    cyclic = {"dropout": 0.0, "snapshots": 2, "schedule": {"method": "cosine"}}
    before = study(recipes={"plain": {"collect": None}})
    jobs = planned(study(recipes={"plain": {**cyclic, "collect": None}}), before)
    assert jobs["train"] == {NEW: len([t for t in GRID.trainings if t[1] == "plain"])}


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A network of somebody else, in a package of its own; returns its folder."""
    folder = tmp_path / "my_nets"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "parts.py").write_text("SIDE = 3\n")
    (folder / "wide.py").write_text(
        "from torch import nn\n\nfrom my_nets.parts import SIDE\n\n\n"
        "class Wide(nn.Module):\n"
        "    def __init__(self, in_channels, features, *, depth: int):\n"
        "        super().__init__()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    fingerprint.code_id.cache_clear()
    fingerprint._read.cache_clear()
    return folder


def test_an_own_network_is_a_training_of_its_own_with_the_code_of_its_own(nets):
    own = {"own": {"name": "my_nets.wide:Wide", "options": {"depth": 2}}}
    before, after = study(), study(network=own)
    assert planned(after, before)["train"] == {NEW: TRAININGS}
    for stage in ("train", "sample"):
        jobs = [next(iter(each.of(stage))) for each in (before, after)]
        without, found = (code(stage, job.settings) for job in jobs)
        assert found.startswith(f"{without}-")
        for file in ("wide.py", "parts.py"):
            text = (nets / file).read_text()
            (nets / file).write_text(f"{text}\nUNUSED = 1\n")
            fingerprint.code_id.cache_clear()
            fingerprint._read.cache_clear()
            assert code(stage, jobs[1].settings) != found
            (nets / file).write_text(text)
        fingerprint.code_id.cache_clear()
        fingerprint._read.cache_clear()
        assert code(stage, jobs[1].settings) == found
