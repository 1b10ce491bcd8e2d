"""Maps of uncertainty and predictions -> a NIfTI or TIFF file of each image, for other programs."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from segue import dims, files, store
from segue.blocks import blocks
from segue.errors import InputError
from segue.evaluation.estimators import ESTIMATORS, PLUGIN
from segue.evaluation.score import image_names

_MAPS = "maps.zarr"
_PREDICTION = "prediction"
_STRANGE = re.compile(r"[^\w.+-]+")  # what file names had better not have
_LONGEST = 100  # characters of an image's name

_Write = Callable[[Path, np.ndarray, str], None]
"""Takes the path without a suffix, values (y, x) or (class, y, x) float32, and what they are."""


def export(maps: Path, out: Path, *, to: str, estimators: Sequence[str] = (PLUGIN,)) -> str:
    """Write TU, AU, EU and the mean prediction of every image to a file each, as float32.

    Files are ``out/<split>/<image>_<what>``: TU, AU and EU in nats, (y, x); and ``prediction``,
    (class, y, x) class probabilities. An image is called by its name, in which other characters
    than letters, digits and ``.+-`` become ``_``, or by its index, where it has no name of its own.

    Args:
        maps: path of ``maps.zarr``, or of the folder it is in.
        out: folder to write; must not exist, and is there when all of it is.
        to: ``tiff``; or ``nifti``, (x, y, 1) or (x, y, 1, class), of no known place in space.
        estimators: those of the maps, ``plugin`` or ``jackknife``, whose files are called so.

    Returns:
        A line that says how many files there are.

    Raises:
        InputError: no maps there, ``out`` exists, or a package is missing.
    """
    path = maps / _MAPS if (maps / _MAPS).is_dir() else maps
    if out.exists():
        raise InputError(f"{out}: exists already; remove it, or name another --out")
    write = {"nifti": _nifti, "tiff": _tiff}[to]()
    arrays = [ESTIMATORS[each] for each in dict.fromkeys(estimators)]
    opened = {}
    for split in store.splits(path):
        opened[split] = store.open_split(path, split)
        for array in (*arrays, _PREDICTION):
            if array not in opened[split]:
                raise InputError(
                    f"{path}/{split}/{array}: no such array; expected maps of uncertainty, which "
                    "`segue score` makes of predictions"
                )
    count = 0
    with files.unfinished(out) as folder:
        for split, content in opened.items():
            (folder / split).mkdir(parents=True)
            names = iter(file_names(image_names(content)))
            for block in blocks(content, *arrays, _PREDICTION):
                for i in range(block.sizes["image"]):
                    count += _write(folder / split, next(names), block.isel(image=i), arrays, write)
    images = ", ".join(f"{split} {each.sizes['image']}" for split, each in opened.items())
    return f"{count} files of the images of {images} in {out}; TU, AU and EU are in nats"


def file_names(names: Sequence[str]) -> list[str]:
    """Names of images as names of files, each its own, also where capitals do not count."""
    plain = [_STRANGE.sub("_", name).strip("._")[:_LONGEST] for name in names]
    times = Counter(name.lower() for name in plain)
    found = [
        name if name and times[name.lower()] == 1 else "_".join(filter(None, (name, f"{i:04}")))
        for i, name in enumerate(plain)
    ]
    if len({name.lower() for name in found}) < len(found):  # a name that ends in another's index
        return [f"{i:04}_{name}" for i, name in enumerate(plain)]
    return found


def _write(folder: Path, name: str, image: xr.Dataset, arrays: list[str], write: _Write) -> int:
    """Write the files of an image; returns how many."""
    for array in arrays:
        more = array.removeprefix(ESTIMATORS[PLUGIN])  # such as _jackknife
        for measure in dims.MEASURES:
            values = image[array].sel(measure=measure).values.astype(np.float32)
            said = f"{measure} in nats{more and f', {more[1:]} over draws'}; Segue"
            write(folder / f"{name}_{measure}{more}", values, said)
    values = image[_PREDICTION].values.astype(np.float32)
    write(folder / f"{name}_{_PREDICTION}", values, "class probabilities; Segue")
    return len(arrays) * len(dims.MEASURES) + 1


def _tiff() -> _Write:
    try:
        import tifffile
    except ImportError as error:
        raise InputError("--to tiff: needs tifffile: pip install 'segue[study]'") from error

    def write(path: Path, values: np.ndarray, said: str) -> None:
        unit = {"unit": "nats"} if "nats" in said else {}
        tifffile.imwrite(
            f"{path}.tif",
            values,
            photometric="minisblack",
            metadata={"axes": "CYX"[-values.ndim :], "content": said, **unit},
        )

    return write


def _nifti() -> _Write:
    try:
        import nibabel
    except ImportError as error:
        raise InputError("--to nifti: needs nibabel: pip install 'segue[data]'") from error

    def write(path: Path, values: np.ndarray, said: str) -> None:
        placed = values.T[:, :, None] if values.ndim == 2 else values.transpose(2, 1, 0)[:, :, None]
        image = nibabel.Nifti1Image(placed, None)
        image.header["descrip"] = said.encode()
        image.header.set_intent("estimate", name=said.split()[0])
        nibabel.save(image, f"{path}.nii.gz")

    return write
