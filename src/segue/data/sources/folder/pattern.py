"""Masks found by a pattern of their names: whose mask is which file?

``masks/{stem}_*.png`` stands for the masks of an image of that stem (its name without suffix); what
``*`` stands for is the rater. ``{folder}`` is the image's folder, as in ``{folder}/seg_*.png`` for
one folder a case. A rater of whom an image has no file did not see that image.
"""

import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from segue.data.sources.folder.listing import composed
from segue.errors import InputError

_PARTS = re.compile(r"(\{[^}]*\}|[*?])")
_REMEDY = "name the masks in columns rater_1, rater_2, ... instead"


class _Claim(NamedTuple):
    """A file may be the mask of an image, by its number, of a rater."""

    image: int
    stem: str
    rater: str


def assign(
    folder: Path, masks: str, images: Sequence[tuple[str, Path]]
) -> tuple[list[tuple[Path | None, ...]], list[str]]:
    """Find the masks of images.

    Args:
        folder: that names are relative to.
        masks: the pattern.
        images: place in the list, for messages, and path of each.

    Returns:
        Of each image the mask of each rater, or None; and the raters, in the order of their names.

    Raises:
        InputError: the pattern cannot tell images apart, a file may be the mask of several images,
            or an image has no mask.
    """
    _check_pattern(masks)
    owned = {
        file: _owner(file, claims, images)
        for file, claims in _claims(folder, masks, images).items()
    }
    raters = sorted({claim.rater for claim in owned.values()}, key=natural)
    _check_raters(raters, owned, masks, images)
    found: list[dict[str, Path]] = [{} for _ in images]
    for file, claim in owned.items():
        found[claim.image][claim.rater] = file
    for number, (each, (where, image)) in enumerate(zip(found, images, strict=True)):
        if not each:
            own = masks.replace("{stem}", image.stem).replace("{folder}", _folder(folder, image))
            raise InputError(
                f"{where}: no mask of {images[number][1].name}: nothing matches {own}; correct the "
                "option masks, or remove the row"
            )
    return [tuple(each.get(rater) for rater in raters) for each in found], raters


def _check_pattern(masks: str) -> None:
    names = [part for part in _PARTS.findall(masks) if part.startswith("{")]
    unknown = [name for name in names if name not in ("{stem}", "{folder}")]
    if unknown or not names:
        raise InputError(
            "folder: masks: expected {stem}, the name of the image without its suffix, or {folder},"
            f" its folder, in the pattern; found {unknown[0] if unknown else 'neither'} in "
            f"{masks!r}"
        )


def _claims(
    folder: Path, masks: str, images: Sequence[tuple[str, Path]]
) -> dict[Path, list[_Claim]]:
    """Files that the pattern finds, each with the images that it may be of."""
    pictures = {image.resolve() for _, image in images}
    groups: dict[str, dict[str, list[int]]] = {}  # images by folder, if that counts, and stem
    for number, (_, image) in enumerate(images):
        place = _folder(folder, image) if "{folder}" in masks else ""
        stem = composed(image.stem) if "{stem}" in masks else ""
        groups.setdefault(place, {}).setdefault(stem, []).append(number)
    claims: dict[Path, list[_Claim]] = {}
    for place, stems in groups.items():
        here = masks.replace("{folder}", place)
        for name in sorted(glob.glob(_wild(masks, place), root_dir=folder)):
            file = folder / name
            if not file.is_file() or file.resolve() in pictures:
                continue
            for stem, rater in _matches(here, composed(name), stems):
                found = [_Claim(number, stem, rater) for number in stems[stem]]
                claims.setdefault(file, []).extend(found)
    return claims


def _folder(folder: Path, image: Path) -> str:
    return Path(os.path.relpath(image.parent, folder)).as_posix()


def _wild(masks: str, place: str) -> str:
    """The pattern for ``glob``, of all images in a place."""
    known = {"{stem}": "*", "{folder}": glob.escape(place), "*": "*", "?": "?"}
    return "".join(known.get(part, glob.escape(part)) for part in _PARTS.split(masks))


def _matches(masks: str, name: str, stems: Mapping[str, list[int]]) -> Iterator[tuple[str, str]]:
    """Stems whose pattern a name has, each with the rater that it names then."""
    before, _, _ = masks.partition("{stem}")
    fixed = "*" not in before and "?" not in before
    starts = [len(composed(before))] if fixed else range(len(name))
    lengths = {len(stem) for stem in stems}
    # Looking names up is much faster than trying the pattern of every image on every file.
    there = {name[start : start + length] for start in starts for length in lengths}
    for stem in there & stems.keys():
        parts = _PARTS.split(masks)
        known = {"{stem}": re.escape(stem), "*": "([^/]*)", "?": "([^/])"}
        regex = "".join(known.get(part, re.escape(composed(part))) for part in parts)
        if match := re.fullmatch(regex, name):
            yield stem, "_".join(match.groups())


def _owner(file: Path, claims: list[_Claim], images: Sequence[tuple[str, Path]]) -> _Claim:
    """Whose mask a file is: of images p1 and p1_left, p1_left_a is that of the longer name."""
    longest = max(len(claim.stem) for claim in claims)
    first, *others = [claim for claim in claims if len(claim.stem) == longest]
    if others:
        place, line = (images[claim.image] for claim in (first, others[0]))
        raise InputError(
            f"{line[0]}: {file.name} may be the mask of {line[1].name} and of {place[1].name} "
            f"({place[0].rsplit(', ', 1)[-1]}); tell them apart by {{folder}} in the option masks, "
            "or name the masks in columns rater_1, rater_2, ..."
        )
    return first


def _check_raters(
    raters: Sequence[str],
    owned: Mapping[Path, _Claim],
    masks: str,
    images: Sequence[tuple[str, Path]],
) -> None:
    """Raise InputError if what ``*`` stands for is no rater, or holds a piece of a name."""
    seen: dict[tuple[int, str], Path] = {}
    for file, claim in owned.items():
        other = seen.setdefault((claim.image, claim.rater), file)
        if other is not file:
            raise InputError(
                f"{images[claim.image][0]}: {other.name} and {file.name} are both the mask of "
                f"{claim.rater!r}; {_REMEDY}"
            )
    if len(images) > 1 and len(owned) > 1 and len(raters) == len(owned):
        first, second = list(owned)[:2]
        raise InputError(
            f"folder: masks: what * stands for in {masks!r} is another in every file, as in "
            f"{first.name} and {second.name}, so it names no raters; {_REMEDY}"
        )
    after = re.search(r"\{stem\}([^*?/{]*)[*?]", masks)
    ahead = re.search(r"[*?]([^*?/}]*)\{stem\}", masks)
    for longer in raters:
        for shorter in raters:
            ends = after and longer.endswith(after[1] + shorter)
            starts = ahead and longer.startswith(shorter + ahead[1])
            if longer != shorter and (ends or starts):
                file = next(f for f, claim in owned.items() if claim.rater == longer)
                where, image = images[owned[file].image]
                raise InputError(
                    f"{where}: is {file.name} the mask of {image.name} by the rater {longer!r}, or "
                    f"that of another image by {shorter!r}? Rename it, or {_REMEDY}"
                )


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key in which r2 comes before r10."""
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in re.split(r"(\d+)", name)]
