"""The images of a page: some of each split, with raters, samples and maps of each cell."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.special import entr

from segue import store
from segue.evaluation.maps import SHOWN
from segue.evaluation.shown import evenly
from segue.report import pictures
from segue.report.page import sprites
from segue.report.page.image_scores import by_image
from segue.report.page.material import JOIN, Material
from segue.report.page.tiles import TILES, tiles
from segue.report.style import ordered

PIXELS = 10_000_000
"""Of all pictures of all cells; a file has about a third of a byte for each."""

_MOST = 12  # images of a split that are not too many to look through

Json = dict[str, Any]


class Files(NamedTuple):
    """Of a cell: its maps, and its scores, of which there may be none."""

    maps: Path
    scores: Path


class Entry(NamedTuple):
    """An image of a split; ``original`` is the place of the entry of ``id`` that has its name.

    Of a shifted split that is the image before the shift.
    """

    split: str
    index: int
    name: str
    original: int | None


def browser(material: Material) -> Json:
    """What the page shows of each dataset whose maps there are, by the dataset's name.

    ``entries``: the images, see ``Entry``, with the ``outlines`` of each rater; ``size``, height
    and width of a picture; ``step``, every which pixel is shown; ``source``, a sprite of the images
    and, where they are known, of p* and its entropy; ``cells``: see ``segue.report.page.tiles``,
    with ``values`` of each entry to sort by.
    """
    files = {name: dict(_files(material, name)) for name in material.datasets}
    files = {name: found for name, found in files.items() if found}
    shown = sum(TILES * len(found) * len(_splits(_first(found))) for found in files.values())
    return {name: _dataset(material, name, found, shown) for name, found in files.items()}


def _files(material: Material, dataset: str) -> Iterator[tuple[str, Files]]:
    """The files of each cell of a dataset, of its first replicate."""
    seen = set()
    for name, aleatoric, epistemic, replicate in material.cells:
        cell, place = f"{aleatoric}{JOIN}{epistemic}", f"{name}/{aleatoric}-{epistemic}"
        place = f"{place}/rep{replicate}"
        for maps, scores in ((f"maps/{place}", f"scores/{place}"), (".", ".")):
            path = material.folder / maps / "maps.zarr"  # of a study, or of `segue score`
            if name == dataset and cell not in seen and path.is_dir():
                seen.add(cell)
                yield cell, Files(path, material.folder / scores / "scores.csv")


def _first(files: Mapping[str, Files]) -> Path:
    return next(iter(files.values())).maps


def _splits(maps: Path) -> list[str]:
    return ordered(store.splits(maps), ("id",))


def _dataset(material: Material, name: str, files: Mapping[str, Files], shown: int) -> Json:
    content = store.open_split(_first(files), _splits(_first(files))[0])
    *_, height, width = content["uncertainty"].shape
    count, step = sprites.fitting((height, width), shown, PIXELS, _MOST)
    source = material.folder / "datasets" / name / "dataset.zarr"
    entries = _entries(_first(files), source if source.is_dir() else _first(files), count)
    found: Json = {
        "entries": [entry._asdict() for entry in entries],
        "size": [len(range(0, side, step)) for side in (height, width)],
        "step": step,
        "most": round(float(np.log(content.sizes["class"])), 3),
    }
    if source.is_dir():
        outlines, found["source"] = _source(source, entries, step)
        for entry, lines in zip(found["entries"], outlines, strict=True):
            entry["outlines"] = lines
    found["cells"] = {
        cell: tiles(each.maps, entries, step, by_image(each.scores, entries))
        for cell, each in files.items()
    }
    return found


def _entries(maps: Path, named: Path, count: int) -> list[Entry]:
    """The images of each split: those that have samples, and others evenly spread over it.

    Splits whose images have the same names, as shifted copies of ``id``, show the same ones.

    Args:
        maps: store of the maps of a cell.
        named: store that knows the names of the images, if any does.
        count: how many images of a split to show.
    """
    chosen: dict[str, list[int]] = {}
    names: dict[str, list[str]] = {}
    alike: dict[tuple[str, ...], list[str]] = {}
    wanted: dict[str, list[int]] = {}
    for split in _splits(maps):
        content = store.open_split(maps, split)
        names[split] = _names(store.open_split(named, split))
        alike.setdefault(tuple(names[split]) if any(names[split]) else (split,), []).append(split)
        wanted[split] = content["shown"].values.tolist() if SHOWN in content else []
    for splits in alike.values():
        every = dict.fromkeys(index for split in splits for index in wanted[split])
        spread = evenly(len(names[splits[0]]), count)
        indices = sorted(
            list(dict.fromkeys([*every, *spread]))[: max(count, len(wanted[splits[0]]))]
        )
        chosen |= dict.fromkeys(splits, indices)
    places = {(s, i): n for n, (s, i) in enumerate((s, i) for s in names for i in chosen[s])}
    copies = {split for splits in alike.values() if "id" in splits for split in splits} - {"id"}
    return [
        Entry(split, i, names[split][i], places["id", i] if split in copies else None)
        for split, i in places
    ]


def _names(content: xr.Dataset) -> list[str]:
    """Name of each image, or else its patient's; empty where it has neither."""
    for name in ("name", "patient"):
        if name in content and content[name].ndim == 1:
            return [str(value) for value in content[name].values]
    return [""] * content.sizes["image"]


def _source(dataset: Path, entries: Sequence[Entry], step: int) -> tuple[list[list[str]], Json]:
    """Outlines of each rater on each image, and a sprite of the images and what is known."""
    rows, outlines, known = [], [], False
    for split in dict.fromkeys(entry.split for entry in entries):
        indices = [entry.index for entry in entries if entry.split == split]
        content = store.open_split(dataset, split).isel(image=indices).load()
        known = "truth" in content
        limits = None
        if known:  # all images have one scale, by which they are told apart
            low, high = np.percentile(content["image"].values, (0.1, 99.9))
            limits = (float(low), float(high))
        for place in range(len(indices)):
            image = sprites.thinned(content["image"][place].values, step)
            row = [pictures.picture(image, limits)]
            if known:
                truth = sprites.thinned(content["truth"][place].values, step)
                entropy = sprites.heat(entr(truth).sum(axis=0), np.log(len(truth)))
                row += [pictures.blend(truth), entropy]
            outlines.append(
                sprites.outlines(sprites.thinned(content["labels"][place].values, step))
            )
            rows.append(row)
    columns = ["image", *(["true p", "true AU"] if known else [])]
    return outlines, {"columns": columns, "sprite": sprites.sprite(rows), "rows": len(rows)}
