"""The page of numbers: what each subject measures, in its module's words, and its rows."""

import ast
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks import SUBJECTS
from benchmarks.rows import ROOT

_HEAD = """# How fast, how large

Made by `python -m benchmarks --json FILE` and `python -m benchmarks --json FILE --markdown
docs/performance.md`, from the folder of the project; not to be edited. `--only NAME` measures one
subject. Goals are in brackets. On another machine the numbers are others.
"""
_QUIET = 0.1  # cores


def page(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The page, as Markdown.

    Args:
        results: of each subject by name: ``machine``, facts; ``tiny``, whether its sizes were;
            ``others``, cores that other processes used meanwhile, None where that is not known;
            ``seconds`` that it took; and ``rows``.
    """
    there = [name for name in SUBJECTS if name in results and results[name]["rows"]]
    return "\n".join([_HEAD, *_machines(results, there), *_subjects(results, there)])


def _machines(results: Mapping[str, Mapping[str, Any]], names: list[str]) -> Iterator[str]:
    """What they were measured on, a line for each machine or state of the project."""
    told: dict[str, list[str]] = {}
    for name in names:
        facts = ", ".join(f"{key} {value}" for key, value in results[name]["machine"].items())
        told.setdefault(facts, []).append(name)
    for facts, which in told.items():
        yield f"Measured on: {facts}" + (f" ({', '.join(which)})" if len(told) > 1 else "") + ".\n"
    if tiny := [name for name in names if results[name]["tiny"]]:
        yield f"**Of tiny sizes, which say nothing of speed**: {', '.join(tiny)}.\n"
    others = {name: results[name]["others"] for name in names}
    if loud := {name: cores for name, cores in others.items() if cores is None or cores > _QUIET}:
        words = {n: "unknown" if cores is None else f"{cores:.1f}" for n, cores in loud.items()}
        found = ", ".join(f"{name} {cores}" for name, cores in words.items())
        yield (
            "**Not measured on a quiet machine**, so times may be too long: cores that other "
            f"processes used meanwhile: {found}.\n"
        )


def _subjects(results: Mapping[str, Mapping[str, Any]], names: list[str]) -> Iterator[str]:
    for name in names:
        source = (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
        yield f"## {name}\n"
        yield ast.get_docstring(ast.parse(source)) + "\n"
        took = f"{results[name]['seconds']:.0f} s"
        yield f"`python -m benchmarks --json FILE --only {name}`, in {took}:\n"
        yield from _table(results[name]["rows"])
        yield ""


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each thing that was measured, a column for each unit; goals in brackets."""
    units = list(dict.fromkeys(row["unit"] for row in rows))
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        goal = f" ({row['goal']})" if row["goal"] else ""
        line = lines.setdefault((row["name"], row["on"]), {})
        line[row["unit"]] = number(row["value"]) + goal
    yield f"| what | measured on | {' | '.join(units)} |"
    yield "|---|---|" + "--:|" * len(units)
    for (name, on), line in lines.items():
        yield f"| {name} | {on} | {' | '.join(line.get(unit, '') for unit in units)} |"


def number(value: float) -> str:
    """A number with three digits that count, and no power of ten unless it is tiny."""
    if abs(value) < 1e-3:
        return f"{value:.1e}" if value else "0"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
