"""The ways in of docs/predictions.md, as they are printed."""

import re
import shlex
from pathlib import Path

import interop_files as made
import numpy as np
import pytest
import torch
from PIL import Image

from segue import cli, store

TEXT = (Path(__file__).parent.parent.parent / "docs/predictions.md").read_text(encoding="utf-8")
FOLDERS = {"val": ["a", "b"], "test": ["c", "d"], "other": ["c", "d"]}


def section(title, language):
    """The blocks of code of a section."""
    text = re.search(rf"^## {title}\n(.*?)(?=^## )", TEXT, re.DOTALL | re.MULTILINE)[1]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(title):
    """What is to be typed after ``segue``."""
    lines = "\n".join(section(title, "bash")).splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("segue ")]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_loop(folder):
    torch.manual_seed(0)
    batch = {
        "image": torch.rand(4, 1, 8, 8),
        "label": torch.randint(0, 2, (4, 3, 8, 8)),
        "name": ["a", "b", "c", "d"],
    }
    names = {
        "members": [torch.nn.Conv2d(1, 2, 3, padding=1) for _ in range(2)],
        "loaders": {split: [batch] for split in ("val", "id", "ood_scanner")},
    }
    (code,) = section("From a loop", "python")
    exec(compile(code, "docs/predictions.md", "exec"), names)
    assert cli.main(["check", "mine.zarr"]) == 0
    found = store.open_split(folder / "mine.zarr", "id")["probs"]
    assert found.shape == (4, 2, 1, 2, 8, 8)
    expected = names["members"][1](batch["image"]).softmax(1).detach().numpy()
    np.testing.assert_array_equal(found[:, 1, 0], expected.astype(np.float16))


def test_nnunet(folder):
    for split, names in FOLDERS.items():
        made.nnunet(folder / "pred" / split, names)
        made.raters(folder / "masks", names)
    (command,) = commands("From nnU-Net")
    assert cli.main(command) == 0
    assert store.splits(folder / "mine.zarr") == ["id", "ood_scanner", "val"]


def picture(path, mask):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path)


def array(path, save, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, values)


def test_files_in_folders(folder):
    for split, names in FOLDERS.items():
        for name in names:
            for rater in made.RATERS:
                picture(folder / "masks" / rater / f"{name}.png", made.masks(name, rater)[0])
            for member in ("member_1", "member_2"):
                path = folder / "pred" / split / member / f"{name}.npy"
                array(path, np.save, made.probs(name, member)[:, 0])
    assert cli.main(commands("From files")[0]) == 0
    found = store.open_split(folder / "mine.zarr", "ood_scanner")["probs"]
    expected = made.probs("c", "member_2")[:, 0].astype(np.float16)
    np.testing.assert_array_equal(found[0, 1, 0], expected)


def test_files_by_a_pattern(folder):
    for name in FOLDERS["test"]:
        for rater in made.RATERS:
            picture(folder / "masks" / f"{name}_{rater}.png", made.masks(name, rater)[0])
        for member in ("m1", "m2"):
            for draw in ("1", "2", "3"):
                values = made.probs(name, member + draw)[:, 0].transpose(1, 2, 0)
                array(folder / "test" / name / f"{member}_{draw}.npz", np.savez, values)
    assert cli.main(commands("From files")[1]) == 0
    found = store.open_split(folder / "more.zarr", "id")["probs"]
    assert found.shape == (2, 2, 3, 3, 12, 9)
    expected = made.probs("d", "m12")[:, 0].astype(np.float16)
    np.testing.assert_array_equal(found[1, 0, 1], expected)
