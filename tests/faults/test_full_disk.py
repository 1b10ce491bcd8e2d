"""Disks that are full, read-only, or two: the results on file systems that the test mounts."""

import re
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from harness import STAGES, forget, leftovers, made, root, run

pytestmark = pytest.mark.workflow

ROOMY = "64m"


@contextmanager
def disk(folder):
    """Put a new file system in the place of a folder, whose content is copied there."""
    moved = folder.with_name(f"{folder.name}-moved")
    folder.rename(moved)
    folder.mkdir()
    mounted = mount("-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", folder)
    if mounted.returncode:
        pytest.skip(f"needs to mount a tmpfs, as root: {mounted.stderr.strip()}")
    try:
        shutil.copytree(moved, folder, symlinks=True, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def mount(*arguments):
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


def remount(folder, options):
    mounted = mount("-o", f"remount,{options}", folder)
    assert mounted.returncode == 0, mounted.stderr


@pytest.fixture
def study(request, finished, tmp_path):
    """The study as it is before the stage that is the test's parameter, its results on a disk."""
    study = finished.study.copy(tmp_path / "project")
    with disk(study.folder / "results"):
        yield study


def pages(paths):
    """Bytes that files take on a tmpfs."""
    files = [file for path in paths for file in (path, *path.rglob("*")) if file.is_file()]
    return sum(-(-file.stat().st_size // 4096) * 4096 for file in files)


@pytest.mark.parametrize("stage", STAGES, ids=[stage.name for stage in STAGES])
def test_a_stage_whose_disk_is_full_says_so_and_leaves_nothing(
    stage, study, finished, record_property
):
    needed = pages(root(study).glob(stage.results))
    forget(study, stage.name)
    used = shutil.disk_usage(study.results).used
    remount(root(study), f"size={used + needed // 2}")
    full = run(study)
    record_property("fault", "full disk")
    assert full.status == 1
    assert full.started == [stage.name]
    assert re.search(r"results/\S+: No space left on device", full.said)
    assert made(study, stage) == []
    remount(root(study), f"size={ROOMY}")
    assert run(study).status == 0
    assert study.files("tables") == finished.tables
    assert leftovers(study) == []


def test_results_that_cannot_be_written_stop_the_run_with_a_reason(
    study, finished, record_property
):
    forget(study, "figure")
    remount(root(study), "ro")
    stopped = run(study)
    record_property("fault", "read-only disk")
    assert stopped.status == 1
    assert re.search("Read-only file system", stopped.said)
    remount(root(study), "rw")
    assert run(study).status == 0
    assert study.files("tables") == finished.tables


def test_samples_may_lie_on_a_disk_of_their_own(finished, tmp_path, record_property):
    study = finished.without("sample", tmp_path / "project")
    with disk(root(study) / "shared/samples"):
        done = run(study)
        record_property("fault", "second disk")
        assert done.status == 0, done.said
        assert study.files("tables") == finished.tables
        assert leftovers(study) == []
