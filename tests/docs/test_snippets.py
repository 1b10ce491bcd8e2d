"""Examples of the documentation run, and the commands in it are those that there are."""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import generated
import pytest
import yaml
from pages import DOCS, FENCE, ROOT, TEXTS, blocks, path_of
from snakemake.cli import get_argument_parser

from segue.study.config import Config, read

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
ELSEWHERE = {
    "adding.md": "tests/contracts",
    "api.md": "tests/test_api.py",
    "data.md": "tests/data/sources/test_folder.py",
    "figures.md": "tests/report/figures",
    "predictions.md": "tests/evaluation/test_predictions.py",
    "report.md": "tests/report/page",
}
"""Pages whose examples, or what they show, other tests run, with what comes out of them."""

LINKED = ("config.yaml", "Snakefile", "workflow", "profiles", "src", "benchmarks")
"""What of the project is there where examples run."""


@pytest.mark.parametrize("page", TEXTS, ids=path_of)
def test_examples_of_a_page_run_in_their_order(page, tmp_path, monkeypatch):
    found = [block for block in blocks(page) if block.run and block.kind in ("python", "bash")]
    if page.name in ELSEWHERE or not found:
        return
    monkeypatch.chdir(tmp_path)
    for name in LINKED:
        (tmp_path / name).symlink_to(ROOT / name)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    names: dict = {}
    for block in found:
        if block.kind == "python":
            exec(compile(block.text, str(page), "exec"), names)
        else:
            command = ["bash", "-euo", "pipefail", "-c", block.text]
            subprocess.run(command, check=True, env={**os.environ, "PATH": path})


def test_the_tests_of_other_pages_are_there():
    for page, test in ELSEWHERE.items():
        assert (ROOT / test).exists() or not (DOCS / page).exists()


@pytest.mark.parametrize("path", TEXTS, ids=path_of)
def test_examples_can_be_read_and_name_what_there_is(path):
    for block in blocks(path):
        if (
            block.kind == "python" and "rule " not in block.text
        ):  # Snakemake's language is no Python
            ast.parse(block.text)
        elif block.kind == "yaml":
            content = yaml.safe_load(block.text)
            if content.keys() <= Config.model_fields.keys():
                read(content, CONFIG)
        elif block.kind in ("bash", ""):
            for command in commands(block.text, prompt=block.kind == ""):
                check_command(command)
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    for text in re.findall(r"`((?:segue|snakemake|python -m benchmarks) [^`]+)`", prose):
        check_command(shlex.split(text))


def commands(text: str, *, prompt: bool) -> Iterator[list[str]]:
    """Commands of a shell block; of one with a prompt, of the lines that have it."""
    for line in text.replace("\\\n", " ").splitlines():
        if prompt and not line.startswith(("$ ", "snakemake ", "segue ", "python ")):
            continue
        words: list[str] = []
        for word in shlex.split(line.removeprefix("$ "), comments=True):
            if word in ("&&", "|", ";"):
                yield words
                words = []
            elif words or not re.match(r"\w+=", word):  # X=… before a command
                words.append(word)
        if words:
            yield words


def check_command(words: list[str]) -> None:
    """Raise AssertionError where a command of ours has an option, or names a file, there is not."""
    program, *rest = words
    match program.removeprefix(".venv/bin/"):
        case "segue":
            known, name = generated.parsers(), "segue"
            while rest and f"{name} {rest[0]}" in known:
                name = f"{name} {rest.pop(0)}"
            any_of = rest and rest[0].startswith("<")  # segue stage <name>
            assert any_of or name != "segue" or not rest or rest[0].startswith("-"), words
            parsers = [p for n, p in known.items() if n == name or (any_of and n.startswith(name))]
            check_options({option for p in parsers for option in p._option_string_actions}, rest)
        case "snakemake":
            check_options(snakemake_options(), rest)
        case "sbatch" if "--wrap" in rest:
            check_command(shlex.split(rest[rest.index("--wrap") + 1]))
        case "python" if rest[:2] == ["-m", "benchmarks"]:
            for option, value in pairwise(rest):
                if option == "--only":
                    assert (ROOT / f"benchmarks/{value}.py").is_file() or value.isupper(), words
        case "python" if rest and rest[0].endswith(".py"):
            assert (ROOT / rest[0]).is_file(), words
    for word in rest:
        if re.match(r"(workflow|profiles|benchmarks|envs)/", word):
            assert (ROOT / word).exists(), words


@cache
def snakemake_options() -> set[str]:
    return set(get_argument_parser()._option_string_actions)


def check_options(known: set[str], words: list[str]) -> None:
    for word in words:
        if word.startswith("-") and not re.fullmatch(r"-?-|-\d.*", word):
            assert word.split("=")[0] in known, f"{words}: {word}"


def test_a_command_that_there_is_not_is_found():
    check_command(shlex.split("segue score STORE --out DIR"))
    check_command(shlex.split("snakemake --cores all --configfile workflow/studies/smoke.yaml"))
    for wrong in (
        "segue scores STORE",
        "segue score STORE --into DIR",
        "snakemake --core-count 3",
        "snakemake --configfile workflow/studies/smok.yaml",
        "python -m benchmarks --only nothing",
    ):
        with pytest.raises(AssertionError):
            check_command(shlex.split(wrong))
