"""A study's results, opened lazily as one tree."""

from pathlib import Path

import xarray as xr

from segue import store
from segue.errors import InputError

_CELL = "*/*-*/rep*"


def open_study(path: str | Path) -> xr.DataTree:
    """Open the folder of a study, ``results/<study>``; arrays are read when they are indexed.

    Nodes: ``/<dataset>/data/<split>`` with ``image`` (image, channel, y, x), normalised, and
    ``labels`` (image, rater, y, x), class indices; and
    ``/<dataset>/<aleatoric>-<epistemic>/rep<replicate>/<split>`` with ``probs`` (image, eu_sample,
    au_sample, class, y, x), where the study keeps them, ``shown_probs`` (shown, …), those of the
    images whose indices ``shown`` has, ``uncertainty`` (image, measure, y, x), in nats, and
    ``prediction`` (image, class, y, x). Of a study that has not ended, what is there.

    Raises:
        InputError: there is no such study, nothing of it is finished, or a store is damaged.
    """
    path = Path(path)
    nodes: dict[str, xr.Dataset] = {}
    for found in sorted(path.glob("datasets/*/dataset.zarr")):
        for split in store.splits(found):
            nodes[f"{found.parent.name}/data/{split}"] = store.open_split(found, split)
    for kind in ("samples", "maps"):
        for found in sorted(path.glob(f"{kind}/{_CELL}/{kind}.zarr")):
            cell = found.parent.relative_to(path / kind)
            for split in store.splits(found):
                name, opened = f"{cell}/{split}", store.open_split(found, split)
                if name in nodes:  # names and patients are in both
                    opened = nodes[name].merge(opened, compat="override")
                nodes[name] = opened
    if not nodes:
        raise InputError(
            f"{path}: expected the folder of a study, results/<study>, with datasets, samples or "
            "maps in it, found none"
        )
    return xr.DataTree.from_dict(nodes, name=path.name)
