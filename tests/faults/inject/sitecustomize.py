"""Strikes the process of one stage from inside, as a machine might; see ``harness.py``.

Python imports this file when it starts, in each process of a run whose PYTHONPATH begins with this
folder. It does nothing but in the processes of ``segue``: each takes the next strike that the plan
has for its stage, and is struck as it is about to make its n-th change of the results. The ledger
tells the harness which processes started, which were struck, and how many changes others made.
"""

import atexit
import fcntl
import json
import os
import resource
import signal
import sys
import threading
import time
from itertools import takewhile
from pathlib import Path

# What changes a file system, as Python's audit hooks name it; `open` only where it is to write.
CHANGES = {"open", "os.rename", "os.remove", "os.rmdir"}


def main():
    name = stage()
    if not name:
        return
    folder = Path(os.environ["SEGUE_TEST_FAULTS"])
    plan = json.loads((folder / "plan").read_text())
    strikes = plan["strikes"].get(name, [])
    earlier = note(folder, f"started {name}")
    strike = strikes[earlier] if earlier < len(strikes) else {"at": None}
    watch(plan["results"], folder, name, **strike)


def stage():
    """The words of the command line between ``segue`` and the first option; "" elsewhere."""
    names = [Path(word).name for word in sys.orig_argv]
    for program in ("segue", "segue.cli"):
        if program in names:
            words = sys.orig_argv[names.index(program) + 1 :]
            return " ".join(takewhile(lambda word: not word.startswith("-"), words))
    return ""


def note(folder, line):
    """Add a line to the ledger; returns how often it was there before."""
    with (folder / "ledger").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        earlier = file.read().splitlines().count(line)
        file.write(f"{line}\n")
    return earlier


def watch(results, folder, name, *, at, kind=None, **options):
    """Count the changes below the results; be struck at the one whose number is ``at``, from 1."""
    made = 0

    def hook(event, arguments):
        nonlocal made
        if changes(results, event, arguments):
            made += 1
            if made == at:
                note(folder, f"struck {name}")
                STRIKES[kind](**options)

    sys.addaudithook(hook)
    atexit.register(lambda: note(folder, f"changed {made} {name}"))
    signal.signal(signal.SIGALRM, fail)


def changes(results, event, arguments):
    """Whether an audit event tells of a change below the folder of the results."""
    if event not in CHANGES or isinstance(arguments[0], int):
        return False
    if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        return False
    return os.path.abspath(os.fsdecode(arguments[0])).startswith(results)


def kill(after=0.0, everything=False):
    """Kill this process, or all of its group and so Snakemake too, ``after`` so many seconds."""
    target, how = (0, os.killpg) if everything else (os.getpid(), os.kill)
    threading.Timer(after, how, (target, signal.SIGKILL)).start()


def memory():
    """Ask for more memory than this process may have."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit(resource.RLIMIT_AS, 0)
    try:
        bytearray(2**30)
    finally:  # else Zarr's thread, which may be the one that is struck, has none to say so with
        resource.setrlimit(resource.RLIMIT_AS, before)


def grow(mb):
    """Take more memory, and keep it for a while: who watches over it has the time to notice."""
    taken = b"1" * (mb * 2**20)
    time.sleep(5)
    del taken


def disk(size):
    """Let no file grow beyond ``size`` bytes."""
    limit(resource.RLIMIT_FSIZE, size)


def limit(what, value):
    resource.setrlimit(what, (value, resource.getrlimit(what)[1]))


def exception():
    """Raise RuntimeError in the main thread."""
    signal.setitimer(signal.ITIMER_REAL, 1e-6)


def fail(*_):
    raise RuntimeError("struck")


def hold(until):
    """Wait until a file is there."""
    while not Path(until).exists():
        time.sleep(0.02)


STRIKES = {each.__name__: each for each in (kill, memory, grow, disk, exception, hold)}

main()
