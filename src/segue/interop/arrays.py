"""Arrays in files of NumPy, PyTorch and NIfTI, of which a plane is read at a time.

Compressed ones are unpacked to a temporary file without a name, and no further than their header
says: so memory is flat, nothing is left behind, and a small file cannot become a large one unseen.
Nothing is unpickled.
"""

import gzip
import math
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

import numpy as np

from segue.data.decoding import decoding
from segue.data.sources.folder import nifti
from segue.errors import InputError

NUMPY, TORCH = (".npy", ".npz"), (".pt", ".pth")
SUFFIXES = (*NUMPY, *TORCH, *nifti.SUFFIXES)

_NAMES = ("probabilities", "probs")  # arrays to take where a file has several
_COPIED = 2**20  # bytes at a time


@dataclass(frozen=True)
class Stored:
    """An array in a file.

    Attributes:
        path: of the file.
        shape: of the array, by the file's header.
        unpack: gives the array, mapped.
        affine: of a NIfTI file, from voxels to space; None of others.
        scale: slope and intercept of the values, as NIfTI files have them.
    """

    path: Path
    shape: tuple[int, ...]
    unpack: Callable[[], np.ndarray]
    affine: np.ndarray | None = None
    scale: tuple[float, float] = (1, 0)

    def read(self, index: tuple[int | slice, ...]) -> np.ndarray:
        """Part of the array.

        Raises:
            InputError: the file is damaged.
        """
        with decoding(f"{self.path}: cannot be read"):
            values = np.array(self._values[index])
        slope, intercept = self.scale
        return values if self.scale == (1, 0) else values * slope + intercept

    @cached_property
    def _values(self) -> np.ndarray:
        return self.unpack()


def stored(path: Path) -> Stored:
    """The array in a file; no more than its header is read.

    Raises:
        InputError: no such file, one of another kind, one that holds several arrays, or objects.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix == ".npy":
        with path.open("rb") as file:
            shape, dtype, fortran = _npy_header(file, path)
            start = file.tell()

        return Stored(path, shape, lambda: _mapped(path, dtype, shape, fortran, start))
    if suffix == ".npz":
        return _npz(path)
    if suffix in TORCH:
        return _torch(path)
    if nifti.is_nifti(path):
        return _nifti(path)
    raise InputError(f"{path}: expected a file that ends in one of {', '.join(SUFFIXES)}")


def _npy_header(file: IO[bytes], path: Path) -> tuple[tuple[int, ...], np.dtype, bool]:
    """Shape, type, and whether the first axis varies fastest."""
    with decoding(f"{path}: not a readable npy file"):
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise InputError(f"{path}: an npy file of the version {version}; save it anew")
        shape, fortran, dtype = read(file)
    if dtype.kind not in "biuf":
        raise InputError(f"{path}: expected numbers, found {dtype}; save an array of numbers")
    return shape, dtype, fortran


def _npz(path: Path) -> Stored:
    with decoding(f"{path}: not a readable npz file"), zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        name = f"{_chosen(names, path)}.npy"
        with archive.open(name) as file:
            shape, dtype, fortran = _npy_header(file, path)

    def unpacked() -> np.ndarray:
        with zipfile.ZipFile(path) as archive, archive.open(name) as packed:
            _npy_header(packed, path)
            return _spooled(packed, dtype, shape, fortran)

    return Stored(path, shape, unpacked)


def _torch(path: Path) -> Stored:
    try:
        from segue.models import tensors
    except ImportError as error:
        raise InputError(f"{path}: needs PyTorch: pip install 'segue[study]'") from error
    try:
        found = tensors.load(path)
    except Exception as error:  # what PyTorch says of it is how to run the code in it
        raise InputError(
            f"{path}: not a file of tensors alone, as PyTorch since 1.6 writes it; save it with "
            "`torch.save(tensor, path)`"
        ) from error
    array = found[_chosen(list(found), path)]
    return Stored(path, array.shape, lambda: array)


def _nifti(path: Path) -> Stored:
    file = nifti.opened(path)
    proxy, affine = file.dataobj, np.asarray(file.affine, float)
    shape, dtype, start = tuple(proxy.shape), proxy.dtype, proxy.offset
    if dtype.kind not in "biuf":
        raise InputError(f"{path}: expected numbers, found {dtype}; save an array of numbers")

    def unpacked() -> np.ndarray:
        if not path.name.lower().endswith(".gz"):
            return _mapped(path, dtype, shape, True, start)
        with gzip.open(path) as packed:
            packed.seek(start)
            return _spooled(packed, dtype, shape, True)

    return Stored(path, shape, unpacked, affine, (float(proxy.slope), float(proxy.inter)))


def _chosen(names: list[str], path: Path) -> str:
    """The name of the array to take: the only one, or the one that is called as nnU-Net does."""
    if len(names) == 1:
        return names[0]
    known = [name for name in names if name in _NAMES]
    if len(known) != 1:
        raise InputError(
            f"{path}: expected one array, or one that is called {' or '.join(_NAMES)}, found "
            f"{', '.join(names) or 'none'}; save the probabilities alone"
        )
    return known[0]


def _spooled(
    packed: IO[bytes], dtype: np.dtype, shape: tuple[int, ...], fortran: bool
) -> np.ndarray:
    """An array of what comes next in a stream, in a temporary file without a name."""
    size, written = math.prod(shape) * dtype.itemsize, 0
    with tempfile.TemporaryFile() as file:
        while written < size and (part := packed.read(min(_COPIED, size - written))):
            written += file.write(part)
        if written < size:
            raise ValueError(f"ends after {written} of {size} bytes")
        file.flush()
        return _mapped(file, dtype, shape, fortran, 0)


def _mapped(
    file: Path | IO[bytes], dtype: np.dtype, shape: tuple[int, ...], fortran: bool, start: int
) -> np.ndarray:
    return np.memmap(file, dtype, "r", start, shape, "F" if fortran else "C")
