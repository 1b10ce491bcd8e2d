"""Where a job of torch runs: device, threads, and the folder from which it resumes."""

import contextlib
import fcntl
import itertools
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from segue.errors import InputError
from segue.files import locked, remove
from segue.seeds import derive

_log = logging.getLogger(__name__)
_held: list[BinaryIO] = []  # locks of cards, which end with the process


def pick_device(gpu: int) -> torch.device:
    """A GPU if one is asked for and there, else the CPU; said in the log.

    Of several GPUs the one with the fewest jobs of this user's, see ``take``; those that
    ``CUDA_VISIBLE_DEVICES`` hides do not count. On it every operation is deterministic.

    Args:
        gpu: 1 for a GPU, 0 for the CPU.
    """
    if not gpu or not torch.cuda.is_available():
        _log.info("on the CPU%s", "; there is no GPU" * bool(gpu))
        return torch.device("cpu")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA starts
    count = torch.cuda.device_count()
    cards = [str(torch.cuda.get_device_properties(i).uuid) for i in range(count)]
    user = Path(tempfile.gettempdir()) / f"segue-gpus-{os.getuid()}"
    device = torch.device("cuda", take(cards, user))
    torch.cuda.set_device(device)
    be_deterministic(True)
    _log.info("on GPU %d of %d: %s", device.index, count, name_of(device))
    return device


def take(cards: Sequence[str], folder: Path) -> int:
    """Index of a card for this process alone, or, where all are taken, to share with few others.

    A card has places, each a file that the process on it locks. The first free place of all cards
    is taken before a second one of any, so n jobs are at most n / cards, rounded up, on each.

    Args:
        cards: a name of each, such as its UUID; at least one.
        folder: of the locks; made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count():
        place, index = divmod(number, len(cards))
        file = (folder / f"{cards[index]}.{place}").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        _held.append(file)
        return index


def be_deterministic(on: bool) -> None:
    """Let the same input on the same device always give the same bits, or let it be as it comes.

    An operation that cannot raises a RuntimeError: a mere warning would let attention, too, add up
    its gradients in any order.
    """
    torch.use_deterministic_algorithms(on)
    torch.utils.deterministic.fill_uninitialized_memory = False  # none of it is ever read


def name_of(device: torch.device) -> str:
    """What a device is, for the record."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device; where that is a GPU, without waiting for what it still has to do."""
    if tensor.device.type == "cpu" and device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


@contextlib.contextmanager
def enough_memory(remedy: str) -> Iterator[None]:
    """Say what to do where a GPU's memory does not hold what the block does.

    Raises:
        InputError: it does not; names ``remedy``.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        reason = str(error).partition(". ")[0]
        raise InputError(
            f"the memory of the GPU is too small ({reason}): {remedy}, or let fewer jobs share a "
            "GPU (snakemake --resources gpu=N)"
        ) from error


def use_cpu_threads(threads: int) -> None:
    """Use as many CPU threads as the rule was given, so that jobs side by side do not fight."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # subnormal numbers would slow a CPU tenfold


@contextlib.contextmanager
def resumable(work: Path, made_by: dict[str, Any]) -> Iterator[None]:
    """Hold the lock of a work folder, whose content is what an interrupted job left.

    What was made with other settings, data or checkpoints than ``made_by`` says is removed first,
    and so are files that a killed job had begun; the folder is removed when the block ends well.

    Raises:
        InputError: another process, perhaps an orphan of a killed run, holds the lock.
    """
    with locked(work / "lock") as lock:
        lock.seek(0)
        wanted = str(derive(0, json.dumps(made_by, sort_keys=True))).encode()
        same = lock.read() == wanted
        for left in work.glob(".*.tmp" if same else "*"):
            if left.name != "lock":
                remove(left)
        if not same:
            lock.truncate(0)
            lock.write(wanted)
            lock.flush()
        yield
        shutil.rmtree(work)
