"""The pictures of one cell on a page: prediction, maps by both estimators, and samples."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from segue import dims, store
from segue.evaluation.estimators import ESTIMATORS, JACKKNIFE, PLUGIN
from segue.evaluation.maps import SHOWN
from segue.evaluation.probabilities import probabilities
from segue.report import pictures
from segue.report.page import sprites

TILES = 1 + len(ESTIMATORS) * len(dims.MEASURES)
"""Pictures of an image that every cell has at most: its prediction and its maps."""

_HYPOTHESES, _SAMPLES = 2, 3
_SAID = {PLUGIN: "", JACKKNIFE: ", jackknife"}


def tiles(
    maps: Path, entries: Sequence[Any], step: int, values: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """The pictures of a cell.

    TU and AU are shown from 0 to ln(classes); EU, of which cells differ by orders of magnitude,
    from 0 to the value that 99.5 % of its pixels here stay below.

    Args:
        maps: store of its maps.
        entries: the images to show, with ``split`` and ``index``.
        step: every which pixel is shown.
        values: numbers of each entry to sort by.

    Returns:
        ``columns``, what each column of ``sprite`` shows, and the number of its ``rows``, one for
        each entry; ``eu``, where its scale ends, in nats; ``samples``: a sprite with a row for each
        entry that has samples, and ``owners``, the row of each such entry by its place; ``values``:
        those given, and the means of TU, AU and EU over pixels.
    """
    rows, sampled, owners, means = [], [], {}, []
    columns: list[str] = []
    found = {
        split: _read(maps, split, entries) for split in dict.fromkeys(e.split for e in entries)
    }
    shown = _estimators(found.values())
    eu = [part[ESTIMATORS[PLUGIN]].sel(measure="EU").values.ravel() for part in found.values()]
    most = float(np.quantile(np.concatenate(eu), 0.995))
    for split, part in found.items():
        whole = np.log(part.sizes["class"])
        limits = {"TU": whole, "AU": whole, "EU": most}
        kept = part["shown"].values.tolist() if SHOWN in part else []
        for place, index in enumerate(e.index for e in entries if e.split == split):
            row = _row(part.isel(image=place), shown, limits, step)
            if index in kept:
                samples = part[SHOWN].isel(shown=kept.index(index))
                owners[len(rows)] = len(sampled)
                columns, pictured = _samples(samples, step)
                sampled.append(pictured)
            rows.append(row)
        means.append(part[ESTIMATORS[PLUGIN]].mean(["y", "x"], dtype=float).values)
    of_maps = dict(zip(dims.MEASURES, np.concatenate(means).T, strict=True))
    result: dict[str, Any] = {
        "columns": ["prediction", *(m + _SAID[name] for name in shown for m in dims.MEASURES)],
        "sprite": sprites.sprite(rows),
        "rows": len(rows),
        "eu": float(f"{most:.3g}"),
        "values": {
            name: [None if np.isnan(v) else float(f"{v:.3g}") for v in each]
            for name, each in {**values, **of_maps}.items()
        },
    }
    if sampled:
        sprite = {"sprite": sprites.sprite(sampled), "rows": len(sampled)}
        result["samples"] = {"columns": columns, **sprite, "owners": owners}
    return result


def _read(maps: Path, split: str, entries: Sequence[Any]) -> xr.Dataset:
    """Maps, prediction and samples of the entries of a split; all samples that are kept."""
    content = store.open_split(maps, split)
    indices = [entry.index for entry in entries if entry.split == split]
    maps_of = [variable for variable in ESTIMATORS.values() if variable in content]
    part = content[[*maps_of, "prediction"]].isel(image=indices)
    if SHOWN in content:
        few = {"eu_sample": slice(_HYPOTHESES), "au_sample": slice(_SAMPLES)}
        part = part.assign({SHOWN: content[SHOWN].isel(few)})
    return part.load()


def _estimators(parts: Iterable[xr.Dataset]) -> list[str]:
    """The estimators whose maps differ: with one draw a hypothesis there is one."""
    both = [[part[each].values for each in ESTIMATORS.values() if each in part] for part in parts]
    same = all(np.array_equal(maps[0], maps[-1]) for maps in both)
    return [PLUGIN] if same else [PLUGIN, JACKKNIFE]


def _row(
    one: xr.Dataset, shown: Sequence[str], limits: Mapping[str, float], step: int
) -> list[np.ndarray]:
    """The pictures of an image: its prediction, and its maps by each estimator."""
    row = [pictures.blend(sprites.thinned(one["prediction"].values, step))]
    for name in shown:
        maps = zip(dims.MEASURES, one[ESTIMATORS[name]].values, strict=True)
        row += [
            sprites.heat(sprites.thinned(each, step), limits[measure]) for measure, each in maps
        ]
    return row


def _samples(samples: xr.DataArray, step: int) -> tuple[list[str], list[np.ndarray]]:
    """What each sample is called, and its picture."""
    probs = sprites.thinned(probabilities(samples).values, step)
    places = list(np.ndindex(*probs.shape[:2]))
    names = [f"sample {s + 1}, hypothesis {h + 1}" for h, s in places]
    return names, [pictures.blend(probs[place]) for place in places]
