"""Where a job of torch runs: device, threads, and the folder from which it resumes."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from segue.files import locked, remove
from segue.seeds import derive


def pick_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def use_cpu_threads(threads: int) -> None:
    """Use as many CPU threads as the rule was given, so that jobs side by side do not fight."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # subnormal numbers would slow a CPU tenfold


def autocast(device: torch.device) -> contextlib.AbstractContextManager:
    """bfloat16 where it pays: convolutions and products on a GPU."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


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
