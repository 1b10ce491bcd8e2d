"""A job keeps to the config that its run began with."""

from pathlib import Path

import pytest
import yaml

from segue.errors import InputError
from segue.study import freeze
from segue.study.config import overlay
from segue.study.study import Study

ROOT = Path(__file__).parents[2]
NAME = "SEGUE_CONFIG_TEST"


@pytest.mark.parametrize("preset", ["smoke", "standard", "paper_chaksu"])
def test_a_kept_config_makes_the_same_jobs_whatever_the_defaults_have_become(preset, monkeypatch):
    monkeypatch.setenv(NAME, "")
    defaults = yaml.safe_load((ROOT / "config.yaml").read_text())
    config = yaml.safe_load((ROOT / f"workflow/studies/{preset}.yaml").read_text())
    began = Study.parse(overlay(config, {"epistemic": {"swag": None}}), defaults)
    freeze.keep(NAME, began.config)
    later = Study.parse(freeze.kept(NAME), {})
    assert list(later.jobs.items()) == list(began.jobs.items())


def test_a_job_without_the_config_of_its_run_says_so(monkeypatch):
    monkeypatch.delenv(NAME, raising=False)
    with pytest.raises(InputError, match=NAME):
        freeze.kept(NAME)
