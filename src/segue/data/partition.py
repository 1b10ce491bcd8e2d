"""Splits of samples by group, limits on their number, and checksums, for the datasets."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from segue.errors import InputError
from segue.progress import progress
from segue.seeds import rng

_LOG = logging.getLogger(__name__)
_SHARE = 0.2
_BLOCK = 1 << 22

T = TypeVar("T")


def by_group(groups: Sequence[str], seed: int, where: str) -> dict[str, list[int]]:
    """Indices of the samples of ``train``, ``val`` and ``id``: 60, 20 and 20 % of the groups.

    All samples of a group (a patient) are in one split; it depends on the set of groups and on the
    seed, not on the order of the samples.

    Raises:
        InputError: naming ``where``, if there are fewer than three groups.
    """
    names = sorted(set(groups))
    if len(names) < 3:
        raise InputError(
            f"{where}: {len(names)} patients or groups; a split into train, val and id needs 3"
        )
    order = [names[i] for i in rng(seed, "split").permutation(len(names))]
    share = max(1, round(_SHARE * len(names)))
    parts = {"val": order[:share], "id": order[share : 2 * share], "train": order[2 * share :]}
    split_of = {name: split for split, part in parts.items() for name in part}
    return {
        split: [i for i, group in enumerate(groups) if split_of[group] == split]
        for split in ("train", "val", "id")
    }


def limit(
    splits: Mapping[str, Sequence[T]],
    images: Mapping[str, int | None] | None,
    seed: int,
    where: str,
) -> dict[str, list[T]]:
    """``images[split]`` samples of each split, or all, drawn by the seed, in their order.

    Raises:
        InputError: naming ``where``, if ``images`` names a split that there is not or asks for more
            than there are, or a split has no samples.
    """
    images = images or {}
    unknown = sorted(images.keys() - splits.keys())
    if unknown:
        raise InputError(
            f"{where}: images: no split {unknown[0]!r}; there are: {', '.join(splits)}"
        )
    kept = {}
    for split, items in splits.items():
        count = images.get(split)
        count = len(items) if count is None else count
        if not 1 <= count <= len(items):
            raise InputError(
                f"{where}: images.{split}: expected 1 to {len(items)}, all of it; came {count}"
            )
        chosen = sorted(rng(seed, "images", split).permutation(len(items))[:count])
        kept[split] = [items[i] for i in chosen]
    return kept


def checksum(path: Path, published: str | None) -> str:
    """The sha256 of a file; a warning is logged where it is not the ``published`` one."""
    digest = hashlib.sha256()
    size = path.stat().st_size
    bar = progress(total=size, desc=f"sha256 of {path.name}", unit="B", unit_scale=True, delay=10)
    with path.open("rb") as file, bar:
        while block := file.read(_BLOCK):
            digest.update(block)
            bar.update(len(block))
    found = digest.hexdigest()
    if published and found != published:
        _LOG.warning("%s: sha256 %s is not that of the published file, %s", path, found, published)
    return found
