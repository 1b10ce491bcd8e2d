import os
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import pytest
import torch

from segue.errors import InputError
from segue.models import device

CARDS = ["GPU-a", "GPU-b", "GPU-c", "GPU-d"]
JOB = """
import sys
from pathlib import Path
from segue.models.device import take
print(take(sys.argv[2:], Path(sys.argv[1])), flush=True)
sys.stdin.read()  # a job that goes on until it is told to end
"""


@pytest.fixture
def here(monkeypatch):
    """The locks that this process holds; they end with the test."""
    held = []
    monkeypatch.setattr(device, "_held", held)
    yield held
    for file in held:
        file.close()


def test_jobs_have_a_card_each_and_share_them_evenly_when_there_are_more(tmp_path, here):
    taken = [device.take(CARDS, tmp_path / "locks") for _ in range(10)]
    assert taken == [0, 1, 2, 3] * 2 + [0, 1]


def test_a_card_that_is_free_again_is_taken_before_any_is_shared(tmp_path, here):
    for _ in CARDS:
        device.take(CARDS, tmp_path)
    here[2].close()
    assert device.take(CARDS, tmp_path) == 2
    assert device.take(CARDS, tmp_path) == 0


def test_jobs_that_see_other_cards_agree_by_the_names_of_those_they_share(tmp_path, here):
    assert device.take(["GPU-a", "GPU-b"], tmp_path) == 0
    assert device.take(["GPU-c", "GPU-a"], tmp_path) == 0
    assert device.take(["GPU-a", "GPU-c", "GPU-b"], tmp_path) == 2


def test_a_process_holds_its_card_until_it_ends_however_it_ends(tmp_path, here):
    def job():
        command = [sys.executable, "-c", JOB, str(tmp_path), *CARDS[:2]]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return subprocess.Popen(command, **pipes, text=True)

    with job() as first, job() as second:
        try:
            cards = [int(each.stdout.readline()) for each in (first, second)]
            assert sorted(cards) == [0, 1]
            assert device.take(CARDS[:2], tmp_path) == 0  # both are taken: it shares the first
            first.kill()
            first.wait()
            here.pop().close()
            assert device.take(CARDS[:2], tmp_path) == cards[0]
            assert device.take(CARDS[:2], tmp_path) == 0  # and now all are taken again
        finally:
            for each in (first, second):
                each.kill()


def test_a_job_that_asks_for_no_gpu_stays_on_the_cpu(monkeypatch, caplog):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with caplog.at_level("INFO"):
        assert device.pick_device(0) == torch.device("cpu")
    assert caplog.messages == ["on the CPU"]


def test_jobs_that_ask_for_a_gpu_take_one_each_and_are_deterministic(
    monkeypatch, tmp_path, here, caplog
):
    """With CUDA's answers given, as if there were two cards."""
    cards = [SimpleNamespace(uuid=name) for name in CARDS[:2]]
    chosen = []
    answers = {
        "is_available": lambda: True,
        "device_count": lambda: len(cards),
        "get_device_properties": lambda index: cards[index],
        "get_device_name": lambda of: f"card {of.index}",
        "set_device": chosen.append,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, answer)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")  # so that it is as before after the test
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    try:
        with caplog.at_level("INFO"):
            taken = [device.pick_device(1) for _ in range(3)]
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        device.be_deterministic(False)
    assert taken == chosen == [torch.device("cuda", index) for index in (0, 1, 0)]
    assert caplog.messages[:2] == ["on GPU 0 of 2: card 0", "on GPU 1 of 2: card 1"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_a_job_that_asks_for_one_says_so(caplog):
    with caplog.at_level("INFO"):
        assert device.pick_device(1) == torch.device("cpu")
    assert caplog.messages == ["on the CPU; there is no GPU"]


def test_too_little_memory_is_told_with_the_remedy():
    with (
        pytest.raises(InputError, match=r"too small \(CUDA out of memory\): lower x, or let fewer"),
        device.enough_memory("lower x"),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
