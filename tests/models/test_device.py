import subprocess
import sys

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
            cards = {int(each.stdout.readline()) for each in (first, second)}
            assert cards == {0, 1}
            assert device.take(CARDS[:2], tmp_path) == 0  # both are taken: it shares the first
            first.kill()
            first.wait()
            here.pop().close()
            free = device.take(CARDS[:2], tmp_path)
            assert (tmp_path / f"{CARDS[free]}.0").exists()
            assert device.take(CARDS[:2], tmp_path) == 0  # and now all have one again
        finally:
            for each in (first, second):
                each.kill()


def test_a_job_that_asks_for_no_gpu_stays_on_the_cpu(monkeypatch, caplog):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with caplog.at_level("INFO"):
        assert device.pick_device(0) == torch.device("cpu")
    assert caplog.messages == ["on the CPU"]


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
