"""Run one subject: ``python -m benchmarks.subject NAME GIVEN`` prints its rows as JSON."""

import json
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.rows import Given
from segue.errors import InputError


def main(name: str, given: str) -> None:
    """Print the rows of a subject; ``given`` is ``Given`` as JSON, its paths as text."""
    known = json.loads(given)
    overlay = Path(known["overlay"]) if known["overlay"] else None
    found = Given(Path(known["folder"]), known["tiny"], Path(known["study"]), overlay)
    try:
        rows = list(import_module(f"benchmarks.{name}").rows(found))
    except InputError as error:
        sys.exit(f"benchmarks: error: {error}")
    print(json.dumps([row._asdict() for row in rows]))


if __name__ == "__main__":
    main(*sys.argv[1:])
