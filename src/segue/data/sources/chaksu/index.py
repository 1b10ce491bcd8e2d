"""The photographs in one archive of Chákṣu IMAGE, each with its masks.

In the archives the case of folders, names and suffixes varies, junk of the archiver lies about, and
a folder may be nested in one of its own name: names are compared in lower case, from the folder of
the images or the masks on.
"""

from pathlib import Path, PurePosixPath
from typing import NamedTuple

from segue.data.sources.chaksu import archive
from segue.errors import InputError

CAMERAS = ("bosch", "forus", "remidio")
EXPERTS = 5
_IMAGES = "1.0_original_fundus_images"
_MASKS = "3.0_doctors_annotations_binary_od_oc"
_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"}
_OTHER = {"train": "test", "test": "train"}


class Item(NamedTuple):
    """One photograph: archive, camera, name, its member and each expert's members (disc, cup)."""

    archive: Path
    camera: str
    name: str
    image: str
    masks: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """Name it in an error message."""
        return self.image


class Skipped(NamedTuple):
    """A photograph that is not whole, and why."""

    image: str
    reason: str


def index(path: Path, part: str) -> tuple[list[Item], list[Skipped]]:
    """Whole samples of ``part`` (train or test) in one archive or folder, and the others, by name.

    Raises:
        InputError: there is no such tree, or a member's name leads out of the archive.
    """
    pictures: dict[tuple[str, str], list[str]] = {}
    masks: dict[tuple[str, ...], list[str]] = {}
    for name in archive.names(path):
        tree, *folders, stem = _parts(name, part) or ("", "")
        if tree == _IMAGES and folders:
            pictures.setdefault((folders[0], stem), []).append(name)
        elif tree == _MASKS and len(folders) >= 3:
            masks.setdefault((*folders[:3], stem), []).append(name)
    experts = sorted({expert for expert, *_ in masks})
    if not pictures or len(experts) != EXPERTS:
        raise InputError(
            f"chaksu: {part}: {path}: expected a tree of {_IMAGES} and of {EXPERTS} experts in "
            f"{_MASKS}; found {len(pictures)} images, {len(experts)} experts"
        )
    items, skipped = [], []
    for (camera, stem), members in sorted(pictures.items()):
        keys = [[(e, camera, kind, stem) for kind in ("disc", "cup")] for e in experts]
        found = {key: masks.get(key, []) for pair in keys for key in pair}
        reason = _fault(camera, members, found)
        if reason:
            skipped.append(Skipped(f"{path.name}: {members[0]}", reason))
        else:
            pairs = tuple((found[disc][0], found[cup][0]) for disc, cup in keys)
            # A stem names a photograph only within its camera and part.
            items.append(Item(path, camera, f"{part}/{camera}/{stem}", members[0], pairs))
    return items, skipped


def _parts(name: str, part: str) -> tuple[str, ...]:
    """Lower-case folders from the tree's on, and the stem; empty for what is of no use."""
    pure = PurePosixPath(name.casefold())
    folders = pure.parts[:-1]
    junk = "__macosx" in folders or pure.name.startswith(".") or pure.suffix not in _SUFFIXES
    start = next((i for i, folder in enumerate(folders) if folder in (_IMAGES, _MASKS)), None)
    # One folder that holds both parts may be given as both.
    if junk or start is None or _OTHER[part] in folders[:start]:
        return ()
    return (*folders[start:], pure.stem)


def _fault(camera: str, members: list[str], masks: dict[tuple[str, ...], list[str]]) -> str:
    """Why a sample is not whole; empty where it is."""
    if camera not in CAMERAS:
        return f"unknown camera {camera!r}"
    if len(members) > 1:
        return f"{len(members)} images of this name: {', '.join(members)}"
    for (expert, _, kind, _), found in masks.items():
        if len(found) != 1:
            return f"{expert}: {len(found)} masks of the {kind}, expected 1"
    return ""
