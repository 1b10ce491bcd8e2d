"""A folder of images as people have them, for the tests."""

from pathlib import Path

import numpy as np
from PIL import Image

from segue.data.sources import folder

SPLITS = ["train"] * 3 + ["val", "id", "ood_site"]
SIDE = 12
_Y, _X = np.mgrid[:SIDE, :SIDE]


def truth(number: int, rater: int) -> np.ndarray:
    """Mask (y, x) of 0 and 1: a disc off the centre, so that turns and flips show."""
    return (np.hypot(_Y - 4 - number % 3, _X - 7) < 2 + rater).astype(np.uint8)


def pixels(number: int) -> np.ndarray:
    """Image (y, x) uint8."""
    rng = np.random.default_rng(number)
    return (80 * truth(number, 0) + rng.integers(0, 100, (SIDE, SIDE))).astype(np.uint8)


def save(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        Image.fromarray(array).save(path)


def write(root: Path, names=None, raters: str = "ab", masks: str = "masks/{}_{}.png") -> list[dict]:
    """Images and masks of class indices; the rows of their table."""
    rows = []
    for number, split in enumerate(SPLITS):
        name = names[number] if names else f"{number}.png"
        save(root / name, pixels(number))
        row = {"image": name, "split": split}
        for rater, letter in enumerate(raters):
            row[f"rater_{rater + 1}"] = masks.format(Path(name).stem, letter)
            save(root / row[f"rater_{rater + 1}"], truth(number, rater))
        rows.append(row)
    return rows


def table(root: Path, rows: list[dict], columns=None, delimiter: str = ",") -> None:
    """Write the rows to index.csv."""
    columns = columns or list(rows[0])
    lines = [columns, *([row.get(c, "") for c in columns] for row in rows)]
    text = "".join(delimiter.join(map(str, line)) + "\n" for line in lines)
    (root / "index.csv").write_text(text, encoding="utf-8")


def opened(root: Path, classes=("background", "lesion"), **options):
    return folder.open_source(seed=0, path=str(root), classes=list(classes), **options)


def samples(source) -> dict:
    """All samples, by name."""
    found = [source.read(item) for items in source.splits.values() for item in items]
    return {sample.coordinates["name"]: sample for sample in found}
