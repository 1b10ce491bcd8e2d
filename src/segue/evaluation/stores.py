"""Arrays of one split that lie in several stores, and belong together."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import xarray as xr

from segue import dims, store
from segue.errors import InputError
from segue.evaluation.canonical import canonical

_SHARED = ("image", "class", "y", "x")


def open_together(name: str, wanted: Iterable[tuple[Path, str, tuple[str, ...]]]) -> xr.Dataset:
    """Open arrays of the split ``name``, not loaded.

    Args:
        wanted: of each array the path of its store, its name, and its dimensions in order.

    Raises:
        InputError: no such array, or they do not have the same images, classes or pixels.
    """
    found: dict[str, xr.DataArray] = {}
    opened: dict[Path, xr.Dataset] = {}
    for path, variable, order in wanted:
        where = f"{path}/{name}/{variable}"
        if path not in opened:
            opened[path] = canonical(store.open_split(path, name))
        if variable not in opened[path]:
            raise InputError(f"{where}: no such array; remove {path} and make it again")
        array = dims.check(opened[path][variable], order, where)
        for other in found.values():
            for dim in _SHARED:
                if array.sizes.get(dim) not in (None, other.sizes.get(dim, array.sizes.get(dim))):
                    raise InputError(
                        f"{where}: expected {other.sizes[dim]} along {dim!r} as {other.name} has, "
                        f"found {array.sizes[dim]}; make the stores from the same dataset"
                    )
        found[variable] = array.reset_coords(drop=True)
    return xr.Dataset(found)


def arrays_of(path: Path, name: str) -> Iterator[tuple[Path, str, tuple[str, ...]]]:
    """All arrays of a split of a store, but for coordinates, as ``open_together`` wants them."""
    for variable, array in store.arrays(path, name).items():
        yield path, variable, array.dims
