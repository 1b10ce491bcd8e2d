"""Facts about the machine and the software that numbers were measured on."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from benchmarks.rows import ROOT

PACKAGES = ("numpy", "pandas", "scipy", "snakemake", "torch", "xarray", "zarr")
_MEASURED = ("src", "benchmarks", "workflow", "Snakefile", "config.yaml", "profiles")
_CPUINFO, _STAT = Path("/proc/cpuinfo"), Path("/proc/stat")


def facts() -> dict[str, str]:
    """CPU, cores that may be used, memory, versions, and the commit of the project."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "CPU": _cpu(),
        "cores": str(cores),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def busy_s() -> float | None:
    """CPU seconds of all processes since the machine was started; None where it does not say."""
    if not _STAT.exists():
        return None
    user, nice, system, _idle, _waiting, *interrupts = map(int, _STAT.read_text().split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _cpu() -> str:
    lines = _CPUINFO.read_text().splitlines() if _CPUINFO.exists() else []
    named = dict(line.split(":", 1) for line in lines if ":" in line)
    told = {name.strip(): value.strip() for name, value in named.items()}
    name = told.get("model name") or platform.processor() or "unknown"
    known = [told[key] for key in ("cpu family", "model") if key in told]
    return f"{name} (family {known[0]}, model {known[1]})" if len(known) == 2 else name


def _commit() -> str:
    """The commit that last changed what is measured, and ``changed`` where files differ from it."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    last = git("log", "-1", "--format=%h", "--", *_MEASURED) or "unknown"
    return f"{last}, changed" if git("status", "--porcelain", "--", *_MEASURED) else last
