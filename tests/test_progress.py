"""Progress is a bar in a terminal and whole lines elsewhere, also where jobs share a log."""

import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src/segue"
LINE = re.compile(
    r"(\d\d:\d\d:\d\d) segue\.progress: (job \d): (\d+)/10 image \((\d+) %\), "
    r"\d\d:\d\d gone, \d\d:\d\d left"
)
PROGRAM = """
import logging, sys, time
from segue import progress
progress.EVERY = 0.1
form = "%(asctime)s %(name)s: %(message)s"
logging.basicConfig(level=logging.INFO, format=form, datefmt="%H:%M:%S")
with progress.apart():
    for i in progress.progress(range(10), desc=f"job {sys.argv[1]}"):
        time.sleep(0.04)
        if i == 8:
            logging.warning("a word")
"""


def test_jobs_that_share_a_log_write_whole_lines_in_it(tmp_path):
    log = tmp_path / "log"
    with log.open("wb") as file:
        command = [sys.executable, "-c", PROGRAM]
        jobs = [subprocess.Popen([*command, str(job)], stderr=file) for job in range(2)]
        assert [job.wait() for job in jobs] == [0, 0]
    lines = log.read_text().splitlines()
    assert "\r" not in log.read_text()
    told = [LINE.fullmatch(line) for line in lines if "a word" not in line]
    assert all(told), lines
    for job in ("job 0", "job 1"):
        counts = [int(each[3]) for each in told if each[2] == job]
        assert counts[-1] == 10
        assert len(counts) >= 3
        assert counts == sorted(set(counts))  # no line says again what one has said


def test_what_ends_soon_says_nothing(capfd):
    code = "from segue.progress import progress\nfor _ in progress(range(3)): pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert capfd.readouterr() == ("", "")


def test_a_terminal_has_a_bar_and_what_is_logged_stands_on_lines_of_its_own():
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    command = [sys.executable, "-c", PROGRAM, "0"]
    with subprocess.Popen(command, stderr=theirs) as job:
        os.close(theirs)
        written = b""
        while True:
            try:
                written += os.read(ours, 1024)
            except OSError:  # the other end is closed
                break
    os.close(ours)
    assert job.returncode == 0
    shown = written.decode()
    assert re.search(r"\rjob 0: +\d+%\|", shown)
    assert re.search(r"\r(\x1b\[A)?\d\d:\d\d:\d\d root: a word\r\n", shown), shown


def test_nothing_else_makes_bars():
    for path in PACKAGE.glob("**/*.py"):
        found = re.search(r"\btqdm(\.\w+)*\(", path.read_text())
        assert bool(found) == (path.name == "progress.py"), path
