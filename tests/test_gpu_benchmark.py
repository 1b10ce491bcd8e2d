"""The script that measures on a GPU: here it is run at tiny sizes on the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parent.parent / "benchmarks/gpu.py"


def run(*arguments):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_fails():
    done = run()
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1
    assert "there is no GPU" in done.stdout
    assert not done.stderr


@pytest.mark.workflow
def test_it_measures_every_model_and_runs_a_study_twice(tmp_path):
    done = run("--device", "cpu", "--small", "--json", tmp_path / "found.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    found = json.loads((tmp_path / "found.json").read_text())
    smoke = found["smoke"]
    assert smoke.keys() == {"softmax", "ssn", "prob_unet", "diffusion", "hours"}
    assert found["peak_tflops"] > 0
    assert found["same_study_twice"] is True
    assert smoke["hours"]["training"] > 0
    assert smoke["hours"]["sampling"] > 0
    for name in smoke.keys() - {"hours"}:
        assert smoke[name]["as it is"]["images_s"] > 0
        assert smoke[name]["sampling_images_s"] > 0
        assert smoke[name]["repeats"] is True
    variants = {"as it is", "not deterministic", "NCHW", "compiled", "side by side"}
    assert variants < smoke["softmax"].keys()
    assert smoke["softmax"]["side by side"]["2"] > 0


@pytest.mark.workflow
def test_what_does_not_fit_into_the_time_is_left_out_and_said(tmp_path):
    arguments = ("--device", "cpu", "--small", "--minutes", 0, "--json", tmp_path / "found.json")
    done = run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "left out, for lack of time: smoke ssn, as it is" in done.stdout
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["smoke"]["hours"] == {}
    assert found["same_study_twice"] is None
