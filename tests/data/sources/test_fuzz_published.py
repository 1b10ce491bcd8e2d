"""Random damage of the published datasets' files: read, or refused with a message; no traceback."""

import random
import shutil
from collections import Counter

import h5py
import numpy as np
import pytest
from lookalikes import lidc_entries, write_chaksu, write_lidc

from segue.data.prepare import prepare
from segue.errors import InputError

TRIES = 24


def _pickle(root):
    path, metadata = write_lidc(root, lidc_entries(patients=5, slices=1, side=128))
    return "lidc", {"path": str(path), "metadata_csv": str(metadata), "size": 16}


def _hdf5(root):
    rng = np.random.default_rng(0)
    with h5py.File(root / "x.hdf5", "w") as file:
        for part in ("train", "val", "test"):
            group = file.create_group(part)
            group["images"] = rng.random((4, 128, 128)) - 0.5
            group["labels"] = rng.integers(0, 2, (4, 128, 128, 4), np.uint8)
    return "lidc", {"path": str(root / "x.hdf5"), "size": 16}


def _archives(root):
    train, test = write_chaksu(root, {"Remidio": 5, "Bosch": 1}, {"Remidio": 1})
    return "chaksu", {"train": str(train), "test": str(test), "size": 16}


@pytest.mark.parametrize("write", [_pickle, _hdf5, _archives])
def test_random_bytes_end_in_no_traceback(tmp_path, capsys, write):
    rng, found = random.Random(write.__name__), Counter()
    root = tmp_path / "x"
    root.mkdir()
    source, options = write(root)
    kept = tmp_path / "kept"
    shutil.copytree(root, kept)
    files = sorted(path.name for path in kept.iterdir())
    prepare(tmp_path / "whole.zarr", source=source, options=options, seed=0, threads=1)
    for number in range(TRIES):
        name = files[number % len(files)]
        data = bytearray((kept / name).read_bytes())
        if rng.random() < 0.2:
            data = data[: rng.randrange(len(data))]
        else:
            # Most bytes are pixels: half of the changes hit where a format keeps its structure.
            edge = min(3000, len(data))
            for _ in range(rng.randrange(1, 6)):
                at = rng.randrange(edge) * rng.choice([1, -1]) if rng.random() < 0.7 else None
                data[rng.randrange(len(data)) if at is None else at] = rng.randrange(256)
        (root / name).write_bytes(data)
        try:
            prepare(tmp_path / "out.zarr", source=source, options=options, seed=0, threads=1)
            found["read"] += 1
            shutil.rmtree(tmp_path / "out.zarr")
        except InputError:
            found["refused"] += 1
        shutil.copy(kept / name, root / name)
    with capsys.disabled():
        print(f"\nfuzz: {TRIES} damaged files of {source} ({write.__name__[1:]}): {dict(found)}")
    assert found["refused"] > 0
