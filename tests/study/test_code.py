"""What is on record of the code: its commit, and the parts of it that are no modules."""

import shutil
import subprocess

import pytest

from segue.study import code
from segue.study import settings as of


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_a_checkout_has_its_commit_on_record_and_whether_it_was_changed(tmp_path):
    def git(*words: str) -> str:
        who = ("-c", "user.name=me", "-c", "user.email=me@example.org")
        command = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init")
    file = tmp_path / "file"
    file.write_text("one")
    git("add", "file")
    git("commit", "-m", "Begin")
    commit = git("rev-parse", "HEAD")
    assert code.commit(tmp_path) == commit
    file.write_text("two")
    code.commit.cache_clear()
    assert code.commit(tmp_path) == f"{commit}-dirty"


def test_a_folder_within_another_checkout_has_none(tmp_path):
    assert code.commit(tmp_path / "lib/python") == ""


def test_the_page_is_made_again_when_its_template_changes(tmp_path, monkeypatch):
    settings = of.Page(study="results/quick", config={})
    before = code.code("page", settings)
    copy = shutil.copytree(code._ASSETS, tmp_path / "assets")
    monkeypatch.setattr(code, "_ASSETS", copy)
    assert code.code("page", settings) == before
    with (copy / "style.css").open("a") as file:
        file.write("body { margin: 1px; }")
    assert code.code("page", settings) != before
