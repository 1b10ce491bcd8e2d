"""Python in a process of its own, and what that took: time, and memory, which is the child's alone.

Linux counts as a child's peak memory also what its parent had when it started the child. So what
measures here imports little, and what is measured, or needs much, is started by it.
"""

import os
import subprocess
import sys
import time
from typing import NamedTuple

from benchmarks.rows import ROOT

_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
_MAXRSS = 1 if sys.platform == "darwin" else 1024  # bytes of a unit of ``ru_maxrss``


class Used(NamedTuple):
    """What a process took, imports included: seconds of wall clock and of CPU, peak MiB, output."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    output: str


def run(*arguments: str | os.PathLike, quiet: bool = False) -> Used:
    """Run this interpreter with one thread, on this checkout of the package.

    Its children count with it: their time is added, and the peak is that of the largest.

    Args:
        arguments: of ``python``.
        quiet: take what it writes to stderr for output too, instead of showing it.

    Raises:
        SystemExit: it fails; its status, which is not 0, and what it wrote are shown.
    """
    paths = [str(ROOT / "src"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | _ONE_THREAD | {"PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, *map(str, arguments)]
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
    ) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)  # tells of this child, not of earlier ones too
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode:
        print(output, file=sys.stderr)
        sys.exit(f"benchmarks: error: `{' '.join(command)}` ended with {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    return Used(wall, cpu, usage.ru_maxrss * _MAXRSS / 2**20, output)
