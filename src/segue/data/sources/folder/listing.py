"""Files of a folder by name, whichever way the name is written."""

import unicodedata
from pathlib import Path


class Listing:
    """Finds files of a folder by names of other systems.

    ``/`` and ``\\`` part folders, and letters with accents may be composed or not, as file systems
    and spreadsheets write them differently.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: dict[Path, dict[str, Path]] = {}

    def find(self, name: str) -> Path | None:
        """The file of a name relative to the folder, or None."""
        for spelt in dict.fromkeys((name, name.replace("\\", "/"))):
            path = self.folder / spelt
            try:
                if path.is_file() or (path := self._composed(path)):
                    return path
            except (OSError, ValueError):  # a name that no file can have
                continue
        return None

    def _composed(self, path: Path) -> Path | None:
        """The file whose name has the same letters as ``path``."""
        here = Path(path.anchor)
        for part in path.parts[len(here.parts) :]:
            here = here / part if (here / part).exists() else self._in(here).get(composed(part))
            if here is None:
                return None
        return here if here.is_file() else None

    def _in(self, folder: Path) -> dict[str, Path]:
        if folder not in self._entries:
            there = folder.iterdir() if folder.is_dir() else ()
            self._entries[folder] = {composed(entry.name): entry for entry in there}
        return self._entries[folder]


def composed(text: str) -> str:
    """Text in Unicode's composed form, in which what looks the same is the same."""
    return unicodedata.normalize("NFC", text)
