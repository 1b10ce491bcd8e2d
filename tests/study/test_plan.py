"""What runs again after a change, asked of the study as a value."""

import copy
from collections import Counter
from pathlib import Path

import pytest
import yaml

from segue.study import fingerprint, plan
from segue.study import settings as of
from segue.study.code import code
from segue.study.config import overlay
from segue.study.plan import CHANGED, LOOK, NEW, Done
from segue.study.stages import STAGES
from segue.study.study import Study

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
SMOKE = yaml.safe_load((ROOT / "workflow/studies/smoke.yaml").read_text())


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
        "train": {NEW: 12},
        "sample": {NEW: 19},
        "maps": {NEW: 19},
        "score": {NEW: 19},
    }


def test_a_method_less_runs_nothing():
    assert planned(study(epistemic={"swag": None}), study()) == {}
    assert planned(study(aleatoric={"ssn": None}), study()) == {}
    assert planned(study(epistemic={"ensemble": None}), study()) == {}


def test_one_more_member_trains_it_and_scores_the_ensembles():
    jobs = planned(study(epistemic={"ensemble": {"members": 3, "hypotheses": 3}}), study())
    assert {stage: of.total() for stage, of in jobs.items()} == {
        "train": 4,  # one for each AU model
        "sample": 4,
        "maps": 4,
        "score": 4,
    }
    assert jobs["train"] == {NEW: 4}


def test_one_more_hypothesis_trains_nothing():
    jobs = planned(study(epistemic={"swag": {"hypotheses": 4}}), study())
    assert {stage: of.total() for stage, of in jobs.items()} == {
        "sample": 4,
        "maps": 4,
        "score": 4,
    }


def test_one_more_replicate_is_all_new_and_touches_nothing():
    after = study(replicates=2)
    found = plan.plan(after, finished(study()))
    assert set(found.values()) == {NEW}
    assert all("rep1" in id for _, id in found)
    assert len(found) == 12 + 3 * 19


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        ({"uncertainty": {"none_roles": "strict"}}, {"maps": 19, "score": 19}),
        ({"tables": {"tasks": {"ood": "mean"}}}, {"maps": 19, "score": 19}),
        # One sample is all that softmax draws.
        ({"sampling": {"au_samples": 5}}, {"sample": 15, "maps": 19, "score": 19}),
        ({"scores": {"ood": {"patch": 3}}}, {"maps": 19, "score": 19}),
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
        ({"uncertainty": {"none_roles": "strict"}}, {"maps": 19, "score": 19}),
        ({"tables": {"tasks": {"ood": "mean"}}}, {}),
        ({"scores": {"ood": {"patch": 3}}}, {"score": 19}),
        ({"variants": ["corrected"]}, {"score": 19}),
        (
            {"aleatoric": {"diffusion": {"sampling": {"steps": 2}}}},
            dict.fromkeys(("sample", "maps", "score"), 5),
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
    assert jobs["train"] == {NEW: 3}  # plain with its two members, and dropout
    old, new = ({job.made for job in each.of("train")} for each in (before, after))
    assert len(new - old) == 3
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
    assert Counter(found.values()) == {LOOK: 12 + 3 * 19}
    at["datasets"]["lidc"]["options"]["size"] = 64
    assert plan.counts(plan.plan(study(**at), before), "train") == {NEW: 12}


def test_other_bytes_of_the_data_train_anew():
    before = study()
    records = finished(before)
    data = before.dataset["lidc_contours"].made

    def done(job):
        found = records(job)
        return found._replace(content="other") if job.made == data else found

    found = plan.plan(before, done)
    assert plan.counts(found, "train") == {CHANGED: 12}
    assert plan.counts(found, "sample") == {CHANGED: 19}


def test_code_is_followed_where_the_study_wants_it(monkeypatch):
    """By default not to training: finished runs are kept, and told of."""
    before = finished(study())

    def other_code(*modules):
        return "other"

    monkeypatch.setattr("segue.study.code.code_id", other_code)
    jobs = plan.plan(study(), before)
    assert {stage for stage, _ in jobs} == {"maps", "score"}
    followed = study(rerun_on_code=["train"])
    assert plan.counts(plan.plan(followed, before), "train") == {NEW: 12}


def test_a_loss_is_the_code_of_its_own_model_only():
    jobs = {job.id.split("/")[1]: code(job.stage, job.settings) for job in study().of("train")}
    assert len(set(jobs.values())) == 4
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
    assert plan.counts(scored, "score") == {CHANGED: 19}
    assert {stage for stage, _ in scored} == {"score"}
    summarised = plan.plan(study(scores={"leakage": {"draws": [2]}}), without_samples)
    assert plan.counts(summarised, "sample") == {NEW: 19}
