"""Whatever happens to a file that Segue wrote, the stage that reads it says so and names the file.

What no reader can know (a digit of a table, the name of the seal in a store) is told by the digest
of the file or store, which the stamps of a study compare before a stage starts.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from artefacts import METHODS, Artefacts
from damage import flip, zeroed

from segue import digests, files, seeds
from segue.errors import InputError


class Kind(NamedTuple):
    """Files of one kind.

    Attributes:
        folder, pattern: where they are.
        count: how many of them are damaged.
        bits: how many bits of each, one at a time.
        by_digest: whether a digest that differs is enough, where the reader says nothing.
    """

    folder: str
    pattern: str
    count: int
    bits: int = 4
    by_digest: bool = False


KINDS = {
    "metadata of the dataset": Kind("dataset", "**/zarr.json", 8, by_digest=True),
    "chunks of the dataset": Kind("dataset", "**/c/**/*", 8, 3),
    "metadata of samples": Kind("samples", "**/zarr.json", 7, by_digest=True),
    "chunks of samples": Kind("samples", "**/c/**/*", 6),
    "metadata of maps": Kind("maps", "**/zarr.json", 8, by_digest=True),
    "chunks of maps": Kind("maps", "**/c/**/*", 4, 3),
    "checkpoint": Kind("model", "*.pt", 1, 60),
    "scores": Kind("scores", "*.csv", 4, 8, by_digest=True),
    "tables": Kind("tables", "deltas.csv", 1, 8, by_digest=True),
}


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory) -> Artefacts:
    made = Artefacts(tmp_path_factory.mktemp("faults"))
    made.make()
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_noticed_by_the_reader_and_its_file_named(artefacts, kind, record_property):
    folder, pattern, count, bits, by_digest = KINDS[kind]
    rng = seeds.rng(0, "faults", kind)
    found = sorted(path for path in (artefacts.folder / folder).glob(pattern) if path.is_file())
    chosen = [found[i] for i in sorted(rng.permutation(len(found))[:count])]
    artefacts.reader(chosen[0])()  # nothing is wrong yet
    outcomes: dict[str, list[str]] = {"noticed": [], "unnoticed": [], "traceback": []}
    for file in chosen:
        whole, digest = file.read_bytes(), _digest(file) if by_digest else None
        for what, content in _damages(whole, bits, rng):
            _write(file, content)
            outcome, said = _outcome(artefacts, file, digest)
            outcomes[outcome].append(f"{file.relative_to(artefacts.folder)}: {what}: {said}")
        file.write_bytes(whole)
    record_property("damages", {outcome: len(cases) for outcome, cases in outcomes.items()})
    assert outcomes["unnoticed"] == []
    assert outcomes["traceback"] == []


def test_a_damaged_state_costs_epochs_and_nothing_else(artefacts, record_property, caplog):
    state, lock = artefacts.work / "state.pt", artefacts.work / "lock"
    expected, noticed = artefacts.checkpoint.read_bytes(), 0
    for file in (state, lock):
        whole = file.read_bytes()
        for what, content in _damages(whole, 2, seeds.rng(0, "faults", file.name)):
            _write(file, content)
            caplog.clear()
            artefacts.reader(file)()
            assert artefacts.checkpoint.read_bytes() == expected
            said = [message for message in caplog.messages if "state.pt: is damaged" in message]
            assert len(said) == (file == state and what != "lost"), what
            noticed += 1
        file.write_bytes(whole)
    record_property("damages", {"noticed": noticed})


def _damages(
    content: bytes, bits: int, rng: np.random.Generator
) -> Iterator[tuple[str, bytes | None]]:
    """What may become of a file, by name; None where it is lost."""
    for bit in rng.integers(8 * len(content), size=bits).tolist():
        yield f"bit {bit}", flip(content, bit)
    at = int(rng.integers(max(1, len(content) - 256)))
    yield f"256 zeros from byte {at}", zeroed(content, at)
    yield "half", content[: len(content) // 2]
    yield "empty", b""
    yield "lost", None
    if content.endswith(b"\n"):  # text
        last = content[:-1].rindex(b"\n") + 1
        yield "without its last line", content[:last]
        yield "cut in its last line", content[: last + 9]


def _write(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)


def _outcome(artefacts: Artefacts, file: Path, digest: str | None) -> tuple[str, str]:
    """Read a damaged file by its stage: what came of it, and what was said."""
    try:
        artefacts.reader(file)()
    except InputError as error:
        return ("noticed" if _names(str(error), file) else "unnoticed"), str(error)
    except Exception as error:
        return "traceback", repr(error)
    noticed = digest is not None and file.exists() and _digest(file) != digest
    return ("noticed" if noticed else "unnoticed"), "read without a word"


def _names(message: str, file: Path) -> bool:
    """Whether a message names a file, the node whose chunk or metadata it is, or a cell.

    A store's own metadata hold the checksums of the others: one of these that is damaged says that
    another file of the store is not as it was written, or one whose name is damaged that it is not
    there.
    """
    others = ("/zarr.json: is not as it was written", ".json: is missing")
    if file.parent.suffix == ".zarr" and any(other in message for other in others):
        return str(file.parent) in message
    node = next((parent.parent for parent in file.parents if parent.name == "c"), file.parent)
    cells = (f"contours/softmax-{method}/rep0" for method in METHODS)
    return any(f"{name}: " in message for name in (file, node, *cells))


def _digest(file: Path) -> str:
    """Of the store that a file is in, or of the file."""
    stores = [parent for parent in file.parents if parent.suffix == ".zarr"]
    return digests.digest(stores[0]) if stores else files.digest(file)
