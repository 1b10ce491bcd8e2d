"""Random damage and edits of a user's folder: read, or refused with a message; no traceback."""

import random
import shutil
from collections import Counter

import numpy as np
import pytest
from own_images import SPLITS, opened, pixels, samples, save, table, truth, write
from PIL import Image

from segue.errors import InputError

EDITS = 240
BYTES = 240

_CELLS = ["", "nan", "../x", "/", "\\", '"', "é", "0.png", "masks", "\0", "a" * 5000, "ood_x", "-1"]
_OPTIONS = [
    {"values": {"0": 0, "255": 1}},
    {"values": {"0": 0, "1": 1, "255": 1}},
    {"ignore": 255},
    {"ignore": -7},
    {"size": 9},
    {"size": [7, 20]},
    {"axes": "yxc"},
    {"axis": 1},
    {"masks": "masks/{stem}_*.png"},
    {"masks": "{folder}/masks/{stem}*"},
    {"masks": "["},
    {"masks": "{stem}"},
    {"images": {"train": 2}},
    {"classes": ["a", "b", "c"]},
    {"index": "0.png"},
    {"corruptions": True},
]


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """A folder with files of every format."""
    root = tmp_path_factory.mktemp("valid")
    suffixes = ["png", "tif", "jpg", "bmp", "npy", "png"]
    names = [f"{i}.{suffix}" for i, suffix in enumerate(suffixes)]
    rows = write(root, names)
    for number, row in enumerate(rows):
        for rater, suffix in ((1, "tif"), (2, "npy")):
            if number % 2:
                row[f"rater_{rater}"] = f"masks/{number}_{rater}.{suffix}"
                save(root / row[f"rater_{rater}"], truth(number, rater - 1))
    picture = Image.fromarray(truth(2, 0)).convert("P")
    picture.putpalette([0, 0, 0, 128, 0, 0])
    picture.save(root / rows[2]["rater_1"])
    table(root, rows)
    assert len(samples(opened(root))) == len(SPLITS)
    return root


def _tried(root, options=None):
    """What becomes of a folder: anything but a reading and an InputError fails the test."""
    try:
        source = opened(root, **(options or {}))
        for sample in samples(source).values():
            assert sample.image.shape[1:] == sample.labels.shape[1:] == source.shape
            assert np.isfinite(sample.image).all()
            known = sample.labels[sample.labels != 255]
            assert (known < len(source.classes)).all()
    except InputError:
        return "refused"
    return "read"


def _damaged(data: bytearray, random: random.Random) -> bytes:
    kind = random.randrange(4)
    if kind == 0:
        return bytes(data[: random.randrange(len(data))])
    if kind == 1:
        return random.randbytes(random.randrange(1, 200))
    if kind == 2:
        at = random.randrange(len(data))
        return bytes(data[:at]) + random.randbytes(8) + bytes(data[at:])
    for _ in range(random.randrange(1, 8)):
        data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data)


def test_random_bytes_end_in_no_traceback(valid, tmp_path, capsys):
    rng, found = random.Random(1), Counter()
    files = sorted(path.relative_to(valid) for path in valid.rglob("*") if path.is_file())
    root = tmp_path / "x"
    shutil.copytree(valid, root)
    for number in range(BYTES):
        file = files[number % len(files)]
        data = (valid / file).read_bytes()
        (root / file).write_bytes(_damaged(bytearray(data), rng))
        found[_tried(root)] += 1
        (root / file).write_bytes(data)
    with capsys.disabled():
        print(f"\nfuzz: {BYTES} folders with random bytes: {dict(found)}, no traceback")
    assert found["refused"] > BYTES / 4


def test_random_edits_end_in_no_traceback(valid, tmp_path, capsys):
    rng, found = random.Random(2), Counter()
    lines = (valid / "index.csv").read_text().splitlines()
    header, *rows = [line.split(",") for line in lines]
    root = tmp_path / "x"
    shutil.copytree(valid, root)
    for _ in range(EDITS):
        names, cells = list(header), [list(row) for row in rows]
        for _ in range(rng.randrange(3)):
            row, column = rng.randrange(len(cells)), rng.randrange(len(names))
            match rng.randrange(8):
                case 0:
                    cells[row][column] = rng.choice(_CELLS)
                case 1:
                    names[column] = rng.choice([*_CELLS, *header, "group", "extra", "rater_9"])
                case 2:
                    cells.append(list(cells[row]))
                case 3 if len(cells) > 1:
                    del cells[row]
                case 4:
                    cells[row].insert(column, rng.choice(_CELLS))
                case 5:
                    other = rng.randrange(len(cells))
                    cells[row][column] = cells[other][min(column, len(cells[other]) - 1)]
                case 6:
                    names.append("group")
                    cells = [[*row, f"g{i // rng.randrange(1, 4)}"] for i, row in enumerate(cells)]
                case 7:
                    names = names[:2]
                    cells = [row[:2] for row in cells]
            column = min(column, len(names) - 1)
            cells = [row if len(row) >= len(names) else [*row, *[""] * 3] for row in cells]
        delimiter = rng.choice(",,,,,,;\t|")
        text = "\n".join(delimiter.join(row) for row in [names, *cells])
        encoding = rng.choice(["utf-8", "utf-8", "utf-16", "cp1252", "utf-8-sig"])
        (root / "index.csv").write_bytes(text.encode(encoding, "replace"))
        options = {}
        for _ in range(rng.randrange(3)):
            options |= rng.choice(_OPTIONS)
        found[_tried(root, options)] += 1
    with capsys.disabled():
        print(f"\nfuzz: {EDITS} folders with random edits: {dict(found)}, no traceback")
    assert found["refused"] > EDITS / 4
    assert found["read"] > 0


def test_random_pixels_of_masks_end_in_no_traceback(valid, tmp_path, capsys):
    """Arrays of any type and shape, in any format, as a mask and as an image."""
    rng, found = np.random.default_rng(3), Counter()
    root = tmp_path / "x"
    shutil.copytree(valid, root)
    count = 120
    for number in range(count):
        dtype = rng.choice(["u1", "i1", "u2", "i4", "f4", "f8", "?", "c8", "S3"])
        shape = [rng.integers(0, 14), 12, 12, 3, 1][rng.integers(0, 5) :][: rng.integers(1, 5)]
        values = rng.integers(-2, 3, shape).astype(dtype)
        name = ["masks/3_2.npy", "4.npy"][number % 2]
        if dtype in ("f4", "f8") and values.size and rng.random() < 0.3:
            values.flat[0] = rng.choice([np.nan, np.inf, 1e30])
        np.save(root / name, values)
        with np.errstate(all="ignore"):
            found[_tried(root)] += 1
        shutil.copy(valid / name, root / name)
    with capsys.disabled():
        print(f"\nfuzz: {count} arrays of any kind: {dict(found)}, no traceback")
    assert samples(opened(root))["4.npy"].image[0].tolist() == pixels(4).tolist()
