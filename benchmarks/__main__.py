"""Measure how fast Segue is: ``python -m benchmarks --json FILE``, from the folder of the project.

Each subject is measured in a process of its own, one after another; FILE then has its numbers in
place of earlier ones, and keeps those of others. It takes about half an hour and 3 GB of disk.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import SUBJECTS, machine, markdown, processes
from benchmarks.rows import ROOT, Given
from segue.files import replacing


def main() -> int:
    """Measure, or write the page of what was measured; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file of the numbers")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SUBJECTS,
        default=SUBJECTS,
        metavar="NAME",
        help=f"subjects to measure; default: all, {', '.join(SUBJECTS)}",
    )
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="measure nothing: write the page of --json"
    )
    parser.add_argument(
        "--study",
        type=_path,
        default=ROOT / "results" / "quick",
        metavar="FOLDER",
        help="results of the study that `budget` and `bits` read; default: results/quick",
    )
    parser.add_argument(
        "--config",
        type=_path,
        metavar="FILE",
        help="study to lay over config.yaml for `forecast`; default: config.yaml alone",
    )
    parser.add_argument(
        "--folder",
        type=_path,
        default=Path.cwd(),
        help="where files are written that are removed at the end; default: here",
    )
    parser.add_argument(
        "--tiny", action="store_true", help="show that it runs, on sizes that say nothing of speed"
    )
    given = parser.parse_args()
    results = _read(given.json, parser)  # before anything is measured for nothing
    if given.markdown:
        if not results:
            parser.error(f"--json: no numbers in {given.json}; measure them without --markdown")
        with replacing(given.markdown) as file:
            file.write(markdown.page(results))
        return 0
    if not given.folder.is_dir():
        parser.error(f"--folder: no folder {given.folder}; make it, or name another")
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=given.folder) as folder:
        for name in given.only:
            print(f"{name} …", file=sys.stderr)
            own = Path(folder) / name
            own.mkdir()
            found = _measured(name, Given(own, given.tiny, given.study, given.config))
            for row in found["rows"]:
                print(f"{name:9} {row['name']}: {markdown.number(row['value'])} {row['unit']}")
            # Read anew, for another run may have measured others meanwhile.
            with replacing(given.json) as file:
                both = _read(given.json, parser) | {name: found}
                json.dump(both, file, indent=1, ensure_ascii=False)
    return 0


def _path(text: str) -> Path:
    return Path(text).absolute()


def _measured(name: str, given: Given) -> dict:
    """Numbers of a subject, and on what and how they were measured."""
    before = machine.busy_s()
    asked = json.dumps(given._asdict(), default=str)
    used = processes.run("-m", "benchmarks.subject", name, asked)
    rest = None if before is None else machine.busy_s() - before - used.cpu_s
    return {
        "machine": machine.facts(),
        "tiny": given.tiny,
        "seconds": used.wall_s,
        "others": rest and max(0.0, rest / used.wall_s),
        "rows": json.loads(used.output),
    }


def _read(file: Path, parser: argparse.ArgumentParser) -> dict:
    """Numbers of earlier runs, none where there is no file."""
    try:
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except (OSError, ValueError) as error:
        parser.error(f"--json: {file}: expected numbers of this program: {error}; name another")


if __name__ == "__main__":
    sys.exit(main())
