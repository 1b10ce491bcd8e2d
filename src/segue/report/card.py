"""A short card of a prepared dataset: what is in it, where it is from, and a look at it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from scipy.special import entr

from segue import store
from segue.data.statistics import of_split, sentence
from segue.report import html
from segue.report.pictures import outline, picture
from segue.report.style import PAGE, STYLE, ordered, save

_EXAMPLES = 4  # images of each split in the montage
_GAP = 1  # pixels beside each of them
_LISTED = 20
_LEGEND = (
    "Non-empty: share of the images in which so many raters marked anything. Pair IoU: of two "
    "raters who both did, mean over images. Area: mean of the masks that are not empty, in pixels."
)
_SHOWN = {
    "source": "Source module",
    "licence": "Licence",
    "citation": "Citation",
    "sha256": "sha256",
    "split": "Split",
    "units": "Units before normalisation",
    "shift_masks": "Masks shifted by (down, right)",
    "seed": "Seed",
    "code_version": "Code version",
    "size": "Height and width, pixels",
    "channels": "Channels",
    "raters": "Raters",
    "class_names": "Classes",
}


def write(out: Path, *, dataset: str) -> None:
    """Write the data card of the store ``dataset`` to ``out`` (Markdown), and as HTML beside it.

    The montage has the name of ``out`` with ``.png``, ``.svg`` and ``.pdf``: images evenly spread
    over each split, with each rater's outlines.

    Args:
        out: path of the new page.
        dataset: path of the dataset store.

    Raises:
        InputError: there is no such store, or a chunk of it is lost.
    """
    store_path = Path(dataset)
    attributes = store.attributes(store_path)
    splits = ordered(store.splits(store_path), ("train", "val", "id"))
    statistics = {s: of_split(store.open_split(store_path, s)) for s in splits}
    size = store.open_split(store_path, splits[0])["labels"].shape[2:]
    save(_montage(store_path, splits), out.with_suffix(""))
    lines = [
        f"# Data card: {attributes.get('title', store_path.stem)}",
        f"\n{attributes.get('caption', '')}\n",
        f"{sentence(attributes, statistics, size)}.\n",
        *_rows(
            ["", ""],
            [[label, _text(attributes[k])] for k, label in _SHOWN.items() if k in attributes],
        ),
        "\n## Splits\n",
        *_splits(statistics, attributes),
        f"\n{_LEGEND}",
        *_skipped(attributes.get("skipped", [])),
        f"\n![Images of each split with each rater's outlines]({out.stem}.png)",
    ]
    html.write(out, "\n".join(lines) + "\n")


def _splits(statistics: Mapping[str, Mapping], attributes: Mapping[str, Any]) -> list[str]:
    """The table of the splits; with more than two classes, pair IoU and area of each."""
    names = attributes.get("class_names", [])
    raters = len(next(iter(statistics.values()))["non_empty"])
    several = len(names) > 2
    regions = ["foreground", *(map(str, range(1, len(names))) if several else [])]
    title = {str(i): name for i, name in enumerate(names)}
    header = ["split", "images", "patients"]
    header += [f"{k} non-empty" for k in range(raters)]
    header += [f"{what}, {title.get(r, r)}" for r in regions for what in ("pair IoU", "area")]
    rows = []
    for split, of in statistics.items():
        row = [split, str(of["images"]), "–" if of["patients"] is None else str(of["patients"])]
        row += [f"{100 * share:.1f} %" for share in of["non_empty"]]
        for region in regions:
            values = of["classes"].get(region, {})
            row += [_number(values.get("pair_iou"), ".3f"), _number(values.get("area"), ".1f")]
        rows.append(row)
    return _rows(header, rows)


def _skipped(skipped: Sequence[Mapping[str, str]]) -> list[str]:
    if not skipped:
        return []
    lines = [f"- {entry['image']}: {entry['reason']}" for entry in skipped[:_LISTED]]
    rest = len(skipped) - len(lines)
    more = [f"- and {rest} more, in the store's attribute `skipped`"] if rest else []
    return [f"\n## Skipped: {len(skipped)}\n", *lines, *more]


def _montage(dataset: Path, splits: Sequence[str]) -> Figure:
    """A row of images for each split, evenly spread over it, with each rater's outlines.

    Where the truth is known, below the images: the true probability of any class but background,
    and the entropy of the classes, each from black, 0, to white, 1 and ln 2.
    """
    first = store.open_split(dataset, splits[0])
    known = "truth" in first
    # Where the truth is known all images have one scale, by which they are told apart.
    limits = tuple(np.percentile(first["image"].values, (0.1, 99.9))) if known else None
    with rc_context(STYLE):
        ratio = first.sizes["y"] / first.sizes["x"]
        height = ((3.1 if known else 1) * PAGE / _EXAMPLES * ratio + 0.25) * len(splits)
        figure = Figure(figsize=(PAGE, height), layout="constrained")
        rows = figure.subplots(len(splits), 1, squeeze=False)[:, 0]
        for name, ax in zip(splits, rows, strict=True):
            split = store.open_split(dataset, name)
            last = split.sizes["image"] - 1
            chosen = np.linspace(0, last, min(_EXAMPLES, last + 1)).astype(int)
            # Side by side in one panel, since panels are what takes the time.
            gap = [(0, 0), (_GAP, _GAP)]
            pictures = [picture(split["image"][i].values, limits) for i in chosen]
            pictures = [np.pad(p, [*gap, (0, 0)], constant_values=1) for p in pictures]
            masks = [np.pad(split["labels"][i].values, [(0, 0), *gap]) for i in chosen]
            shown = [np.concatenate(pictures, axis=1)]
            if known:
                truth = split["truth"].isel(image=chosen).values
                entropy = entr(truth).sum(axis=1) / np.log(2)
                shown += [_in_line(values, gap) for values in (1 - truth[:, 0], entropy)]
            ax.imshow(np.concatenate(shown))
            outline(ax, np.concatenate(masks, axis=2))
            below = "; below: p*, and its entropy" if known else ""
            ax.set_title(f"{name}: images {', '.join(map(str, chosen))}{below}")
            ax.set_axis_off()
    return figure


def _in_line(values: np.ndarray, gap: Sequence[tuple[int, int]]) -> np.ndarray:
    """Values (image, y, x) in [0, 1] side by side in grey, (y, x, 3), below a gap."""
    line = np.concatenate([np.pad(v, gap, constant_values=1) for v in values], axis=1)
    line = np.pad(line, [(2 * _GAP, 0), (0, 0)], constant_values=1)
    return np.repeat(np.clip(line, 0, 1)[..., None], 3, axis=2)


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines]


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {v}" for k, v in value.items()) or "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
