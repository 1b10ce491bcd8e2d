"""Whatever happens to a store of another program: `check` is content, or says what is wrong."""

import json
import shutil
import warnings
from collections import Counter

import numpy as np
import pytest
import xarray as xr
import zarr
from damage import flip, zeroed
from handmade import random_split

from segue import seeds
from segue.errors import InputError
from segue.evaluation.check import check, describe

STRANGE = (None, True, -1, 0, 2**40, 1.5, "x", "float16", "bfloat16", "NaN", [], [2], {}, {"a": 1})


def by_xarray(path, name, split):
    split.to_zarr(path, group=name, mode="a", zarr_format=3)


def by_xarray_in_format_2(path, name, split):
    split.to_zarr(path, group=name, mode="a", zarr_format=2, consolidated=True)


def by_zarr(path, name, split):
    group = zarr.open_group(path, mode="a").create_group(name)
    for key, values in split.items():
        group.create_array(
            key,
            data=values.values,
            chunks=(1, *values.shape[1:]),
            shards=(2, *values.shape[1:]) if key == "labels" else None,
            dimension_names=values.dims,
            config={"write_empty_chunks": True},
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Stores of two images a split, by who wrote them; nothing is wrong with them."""
    folder = tmp_path_factory.mktemp("whole")
    stores = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for writer in (by_xarray, by_xarray_in_format_2, by_zarr):
            path = folder / f"{writer.__name__}.zarr"
            for name in ("val", "id", "ood_x"):
                split = random_split(name, images=2, side=4, raters=2, draws=1)
                split = split[["labels", "probs"]]
                split["labels"] = split["labels"].astype("int8")
                split["labels"][0, 0, 0] = -1
                split["patient"] = ("image", np.array([3, 4]))
                writer(path, name, split)
            check(path)
            stores.append(path)
    return stores


def bytes_changed(path, random):
    """A bit, a stretch or the end of any file, or the file itself."""
    file = random.choice(sorted(p for p in path.rglob("*") if p.is_file()))
    content = file.read_bytes()
    at = int(random.integers(max(1, len(content))))
    ways = [flip(content, 8 * at + 3), zeroed(content, at), content[:at], content * 2, None]
    changed = ways[random.choice(5, p=[0.5, 0.15, 0.15, 0.1, 0.1])]
    if changed is None:
        file.unlink()
    else:
        file.write_bytes(changed)


def metadata_edited(path, random):
    """A value anywhere in a file of metadata taken out, or replaced by one of another kind."""
    names = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")
    file = random.choice(sorted(p for p in path.rglob("*") if p.name in names))
    content = json.loads(file.read_bytes())
    node = content
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = keys[random.integers(len(keys))]
        if isinstance(node[key], (dict, list)) and node[key] and random.random() < 0.7:
            node = node[key]
            continue
        if random.random() < 0.3:
            del node[key]
        else:
            node[key] = STRANGE[random.integers(len(STRANGE))]
        break
    file.write_text(json.dumps(content))


def array_edited(path, random):
    """An array with other values, another type, other dimensions, or a new name."""
    split = path / random.choice(["val", "id", "ood_x"])
    opened = xr.open_dataset(xr.backends.ZarrStore.open_group(split, consolidated=False)).load()
    opened = opened.drop_encoding()
    name = random.choice(["labels", "probs", "patient"])
    values = opened[name].values
    kind = random.integers(5)
    if kind == 0:
        other = values.astype(np.float64)
        other.flat[random.integers(other.size)] = random.choice([np.nan, np.inf, -1, 1e300, 0.3, 7])
        changed = opened.assign({name: (opened[name].dims, other)})
    elif kind == 1:
        dtype = random.choice(["float32", "int16", "bool", "complex64", "uint64", "U3", "M8[ns]"])
        changed = opened.assign({name: (opened[name].dims, values.astype(dtype))})
    elif kind == 2:
        dim = random.choice(opened[name].dims)
        changed = opened.isel({dim: 0} if random.random() < 0.5 else {dim: slice(1)})
    elif kind == 3:
        changed = opened.rename({name: random.choice(["image", "class", "name", "y"])})
    else:
        changed = opened.drop_vars(name)
    shutil.rmtree(split)
    form = 3 if (path / "zarr.json").exists() else 2
    changed.to_zarr(path, group=split.name, mode="a", zarr_format=form, consolidated=False)


@pytest.mark.parametrize(
    ("change", "count"), [(bytes_changed, 65), (metadata_edited, 65), (array_edited, 30)]
)
def test_a_changed_store_is_checked_or_refused_and_nothing_else(
    change, count, whole, tmp_path, capsys
):
    outcomes: Counter[str] = Counter()
    for number in range(count):
        random = seeds.rng(number, "fuzz", change.__name__)
        path = tmp_path / "mine.zarr"
        shutil.copytree(whole[number % len(whole)], path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            change(path, random)
            try:
                describe(path)
                check(path)
                outcomes["nothing is wrong"] += 1
            except InputError as error:
                outcomes["refused" if str(path) in str(error) else "unnamed"] += 1
            except Exception as error:
                raise AssertionError(f"{change.__name__} {number}: {error!r}") from error
        shutil.rmtree(path)
    with capsys.disabled():
        print(f"\n{change.__name__}: {dict(outcomes)}")
    assert outcomes.keys() == {"refused", "nothing is wrong"}
